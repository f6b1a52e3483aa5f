import { encodePress, type GuidedVerb } from '../contracts/press.ts';
import { type Block, type Button, bold, code, type Form, plain, type Span, type View } from '../contracts/view.ts';
import type { GuidedEnd, GuidedForm } from '../store/guided-forms.ts';
import { marked } from './error-view.ts';
import { withFallback } from './list-view.ts';
import { deadline } from './moments.ts';
import { cleanText, oneLine } from './neutralise.ts';
import { digits } from './units.ts';

export type Field = Form['fields'][number];

/** The field that is asked now. */
export function fieldOf({ form, field }: GuidedForm): Field {
  const found = form.fields[field];
  if (found === undefined) throw new Error(`a form has no field ${field}`);
  return found;
}

/**
 * Whether the question that is asked now stays as it is, whatever comes of it. Where others read along, a question to be answered in words
 * has no buttons: then a platform can open the answer for the person asked alone, and such a message it does not let change (Telegram).
 */
export function staysAsAsked(guided: GuidedForm): boolean {
  return guided.conversation.kind !== 'direct' && fieldOf(guided).type === 'text';
}

/** What a reply of one word means to a question without buttons; undefined when it is an answer like any other. */
export function wordFor(guided: GuidedForm, text: string): Word | undefined {
  const said = text.trim().toLowerCase();
  return staysAsAsked(guided) ? wordsOf(fieldOf(guided)).find((word) => word === said) : undefined;
}

export type Word = Extract<GuidedVerb, 'keep' | 'skip' | 'cancel'>;

function wordsOf(field: Field): Word[] {
  return [...(field.initial === undefined ? [] : ['keep' as const]), ...(field.required ? [] : ['skip' as const]), 'cancel'];
}

/** The question for the field that is asked now. `name`: of who is asked; `problem`: what was wrong with the answer before. */
export function questionView(guided: GuidedForm, name: string | undefined, problem?: string): View {
  const { form, conversation, account, expiresAt } = guided;
  const field = fieldOf(guided);
  const count = form.fields.length === 1 ? '' : ` · ${guided.field + 1} of ${form.fields.length}`;
  const person: Span = { type: 'person', name: oneLine(name ?? account), user: account, notify: true };
  const named = conversation.kind === 'direct' ? [] : [person, plain(': ')];
  const view = withFallback([
    ...(problem === undefined ? [] : [{ type: 'text' as const, spans: marked(problem) }]),
    { type: 'text', spans: [bold(`${form.title}${count}`), plain('\n'), ...named, plain(field.label)] },
    ...(field.type === 'text' ? textHints(field) : choiceBlocks(guided, field)),
    {
      type: 'context',
      spans: [...howTo(guided, field, person), plain('There is time until '), deadline(expiresAt), plain('.')],
    },
    ...(staysAsAsked(guided) ? [] : [{ type: 'buttons' as const, buttons: buttons(guided, field) }]),
  ]);
  if (field.type !== 'text') return view;
  const placeholder = (field.placeholder ?? field.label).slice(0, 64).toWellFormed();
  return { ...view, asks: { user: account, placeholder } };
}

/** What becomes of a question that is answered and can change. What was typed is not repeated: it may be meant for few. */
export function answeredView(guided: GuidedForm, values: readonly string[] | undefined): View {
  const field = fieldOf(guided);
  const said =
    values === undefined
      ? 'left out'
      : field.type === 'text'
        ? 'answered ✔'
        : values.map((value) => field.options.find((option) => option.value === value)?.label ?? value).join(', ');
  return withFallback([{ type: 'text', spans: [bold(guided.form.title), plain(` · ${field.label}: ${said}`)] }]);
}

/** What becomes of a question whose answer did not fit. */
export function repeatedView(guided: GuidedForm): View {
  const text = ` · ${fieldOf(guided).label}: asked again below`;
  return withFallback([{ type: 'text', spans: [bold(guided.form.title), plain(text)] }]);
}

/** What becomes of the last question of a form that ended without being submitted. */
export function endedView({ form }: GuidedForm, end: Exclude<GuidedEnd, 'submitted'>): View {
  const words = {
    cancelled: 'cancelled; nothing was done',
    expired: 'no answer in time; nothing was done',
    superseded: 'a newer form has taken its place',
  };
  return withFallback([{ type: 'text', spans: [bold(form.title), plain(` · ${words[end]}`)] }]);
}

