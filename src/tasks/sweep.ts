import { escalateInteraction } from '../approvals/escalate.ts';
import { expireInteraction } from '../approvals/expire.ts';
import type { RunResult } from '../contracts/run-event.ts';
import { type RunState, runStateSchema } from '../contracts/states.ts';
import { quietEnded, tellAfterQuiet } from '../delivery/after-quiet.ts';
import { expireGuidedForm } from '../delivery/guided-form.ts';
import { duration } from '../delivery/units.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Database, Tx } from '../store/database.ts';
import { overdueGuidedForms } from '../store/guided-forms.ts';
import { heldRuns, noteQuiet, quietRuns, runsToRepublish } from '../store/held-runs.ts';
import {
  type InteractionRecord,
  interactionById,
  interactionsToEscalate,
  interactionsToRemind,
  noteReminder,
  overdueInteractions,
} from '../store/interactions.ts';
import { strandedOrders } from '../store/prune-orders.ts';
import { strandedPublications } from '../store/publications.ts';
import { interactionsAboutQuotas, workToCount } from '../store/quota-work.ts';
import { appendEvents } from '../store/run-events.ts';
import { forgetRunners, isAlive, type RunnerRecord } from '../store/runners.ts';
import { isHeld, runById } from '../store/runs.ts';
import { lockTask, type TaskRecord } from '../store/tasks.ts';
import { system } from './advance.ts';
import { goOnWithRoom } from './agent-quota.ts';
import type { Dispatcher } from './dispatcher.ts';
import { endRun } from './end-run.ts';
import type { EngineSettings } from './engine-settings.ts';
import { giveUpOrder } from './prune-order.ts';
import { giveUpPublication } from './publish-control.ts';
import { countWorkOf } from './quota-work.ts';

export interface SweepDeps {
  database: Database;
  clock: Clock;
  logger: Logger;
  dispatcher: Dispatcher;
  settings: EngineSettings;
  /** When this process began to look: a host that was not seen before that may just not have been looked for. */
  since: Date;
}

const batch = 100;

/**
 * Does what time does. Every single thing is one guarded transaction, so several processes may sweep at once and each thing happens
 * once. What fails is logged and tried again by the next sweep; the rest goes on.
 */
export async function sweep(deps: SweepDeps): Promise<void> {
  const { database, clock, dispatcher, settings } = deps;
  const now = clock.now();
  await step(deps, 'expire', async () => {
    const ids = await overdueInteractions(database.db, now, batch);
    await each(deps, ids, (id) => withHeld(deps, id, (tx, task, one) => expireInteraction(tx, task, one, now)));
    return ids.length > 0;
  });
  await step(deps, 'remind', async () => {
    const ids = await interactionsToRemind(database.db, now, batch);
    await each(deps, ids, (id) => remind(deps, id, now));
  });
  await step(deps, 'escalate', async () => {
    const ids = await interactionsToEscalate(database.db, now, batch);
    await each(deps, ids, (id) => withHeld(deps, id, (tx, task, one) => escalateInteraction(tx, task, one, now)));
  });
  await step(deps, 'expire forms', async () => {
    const forms = await overdueGuidedForms(database, now, batch);
    await each(deps, forms, (form) => database.transaction((tx) => expireGuidedForm(tx, form, now)));
  });
  await step(deps, 'tell after quiet hours', async () => {
    const people = await quietEnded(database, now);
    await each(deps, people, (person) => database.transaction((tx) => tellAfterQuiet(tx, person, now)));
  });
  await step(deps, 'give up lost runs', async () => {
    const runs = (await heldRuns(database.db)).filter((run) => isLost(deps, run, now));
    await each(deps, runs, (run) => interrupt(deps, run, now));
  });
  await step(deps, 'note quiet runs', async () => {
    const runs = await quietRuns(database.db, new Date(now.getTime() - settings.quietAfterMs));
    await each(deps, runs, (run) => tellQuiet(deps, run, now));
  });
  await step(deps, 'give up publications', async () => {
    const before = new Date(now.getTime() - settings.strandedMs);
    const ids = now.getTime() - deps.since.getTime() < settings.strandedMs ? [] : await strandedPublications(database.db, before);
    await each(deps, ids, (id) => database.transaction((tx) => giveUpPublication(tx, id, settings.strandedMs, now)));
  });
  await step(deps, 'give up orders', async () => {
    const before = new Date(now.getTime() - settings.lostAfterMs);
    // A runner may be about to come back with this process.
    const ids = deps.since > before ? [] : await strandedOrders(database.db, before);
    await each(deps, ids, (id) => database.transaction((tx) => giveUpOrder(tx, id, before, now)));
  });
  await step(deps, 'count work', async () => {
    const ids = await workToCount(database.db, now);
    await each(deps, ids, (id) => database.transaction((tx) => countWorkOf(tx, id, now)));
  });
  await step(deps, 'go on with quotas', async () => {
    const ids = await interactionsAboutQuotas(database.db, batch);
    await each(deps, ids, (id) =>
      withHeld(deps, id, async (tx, task, interaction) => {
        const run = await runById(tx, interaction.run);
        if (run !== undefined) await goOnWithRoom(tx, task, run, now);
      }),
    );
  });
  await step(deps, 'forget runners', () =>
    database.transaction((tx) => forgetRunners(tx, new Date(now.getTime() - settings.forgetRunnerMs))),
  );
  await dispatcher.dispatch();
  await step(deps, 'publish again', async () => {
    const queued = new Date(now.getTime() - settings.republishQueuedMs);
    const held = new Date(now.getTime() - settings.republishHeldMs);
    const runs = await runsToRepublish(database.db, { queued, held }, now);
    for (const placed of runs) await dispatcher.publish(placed);
  });
}

