import type { Question } from '../contracts/agent.ts';
import { storableText } from '../store/storable.ts';

/** Longest answer in own words, in characters. */
const longest = 4000;

export type CheckedAnswers = { ok: true; answers: Record<string, string[]> } | { ok: false; problem: string };

/**
 * Answers to the questions of an agent: for each question the labels that were chosen, or own words where these are possible. Every
 * question wants an answer, only one where one is to be chosen, and nothing else is let through.
 */
export function checkAnswers(questions: readonly Question[], given: Readonly<Record<string, readonly string[]>>): CheckedAnswers {
  const answers: [string, string[]][] = [];
  for (const { id, text, options, multiple, free } of questions) {
    const said = [...new Set((given[id] ?? []).map((answer) => storableText(answer.trim())).filter((answer) => answer !== ''))];
    const problem = (what: string): CheckedAnswers => ({ ok: false, problem: `“${text}”: ${what}` });
    if (said.length === 0) return problem('an answer is missing.');
    const own = said.filter((answer) => !options.some(({ label }) => label === answer));
    if (own.length > 0 && !free) return problem('one of the choices is needed.');
    if (own.length > 1) return problem('one answer in own words is enough.');
    if (said.length > 1 && !multiple) return problem('only one answer is possible.');
    if (own.some((answer) => answer.length > longest)) return problem(`the answer is longer than ${longest} characters.`);
    answers.push([id, said]);
  }
  const extra = Object.keys(given).find((id) => !questions.some((question) => question.id === id));
  if (extra !== undefined) return { ok: false, problem: 'An answer belongs to no question.' };
  return { ok: true, answers: Object.fromEntries(answers) };
}
