import { type Decider, deciderNow, mayDecideOn } from '../approvals/approvers.ts';
import { isToldDirectly } from '../budgets/tell-warned.ts';
import { standingText } from '../budgets/words.ts';
import type { Notify } from '../contracts/notify.ts';
import { priorities } from '../contracts/outbox.ts';
import { encodePress } from '../contracts/press.ts';
import type { Standing } from '../contracts/quotas.ts';
import { bold, code, plain, type Span, type View } from '../contracts/view.ts';
import type { Database, Tx } from '../store/database.ts';
import { type InteractionRow, pendingInteractions } from '../store/decision-queries.ts';
import { idsOf } from '../store/linked-people.ts';
import { endedBetween, noteQuietTold, type QuietPerson, quietPeople } from '../store/notify.ts';
import { putOutbox } from '../store/outbox.ts';
import { personById } from '../store/people.ts';
import { subjectNames } from '../store/quota-facts.ts';
import { warnedBetween } from '../store/quotas.ts';
import { everywhere } from '../store/task-sight.ts';
import { accountToWrite, directPut } from './direct-put.ts';
import { listView } from './list-view.ts';
import { oneLine, shorten } from './neutralise.ts';
import { lastQuiet } from './quiet-hours.ts';
import { duration } from './units.ts';

const mostLines = 20;
const titleLength = 60;

/** People whose quiet hours have ended and who have not been told yet what these held back. */
export async function quietEnded(database: Database, now: Date): Promise<QuietPerson[]> {
  const people = await quietPeople(database.db);
  return people.filter(({ notify, toldAt }) => {
    const end = notify.quiet === undefined ? undefined : lastQuiet(notify.quiet, now).end;
    return end !== undefined && (toldAt === undefined || toldAt < end);
  });
}

/**
 * Tells a person in one direct message what waits for them since their quiet hours, and what ended in them. Once for each quiet hours,
 * whoever calls it how often; nothing is said when there is nothing.
 */
export async function tellAfterQuiet(tx: Tx, { user, workspace, notify }: QuietPerson, now: Date): Promise<void> {
  if (notify.quiet === undefined) return;
  const span = lastQuiet(notify.quiet, now);
  if (!(await noteQuietTold(tx, user, span.end))) return;
  const person = await personById(tx, workspace, user);
  if (person === undefined) return;
  const waiting = await waitingSince(tx, workspace, user, span, now);
  const ended = notify.by === 'default' ? [] : await endedBetween(tx, idsOf(person), span, mostLines);
  const quotas = await warnedOf(tx, workspace, user, span);
  if (waiting.length === 0 && ended.length === 0 && quotas.length === 0) return;
  const account = await accountToWrite(tx, workspace, user);
  if (account === undefined) return;
  const view = afterQuietView({ waiting, ended, quotas }, notify, now);
  const key = `quiet:${user}:${span.end.toISOString()}`;
  await putOutbox(tx, directPut(account, { workspace, key, view, priority: priorities.decision }));
}

/** Requests that came, or were reminded of, in the quiet hours, still wait, and may be decided by this person. */
async function waitingSince(
  tx: Tx,
  workspace: string,
  user: string,
  span: { start: Date; end: Date },
  now: Date,
): Promise<InteractionRow[]> {
  const inSpan = (at: Date | undefined) => at !== undefined && at >= span.start && at < span.end;
  const found: InteractionRow[] = [];
  const deciders = new Map<string, Decider | undefined>();
  for (const one of await pendingInteractions(tx, workspace, { projects: undefined, sight: everywhere }, now)) {
    if (!inSpan(one.openedAt) && !inSpan(one.remindedAt)) continue;
    const project = one.task.project.id;
    if (!deciders.has(project)) deciders.set(project, await deciderNow(tx, workspace, project, user));
    const decider = deciders.get(project);
    if (decider !== undefined && (await mayDecideOn(tx, { ...one, workspace, project, task: one.task.id }, decider)))
      found.push(one);
  }
  return found;
}

/** Quotas that this person would have been told of directly: most of them was used in the span. */
async function warnedOf(tx: Tx, workspace: string, user: string, span: { start: Date; end: Date }): Promise<string[]> {
  const told: Standing[] = [];
  for (const standing of await warnedBetween(tx.db, workspace, span)) {
    if (await isToldDirectly(tx, standing.quota, user)) told.push(standing);
  }
  const names = await subjectNames(
    tx.db,
    told.map(({ quota }) => quota),
  );
  return told.map((standing) => standingText(standing, names));
}

/** What quiet hours have held back. */
interface Held {
  waiting: readonly InteractionRow[];
  ended: readonly { number: number; title: string; state: string }[];
  quotas: readonly string[];
}

function afterQuietView({ waiting, ended, quotas }: Held, { quiet }: Notify, now: Date): View {
  const line = (number: number, title: string, rest: string): Span[] => [
    bold(`#${number}`),
    plain(' '),
    code(shorten(oneLine(title), titleLength) || '(empty)'),
    plain(` · ${rest}`),
  ];
  const entries = [
    ...waiting.map(({ task, expiresAt }) =>
      line(
        task.number,
        task.command,
        `${oneLine(task.project.name)} · waits for your decision${expiresAt === null ? '' : `, without one it counts as no in ${duration(expiresAt.getTime() - now.getTime())}`}`,
      ),
    ),
    ...ended.map(({ number, title, state }) => line(number, title, state === 'timed_out' ? 'timed out' : state)),
    ...quotas.map((text): Span[] => [bold('quota'), plain(` ${text}`)]),
  ];
  const shown = entries.slice(0, mostLines);
  const more = entries.length - shown.length;
  const button = (label: string, text: string) => ({
    token: encodePress({ kind: 'command', text }),
    label,
    style: 'default' as const,
  });
  return listView({
    title: `While it was quiet${quiet === undefined ? '' : ` (${quiet.from} to ${quiet.to})`}`,
    entries: more > 0 ? [...shown, [plain(`and ${more} more`)]] : shown,
    empty: 'Nothing.',
    buttons: [
      ...(waiting.length === 0 ? [] : [button('Decide', 'pending project=all')]),
      ...(quotas.length === 0 ? [] : [button('Quotas', 'quota')]),
      ...(ended.length === 0 ? [] : [button('My tasks', 'tasks mine project=all')]),
    ],
  });
}
