import { ends, reasonGiven } from '../../tests/support/chaos-ends.ts';
import type { DatabaseFacts, RunFacts, TaskFacts } from '../../tests/support/chaos-facts.ts';
import { asks } from '../../tests/support/chaos-plan.ts';
import type { Request } from './people.ts';
import type { Shown } from './transcript.ts';

/** Something that must not be. */
export interface Finding {
  what: 'lost' | 'doubled' | 'wrong';
  about: string;
}

/** What a request has come to, in the three places that must agree. */
export interface Evidence {
  request: Request;
  /** Tasks with its marker in the command. */
  tasks: readonly TaskFacts[];
  /** Its cards on the platform. */
  cards: readonly Pick<Shown, 'text' | 'buttons'>[];
  /** How often its command has left its mark outside; undefined where a command cannot. */
  effects: number | undefined;
  /** A disk that its runs need was full while they went on: they may have failed for want of it, but not silently, and not twice. */
  diskWasFull: boolean;
}

/** One request: one task when it was heard, each run once, each with its cards, one of them its end. */
export function findingsOf({ request, tasks, cards, effects, diskWasFull }: Evidence): Finding[] {
  const { kind, marker, accepted } = request;
  const found: Finding[] = [];
  const say = (what: Finding['what'], about: string) => void found.push({ what, about: `${marker} (${kind}): ${about}` });
  const counted = (name: string, is: number, least: number, most = least) => {
    if (is < least) say('lost', `${is} of ${least} ${name}`);
    if (is > most) say('doubled', `${is} instead of ${most} ${name}`);
  };
  counted('tasks', tasks.length, accepted ? 1 : 0, 1);
  const [task] = tasks;
  if (task === undefined) {
    counted('cards', cards.length, 0);
    return found;
  }
  const { runs } = task;
  counted('runs', runs.length, request.retries && request.heard ? 2 : 1, 1 + request.retried);
  // An effect on a full disk may be missing although its run came to its own end.
  const mayLack = diskWasFull ? runs.length : 0;
  const isFailed = diskWasFull && runs.some(isForRoom);
  for (const run of runs) for (const problem of problemsOf(run, ends[kind], diskWasFull)) say('wrong', `${run.id}: ${problem}`);
  if (!isFailed && task.column !== ends[kind].column) say('wrong', `its task is in ${task.column}`);
  const mostEffects = kind === 'denied' ? 0 : runs.length;
  if (effects !== undefined) counted('effects', effects, Math.max(0, mostEffects - mayLack), mostEffects);
  if (isFailed) return [...found, ...findingsOfFailed(request, cards, runs.length)];

  counted('decisions asked for', task.interactions.length, asks(kind) ? 1 : 0);
  for (const { state, reason, consumed, decided } of task.interactions) {
    counted('decisions', decided, 1);
    const right =
      kind === 'denied' ? state === 'denied' && reason === reasonGiven && !consumed : state === 'approved' && consumed;
    if (!right) say('wrong', `its decision is ${state}, ${consumed ? '' : 'not '}used, for the reason ${reason}`);
  }

  const decisions = cards.filter(({ text }) => /wante?d?s? to run a command|no longer waits for a decision/.test(text));
  counted('cards of decisions', decisions.length, asks(kind) ? 1 : 0);
  const others = cards.filter((card) => !decisions.includes(card));
  const tellsEnd = others.filter(({ text }) => ends[kind].end.test(text));
  counted('live cards and end cards', others.length, 2 * runs.length);
  if (tellsEnd.length < runs.length) say('lost', `${tellsEnd.length} of ${runs.length} end cards`);
  for (const { text } of others)
    if (!/(✔ done|✖ failed|○ cancelled)/.test(text)) say('wrong', `a card still says: ${text.slice(0, 160)}`);
  for (const { text, buttons } of decisions)
    if (buttons.length > 0) say('wrong', `a decision is still asked for: ${text.slice(0, 160)}`);
  return found;
}

/** What failed for want of room says so once for each run, and shows nothing that goes on or waits. */
function findingsOfFailed({ kind, marker }: Request, cards: Evidence['cards'], runs: number): Finding[] {
  const about = (text: string) => `${marker} (${kind}), whose disk was full: ${text}`;
  const ended = cards.filter(({ text }) => /(✔ done|✖ \w+|○ cancelled)/.test(text));
  const open = cards.filter(({ text, buttons }) => buttons.includes('Stop') || buttons.includes('Approve') || /▸/.test(text));
  return [
    ...(ended.length < runs ? [{ what: 'lost' as const, about: about(`${ended.length} cards of ${runs} ends`) }] : []),
    ...(ended.length > 2 * runs ? [{ what: 'doubled' as const, about: about(`${ended.length} cards of ${runs} ends`) }] : []),
    ...open.map(({ text }) => ({ what: 'wrong' as const, about: about(`a card still says: ${text.slice(0, 160)}`) })),
  ];
}

/** It says that there was no room. */
function isForRoom({ state, result }: RunFacts): boolean {
  return state === 'failed' && /no space|disk|room|full/i.test(result?.message ?? '');
}

/** A run comes to its own end, never to that of a kill; its output and its events are whole. */
function problemsOf(run: RunFacts, right: { state: string; stdout: string }, diskWasFull: boolean): string[] {
  const { gapless, terminals, numbered, projected, state, stdout, log, result } = run;
  const mayDiffer = diskWasFull && (state === right.state || isForRoom(run));
  return [
    ...(state === right.state || mayDiffer ? [] : [`it is ${state} instead of ${right.state}: ${result?.message}`]),
    ...(stdout === right.stdout || (mayDiffer && right.stdout.startsWith(stdout))
      ? []
      : [`its output is ${JSON.stringify(stdout.slice(0, 120))}`]),
    ...(mayDiffer || log === (right.stdout === '' ? undefined : right.stdout)
      ? []
      : [`its stored output is ${JSON.stringify(log?.slice(0, 120))}`]),
    ...(gapless ? [] : ['its output has gaps or overlaps']),
    ...(numbered ? [] : ['its events are not numbered in a row']),
    ...(projected ? [] : ['not all of its events were told']),
    ...(terminals === 1 ? [] : [`it has ${terminals} ends`]),
  ];
}

/** What the database says about all of them together. */
export function findingsOfAll(facts: DatabaseFacts, markers: readonly string[]): Finding[] {
  const found: Finding[] = [];
  for (const [state, rows] of Object.entries(facts.inbox)) {
    if (state !== 'done') found.push({ what: 'lost', about: `${rows} inbound events are ${state}` });
  }
  for (const [row, rows] of Object.entries(facts.outbox)) {
    const mustBeSent = /^(message|direct|reaction|home) /.test(row) && !row.endsWith(' sent');
    // What opens a form is good for seconds only: the person is told to press again.
    if (mustBeSent || (/ (pending|failed)$/.test(row) && row !== 'form failed')) {
      found.push({ what: 'lost', about: `${rows} outbound rows are: ${row}` });
    }
  }
  for (const { number, command } of facts.tasks) {
    if (!markers.some((marker) => command.includes(marker)))
      found.push({ what: 'doubled', about: `nobody asked for task #${number}` });
  }
  return found;
}
