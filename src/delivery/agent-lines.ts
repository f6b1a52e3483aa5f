import { code, plain, type Span } from '../contracts/view.ts';
import type { Act, SubAgent, ToolAct } from './agent-acts.ts';
import type { AgentView } from './agent-view.ts';
import { joined } from './card-context.ts';
import { moment } from './moments.ts';
import { oneLine, shorten } from './neutralise.ts';
import { digits, duration } from './units.ts';

const titleLength = 160;
const summaryLength = 120;
const saysLength = 120;
const deepest = 4;
/** Calls under way that are named one by one. */
const namedCalls = 3;

/**
 * What the agent does now, else what it did last, each call with what its sub-agents do below it: `now: Bash: npm test, begun 12:04`.
 * Nothing before its first call.
 */
export function nowLines({ acts }: Pick<AgentView, 'acts'>): Span[][] {
  const top = acts.filter((act) => act.type === 'tool' && act.parent === undefined);
  const open = top.filter(({ until }) => until === undefined);
  const last = acts.findLast(({ parent }) => parent === undefined);
  if (open.length === 0 && last?.type === 'thought' && last.until === undefined) {
    return [[plain('now: thinking, begun '), moment(last.since)]];
  }
  const shown = open.length === 0 ? top.slice(-1) : open.slice(-namedCalls);
  const lines = shown.flatMap((act) => (act.type === 'tool' ? [callSpans(act), ...below(acts, act, 1)] : []));
  const more = open.length - shown.length;
  if (more > 0) lines.push([plain(`and ${digits(more)} more at the same time`)]);
  return lines;
}

function callSpans(act: ToolAct): Span[] {
  const title = code(shorten(oneLine(act.title), titleLength));
  if (act.until === undefined) return [plain('now: '), title, plain(', begun '), moment(act.since)];
  const failed = act.ok === false;
  const why = failed && act.summary !== undefined ? `: ${shorten(oneLine(act.summary), summaryLength)}` : '';
  return [plain(`last: ${failed ? '✖ ' : ''}`), title, plain(` (${took(act)})${why}`)];
}

/** The newest thing each sub-agent does, below the call that began it. */
function below(acts: readonly Act[], { id }: ToolAct, depth: number): Span[][] {
  const newest = acts.findLast((act): act is ToolAct => act.type === 'tool' && act.parent === id);
  if (newest === undefined || depth > deepest) return [];
  const line = joined([[plain(`${'  '.repeat(depth)}↳ `), code(shorten(oneLine(newest.title), titleLength))]]);
  const time = newest.until === undefined ? [] : [plain(` (${took(newest)})`)];
  return [[...line, ...time], ...below(acts, newest, depth + 1)];
}

/** Every call on a line of its own, sub-agents indented below theirs, thinking as one line; the newest `max` lines. */
export function actLines(view: Pick<AgentView, 'acts' | 'calls' | 'subAgents'>, max: number): string[] {
  const { acts, calls, subAgents } = view;
  const lines = tree(acts, undefined, 0, subAgents);
  const shown = lines.slice(-max);
  const before = calls.all - shown.filter(({ call }) => call).length;
  const texts = shown.map(({ text }) => text);
  return before > 0 && texts.length > 0 ? [`${digits(before)} calls before`, ...texts] : texts;
}

interface Line {
  text: string;
  call: boolean;
}

function tree(acts: readonly Act[], parent: string | undefined, depth: number, subAgents: ReadonlyMap<string, SubAgent>): Line[] {
  const indent = '  '.repeat(Math.min(depth, deepest));
  return acts.flatMap((act): Line[] => {
    if (act.parent !== parent) return [];
    if (act.type === 'thought') {
      const text = act.until === undefined ? '▸ thinking' : `– thought for ${took(act)}`;
      return [{ text: `${indent}${text}`, call: false }];
    }
    const says = subAgents.get(act.id)?.text.trim();
    return [
      { text: `${indent}${callLine(act)}`, call: true },
      ...(depth > 50 ? [] : tree(acts, act.id, depth + 1, subAgents)),
      ...(says === undefined || says === ''
        ? []
        : [{ text: `${indent}  “${lastWords(oneLine(says), saysLength)}”`, call: false }]),
    ];
  });
}

function callLine(act: ToolAct): string {
  const title = shorten(oneLine(act.title), titleLength);
  if (act.until === undefined) return `▸ ${title}`;
  const summary = act.summary === undefined ? '' : shorten(oneLine(act.summary), summaryLength);
  const mark = act.ok === undefined ? '–' : act.ok ? '✔' : '✖';
  return `${mark} ${title} (${took(act)})${act.ok === false && summary !== '' ? `: ${summary}` : ''}`;
}

function took({ since, until }: Act): string {
  return duration(Math.max(0, (until ?? since).getTime() - since.getTime()));
}

/** The end of a text, from the beginning of a word. */
function lastWords(text: string, max: number): string {
  if (text.length <= max) return text;
  const end = text.slice(-max);
  return `…${end.slice(end.indexOf(' ') + 1)}`.toWellFormed();
}

/** Fences of code and rows of tables: there is no room for what they are for. */
const stripped = /^[^\S\n]*(?:(?:`{3,}|~{3,})[^\n]*|\|.*)$/gm;

/** The newest sentences of a text that grows, at most `max` characters of them. Tables are left out. */
export function newestSentences(text: string, max: number): string {
  const whole = text
    .replace(stripped, '')
    .replace(/\n{2,}/g, '\n')
    .trim();
  if (whole.length <= max) return whole;
  const end = whole.slice(-max);
  const sentence = /[.!?:]\s+|\n/.exec(end);
  const from = sentence === null || sentence.index > max * 0.7 ? end.search(/\s/) + 1 : sentence.index + sentence[0].length;
  return `… ${end.slice(from)}`.toWellFormed();
}