/** Told to the person when time is over. */
export function expiredWord({ form }: GuidedForm): View {
  const text = `“${form.title}” was not answered in time, so nothing was done. Press the button again to start over.`;
  return withFallback([{ type: 'text', spans: [plain(text)] }]);
}

/** The answer as the field takes it, or what is wrong with it, for people. */
export function checkAnswer(field: Field, text: string): { values: string[] } | { problem: string } {
  if (field.type === 'text') {
    if (text.trim() === '') return { problem: 'The answer has to be text.' };
    const { maxLength } = field;
    if (maxLength === undefined || text.length <= maxLength) return { values: [text] };
    return {
      problem: `The answer has ${digits(text.length)} characters; there is room for ${digits(maxLength)}. Send a shorter one.`,
    };
  }
  const typed = text.trim().toLowerCase();
  const found = field.options.find(({ value, label }) => value.toLowerCase() === typed || label.toLowerCase() === typed);
  if (found !== undefined) return { values: [found.value] };
  return { problem: 'This is none of the choices. Press one of the buttons.' };
}

function textHints(field: Extract<Field, { type: 'text' }>): Block[] {
  if (field.initial !== undefined)
    return [
      { type: 'context', spans: [plain('Proposed:')] },
      { type: 'code', text: cleanText(field.initial) },
    ];
  return field.placeholder === undefined ? [] : [{ type: 'context', spans: [plain(`For example: ${field.placeholder}`)] }];
}

function choiceBlocks(guided: GuidedForm, field: Extract<Field, { type: 'select' }>): Block[] {
  const chosen = guided.values[field.id] ?? [];
  const labels = field.options.filter(({ value }) => chosen.includes(value)).map(({ label }) => label);
  // Keeping what there is has a button of its own.
  const offered = field.multiple ? field.options : field.options.filter(({ value }) => value !== field.initial);
  return [
    ...(field.multiple && labels.length > 0 ? [{ type: 'text' as const, spans: [plain(`Chosen: ${labels.join(', ')}`)] }] : []),
    {
      type: 'select',
      token: token(guided, 'choose'),
      placeholder: field.multiple ? 'Choose some' : 'Choose one',
      options: offered.map(({ value, label }) => ({ value, label: chosen.includes(value) ? `✔ ${label}` : label })),
    },
  ];
}

const wordMeanings: Record<Word, string> = { keep: 'takes what is proposed', skip: 'leaves it out', cancel: 'ends it' };

/** A long question becomes several messages. The last one is to be answered, so that it too names the person. */
function howTo(guided: GuidedForm, field: Field, person: Span): Span[] {
  if (field.type === 'select') return field.multiple ? [plain('Choose, then press Done. ')] : [];
  if (!staysAsAsked(guided)) return [plain('Your next message is the answer. ')];
  const words = wordsOf(field).flatMap((word, at) => [
    plain(at === 0 ? ' The word ' : ', '),
    code(word),
    plain(` ${wordMeanings[word]}`),
  ]);
  return [plain('Reply to this message; only the reply of '), person, plain(' counts.'), ...words, plain('. ')];
}

function buttons(guided: GuidedForm, field: Field): Button[] {
  const button = (verb: GuidedVerb, label: string, style: Button['style'] = 'default'): Button => ({
    token: token(guided, verb),
    label,
    style,
  });
  const many = field.type === 'select' && field.multiple;
  const chosen = guided.values[field.id] ?? [];
  return [
    ...(field.initial === undefined || many
      ? []
      : [button('keep', field.type === 'text' ? 'Take as proposed' : keepLabel(field), 'primary')]),
    ...(many && chosen.length > 0 ? [button('done', 'Done', 'primary')] : []),
    ...(field.required || (many && chosen.length > 0) ? [] : [button('skip', 'Skip')]),
    button('cancel', 'Cancel'),
  ];
}

function keepLabel(field: Extract<Field, { type: 'select' }>): string {
  const label = field.options.find(({ value }) => value === field.initial)?.label ?? field.initial ?? '';
  return `Keep ${label}`.slice(0, 40).toWellFormed();
}

function token({ id, field }: GuidedForm, verb: GuidedVerb): string {
  return encodePress({ kind: 'guided', form: id, field, verb });
}
