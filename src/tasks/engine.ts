import { authorise } from '../approvals/authorise.ts';
import { decide } from '../approvals/decide.ts';
import { approvalDetails } from '../approvals/details.ts';
import type { NoPullsAt } from '../changes/why-no-pulls.ts';
import type { JobQueue } from '../contracts/jobs.ts';
import type { RunControl } from '../contracts/run-control.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { recordAudit } from '../store/audit.ts';
import type { Database, Tx } from '../store/database.ts';
import { liveRunsOfHost, overlookedRuns, unfinishedRuns } from '../store/held-runs.ts';
import { leavePlaces } from '../store/places.ts';
import { recordSync, sourceOf } from '../store/project-sync.ts';
import { endRule } from '../store/rules.ts';
import { appendHeld } from '../store/run-events.ts';
import { beatRunner, drainRunner, putAgentOffers, putRunner, retireRunner } from '../store/runners.ts';
import type { Wakeups } from '../store/wakeups.ts';
import { system } from './advance.ts';
import { createAgentControl } from './agent-control.ts';
import { changeMessage, steer } from './agent-messages.ts';
import { changeBudget, changeSettings } from './agent-settings.ts';
import { askErrand } from './ask-errand.ts';
import { settleFile } from './attached-files.ts';
import { moveTask, retryTask, stopTask } from './change-task.ts';
import { choose } from './choose.ts';
import { createAgentTask, followUp, forkTask } from './create-agent-task.ts';
import { createCommandTask } from './create-task.ts';
import { discard } from './discard.ts';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';
import { attachMore, dropContext } from './drop-context.ts';
import { defaultEngineSettings, type EngineSettings } from './engine-settings.ts';
import { publish } from './publish.ts';
import { createPublishControl } from './publish-control.ts';
import { rebase } from './rebase.ts';
import { revert } from './revert.ts';
import { claimRun } from './run-claim.ts';
import { finishRun, markExecuting, markFinishing, pinBase } from './run-progress.ts';
import { sweep } from './sweep.ts';
import type { Engine, TaskEngine } from './task-engine.ts';
import { createRunWatch } from './watch-runs.ts';

export interface EngineDeps {
  database: Database;
  queue: JobQueue;
  wakeups: Pick<Wakeups, 'subscribe'>;
  clock: Clock;
  logger: Logger;
  settings?: Partial<EngineSettings> | undefined;
  /** Why no pull request can be opened for the repository at an address. Left out, or undefined: that is found out when one is. */
  noPullsAt?: NoPullsAt | undefined;
}

/** The engine over one database. Nothing runs by itself: call `sweep` on a timer. */
export function createEngine(deps: EngineDeps): Engine {
  const settings = { ...defaultEngineSettings, ...deps.settings };
  const dispatcher = createDispatcher(deps);
  const since = deps.clock.now();
  return {
    tasks: taskEngine(deps, dispatcher),
    runs: runControl(deps, dispatcher, settings),
    agents: createAgentControl({ ...deps, dispatcher, everyMs: settings.watchMs }),
    publishing: createPublishControl(deps),
    sweep: () => sweep({ ...deps, dispatcher, settings, since }),
  };
}

