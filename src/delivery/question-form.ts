import type { Question } from '../contracts/agent.ts';
import { encodePress } from '../contracts/press.ts';
import type { Form } from '../contracts/view.ts';
import { oneLine, shorten } from './neutralise.ts';

type Field = Form['fields'][number];
export type Answers = Record<string, string[]>;

/** Most parts of a form that every platform takes, and most choices of one part of it (Discord). */
const mostParts = 5;
const choicesPerPart = 25;
const labelLength = 100;
const optionLength = 75;
const wordsLength = 2000;

/** A question is answered by one press when it has few choices and only one of them is wanted. */
export const mostButtons = 5;

/** How a request with these questions is answered on its card: a button for each choice, a select, or only a form. */
export function answeredBy(questions: readonly Question[]): 'buttons' | 'select' | 'form' {
  const [first] = questions;
  if (first === undefined || questions.length > 1 || first.multiple || first.options.length === 0) return 'form';
  return first.options.length <= mostButtons ? 'buttons' : 'select';
}

/**
 * The form in which the questions are answered: for each a choice, and a field for own words where they are possible. A form of more parts
 * than every platform takes asks for one line for each question instead. `secret`: of the request.
 */
export function answerForm(secret: string, number: number, questions: readonly Question[]): Form {
  const fields = questions.flatMap((question, at) => fieldsOf(question, at, questions.length));
  const parts = fields.reduce((sum, field) => sum + partsOf(field), 0);
  return {
    token: encodePress({ kind: 'decide', secret, verb: 'answer' }),
    title: `Answer #${number}`,
    submit: 'Answer',
    fields: parts > mostParts ? [inLines(questions)] : fields,
  };
}

/** What was answered in such a form, by the ids of the questions: labels of choices, or own words, which count before a choice of one. */
export function readAnswers(questions: readonly Question[], values: Readonly<Record<string, readonly string[]>>): Answers {
  const lines = values[linesField]?.[0]?.split('\n').map((line) => line.trim());
  if (lines !== undefined) {
    const said = questions.length === 1 ? [lines.join('\n').trim()] : lines.filter((line) => line !== '');
    return answersOf(questions, (question, at) => (said[at] === undefined ? [] : [meant(question, said[at])]));
  }
  return answersOf(questions, (question, at) => {
    const words = values[`w${at}`]?.[0]?.trim() ?? '';
    const chosen = (values[`q${at}`] ?? []).flatMap((value) => question.options[Number(value)]?.label ?? []);
    if (words === '') return chosen;
    return question.multiple ? [...chosen, words] : [words];
  });
}

/** The answer of a press: one choice of one question. Undefined: there is no such choice. */
export function chosenAnswer(questions: readonly Question[], question: number, option: number): Answers | undefined {
  const asked = questions[question];
  const label = asked?.options[option]?.label;
  return asked === undefined || label === undefined ? undefined : { [asked.id]: [label] };
}

const linesField = 'lines';

function fieldsOf({ header, text, options, multiple, free }: Question, at: number, of: number): Field[] {
  // Platforms refuse a form with a part that has no name, and a model may ask with nothing but spaces.
  const label = shorten(oneLine(of === 1 ? text : `${at + 1}. ${text}`), labelLength) || 'Answer';
  const fields: Field[] = [];
  if (options.length > 0) {
    fields.push({
      type: 'select',
      id: `q${at}`,
      label,
      required: !free,
      multiple,
      options: options.map((option, value) => ({
        value: String(value),
        label: shorten(oneLine(option.label), optionLength) || `Choice ${value + 1}`,
      })),
    });
  }
  if (free || options.length === 0) {
    const which = of === 1 ? '' : `${at + 1}. `;
    const own = options.length === 0 ? label : shorten(`${which}Own words: ${oneLine(header)}`, labelLength);
    fields.push({
      type: 'text',
      id: `w${at}`,
      label: own,
      multiline: true,
      required: options.length === 0,
      maxLength: wordsLength,
    });
  }
  return fields;
}

function partsOf(field: Field): number {
  return field.type === 'text' ? 1 : Math.ceil(field.options.length / choicesPerPart);
}

function inLines(questions: readonly Question[]): Field {
  const one = questions.length === 1;
  return {
    type: 'text',
    id: linesField,
    label: one
      ? 'Name or number of a choice, or own words'
      : 'A line for each question: name or number of a choice, or own words',
    multiline: true,
    required: true,
    placeholder: one ? '1' : questions.map(() => '1').join('\n'),
    maxLength: 3000,
  };
}

/** A line of text as an answer: the number or the name of a choice, else own words. */
function meant({ options }: Question, line: string): string {
  const typed = line.replace(/^\d+\.\s+(?=\S)/, '');
  const numbered = /^\d{1,3}$/.test(typed) ? options[Number(typed) - 1] : undefined;
  const named = options.find(({ label }) => label.trim().toLowerCase() === typed.toLowerCase());
  return (numbered ?? named)?.label ?? typed;
}

function answersOf(questions: readonly Question[], answer: (question: Question, at: number) => string[]): Answers {
  return Object.fromEntries(
    questions.flatMap((question, at) => {
      const said = answer(question, at);
      return said.length === 0 ? [] : [[question.id, said]];
    }),
  );
}