async function step(deps: SweepDeps, name: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    deps.logger.error({ err: error, step: name }, 'sweep failed');
  }
}

async function each<T>(deps: SweepDeps, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (const item of items) {
    try {
      await work(item);
    } catch (error) {
      deps.logger.error({ err: error, item }, 'sweep failed for one');
    }
  }
}

/** Does something about a request with its task held: it is read again under the lock, as it may have been settled meanwhile. */
async function withHeld(
  { database }: SweepDeps,
  id: string,
  work: (tx: Tx, task: TaskRecord, interaction: InteractionRecord) => Promise<unknown>,
): Promise<void> {
  await database.transaction(async (tx) => {
    const found = await interactionById(tx, id);
    const task = found === undefined ? undefined : await lockTask(tx, found.task);
    const interaction = await interactionById(tx, id);
    if (task !== undefined && interaction !== undefined) await work(tx, task, interaction);
  });
}

async function remind({ database }: SweepDeps, id: string, now: Date): Promise<void> {
  await database.transaction(async (tx) => {
    const interaction = await interactionById(tx, id);
    if (interaction === undefined || !(await noteReminder(tx, id, now))) return;
    const events = [{ type: 'interaction_reminded', interaction: id }] as const;
    await appendEvents(tx, { run: interaction.run, actor: system('watchdog'), at: now, events });
  });
}

interface HeldRun {
  id: string;
  task: string;
  runner: string | null;
  hostRunners: RunnerRecord[];
}

/** Its runner is dead, and no runner of its host has taken it over within the grace period. */
function isLost({ settings, since }: SweepDeps, run: HeldRun, now: Date): boolean {
  const holder = run.hostRunners.find(({ id }) => id === run.runner);
  if (holder !== undefined && isAlive(holder, now)) return false;
  // A runner that has just started is about to take its host's runs over; a host that is away was last seen at its last beat.
  const seen = run.hostRunners.map((runner) => (isAlive(runner, now) ? runner.startedAt : runner.beatAt).getTime());
  return now.getTime() - Math.max(since.getTime(), ...seen) > settings.lostAfterMs;
}

async function interrupt(deps: SweepDeps, { id, task: taskId, runner }: HeldRun, now: Date): Promise<void> {
  await deps.database.transaction(async (tx) => {
    const task = await lockTask(tx, taskId);
    const run = await runById(tx, id);
    // Somebody may have taken it over since.
    if (task === undefined || run === undefined || run.runner !== runner) return;
    if (!isHeld(run)) return;
    const message =
      run.startedAt === null
        ? `The runner went away before the ${run.agent === null ? 'command' : 'agent'} started. Nothing has run.`
        : `The runner went away while the ${run.agent === null ? 'command ran' : 'agent worked'}. How far it came is not known.`;
    const durationMs = run.startedAt === null ? 0 : Math.max(0, now.getTime() - run.startedAt.getTime());
    const result: RunResult = { outcome: 'interrupted', cause: 'runner_lost', message, durationMs, files: [], artifacts: [] };
    await endRun(tx, { task, run, result, actor: system('watchdog'), at: now });
  });
}

async function tellQuiet(
  deps: SweepDeps,
  run: { id: string; state: string; agent: boolean; lastEventAt: Date },
  now: Date,
): Promise<void> {
  await deps.database.transaction(async (tx) => {
    if (!(await noteQuiet(tx, run.id, run.lastEventAt, now))) return;
    const text = quietText(runStateSchema.parse(run.state), run.agent, duration(now.getTime() - run.lastEventAt.getTime()));
    const events = [{ type: 'note', level: 'warning', text }] as const;
    await appendEvents(tx, { run: run.id, actor: system('watchdog'), at: now, events });
  });
}

function quietText(state: RunState, agent: boolean, since: string): string {
  if (state === 'queued') return `It has waited in the queue for ${since}.`;
  if (agent && (state === 'executing' || state === 'planning')) {
    return `The agent has done nothing for ${since}; it is still at work.`;
  }
  if (state === 'executing') return `The command has written nothing for ${since}; it is still running.`;
  return `Nothing has happened for ${since}; the run is still ${state}.`;
}