function taskEngine({ clock, noPullsAt }: EngineDeps, dispatcher: Dispatcher): TaskEngine {
  /** Places may have been freed or asked for: they are given after the commit. */
  async function dispatching<T>(tx: Tx, work: Promise<T>): Promise<T> {
    const result = await work;
    tx.afterCommit(() => dispatcher.dispatch());
    return result;
  }
  return {
    createCommandTask: (tx, input) => dispatching(tx, createCommandTask(tx, input, clock.now())),
    stop: (tx, task, by) => dispatching(tx, stopTask(tx, task, by, clock.now())),
    retry: (tx, task, by, change) => dispatching(tx, retryTask(tx, task, by, clock.now(), change)),
    move: (tx, task, column, by) => dispatching(tx, moveTask(tx, task, column, by, clock.now())),
    decide: (tx, input) => dispatching(tx, decide(tx, input, clock.now())),
    createAgentTask: (tx, input) => dispatching(tx, createAgentTask(tx, input, clock.now())),
    followUp: (tx, input) => dispatching(tx, followUp(tx, input, clock.now())),
    steer: (tx, input) => steer(tx, input, clock.now()),
    changeMessage: (tx, input) => changeMessage(tx, input, clock.now()),
    changeSettings: (tx, task, change, by) => changeSettings(tx, task, change, by, clock.now()),
    fork: (tx, input) => dispatching(tx, forkTask(tx, input, clock.now())),
    setBudget: (tx, task, budgetUsd, by, on) => dispatching(tx, changeBudget(tx, task, budgetUsd, by, on, clock.now())),
    settleFile: (tx, file, outcome) => dispatching(tx, settleFile(tx, file, outcome, clock.now())),
    attachMore: (tx, task, files, origin) => dispatching(tx, attachMore(tx, task, files, origin, clock.now())),
    dropContext: (tx, task, by) => dispatching(tx, dropContext(tx, task, by, clock.now())),
    publish: (tx, input) => publish(tx, { ...input, noPullsAt }, clock.now()),
    pullErrand: (tx, input) => askErrand(tx, input, clock.now()),
    rebase: (tx, input) => dispatching(tx, rebase(tx, input, clock.now())),
    revert: (tx, input) => dispatching(tx, revert(tx, input, clock.now())),
    discard: (tx, run, by) => discard(tx, run, by, clock.now()),
    choose: (tx, run, by) => choose(tx, run, by, clock.now()),
    details: (tx, workspace, secret) => approvalDetails(tx, workspace, secret),
    async revokeRule(tx, rule, by) {
      const ended = await endRule(tx, by.workspace, rule, by.user, clock.now());
      if (ended === undefined) return false;
      await recordAudit(tx, {
        workspace: by.workspace,
        actor: by.user,
        action: 'rule.revoked',
        subject: rule,
        data: ended,
      });
      return true;
    },
  };
}

function runControl(
  { database, wakeups, clock, logger }: EngineDeps,
  dispatcher: Dispatcher,
  settings: EngineSettings,
): RunControl {
  const watch = createRunWatch({ database, wakeups, logger, everyMs: settings.watchMs });
  /** One transaction; then places that became free are given. */
  async function dispatching<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return database.transaction(async (tx) => {
      const result = await work(tx);
      tx.afterCommit(() => dispatcher.dispatch());
      return result;
    });
  }
  return {
    register: ({ id, host, capacity, sandboxes, offer, labels = [], store = '' }) =>
      dispatching(async (tx) => {
        await putRunner(tx, { id, host, capacity, sandboxes, offer, labels, store }, clock.now());
        return unfinishedRuns(tx, host, id);
      }),
    offerAgents: (runner, agents) => database.transaction((tx) => putAgentOffers(tx, runner, agents)),
    async beat(runner) {
      if (!(await beatRunner(database.db, runner, clock.now()))) logger.warn({ runner }, 'beat of a runner that was replaced');
    },
    drain: (runner) =>
      dispatching(async (tx) => {
        const host = await drainRunner(tx, runner, clock.now());
        if (host !== undefined) await leavePlaces(tx, host);
      }),
    unregister: (runner) =>
      dispatching(async (tx) => {
        const host = await retireRunner(tx, runner, clock.now());
        if (host !== undefined) await leavePlaces(tx, host);
      }),
    overlooked: (runner) => overlookedRuns(database.db, runner, new Date(clock.now().getTime() - settings.overlookedMs)),
    claim: (run, runner) => database.transaction((tx) => claimRun(tx, run, runner, clock.now())),
    append(run, runner, events, cursor) {
      for (const { type } of events) {
        if (type !== 'stage' && type !== 'output' && type !== 'note') throw new Error(`a runner does not append ${type} events`);
      }
      return appendHeld(database, { run, actor: system('runner'), events, at: clock.now() }, runner, cursor);
    },
    pinBase: (run, runner, base) => database.transaction((tx) => pinBase(tx, run, runner, base, clock.now())),
    authorise: (run, runner, action) =>
      database.transaction(async (tx) => {
        const answer = await authorise(tx, run, runner, action, clock.now());
        // One that may run keeps its place, and its command does not wait for what others get.
        if (answer.verdict !== 'run') tx.afterCommit(() => dispatcher.dispatch());
        return answer;
      }),
    executing: (run, runner, sandbox) => database.transaction((tx) => markExecuting(tx, run, runner, sandbox, clock.now())),
    finishing: (run, runner) => database.transaction((tx) => markFinishing(tx, run, runner, clock.now())),
    finish: (run, runner, result) => dispatching((tx) => finishRun(tx, run, runner, result, clock.now())),
    watch,
    projectSynced: (project, found) => recordSync(database.db, project, found, clock.now()),
    async projectSource(project) {
      const source = await sourceOf(database.db, project);
      return source === undefined || source.removed ? null : { ...source.project, access: source.access };
    },
    liveRuns: (host) => liveRunsOfHost(database.db, host),
  };
}
