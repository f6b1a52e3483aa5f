import type { AgentKind, AgentOffer, Ask } from '../../src/contracts/agent.ts';
import type { AgentStep } from '../../src/contracts/agent-control.ts';
import type { RunEventData } from '../../src/contracts/run-event.ts';
import { type Desk, offerSandbox } from './desk.ts';

/** What a runner says about an agent that can do everything. */
export function offer(agent: AgentKind, change: Partial<AgentOffer> = {}): AgentOffer {
  return {
    agent,
    available: true,
    why: null,
    remedy: null,
    version: agent === 'claude' ? null : '1.2.3',
    account: 'ANTHROPIC_API_KEY at models.example',
    modes: ['auto', 'ask', 'acceptEdits', 'plan', 'bypass'],
    efforts: ['low', 'medium', 'high', 'max'],
    changes: { mode: true, model: true, effort: true },
    steering: { next: true, now: true },
    ...change,
  };
}

/** A runner with these agents, of which nothing is run. */
export async function offerAgents(desk: Desk, ...agents: AgentOffer[]): Promise<string> {
  const limits = { concurrency: 100, timeoutMs: 60_000 };
  await desk.database.db.project.update({ where: { id: desk.demo.id }, data: { limits } });
  const runner = await offerSandbox(desk, 1000);
  await desk.engine.runs.offerAgents(runner, agents);
  return runner;
}

export interface DeskTurn {
  task: string;
  number: number;
  run: string;
  step(step: Partial<AgentStep>): Promise<void>;
  /** The texts of messages that the agent has been sent, with how. */
  heard(): Promise<{ text: string | null; when: string | undefined }[]>;
  /** Ends the turn. */
  end(): Promise<void>;
}

/** The last run of the task with this number (the latest one by default), at work on the runner. */
export async function atWork(desk: Desk, runner: string, number?: number): Promise<DeskTurn> {
  const task = await desk.database.db.task.findFirstOrThrow({
    where: number === undefined ? { kind: 'agent' } : { number },
    orderBy: { number: 'desc' },
    include: { runs: { orderBy: { attempt: 'desc' }, take: 1 } },
  });
  const run = task.runs[0]?.id ?? '';
  const { agents, runs } = desk.engine;
  await runs.beat(runner);
  await desk.engine.sweep();
  const claimed = await runs.claim(run, runner);
  if (!claimed.ok) throw new Error(`not claimed: ${claimed.reason}`);
  const place = { kind: 'docker', ref: `box-${run}`, isolated: true, image: 'deckhand/sandbox' } as const;
  if (!(await runs.executing(run, runner, place))) throw new Error('executing was refused');
  return {
    task: task.id,
    number: task.number,
    run,
    async step(step) {
      const whole = { state: {}, events: [], asks: [], withdrawn: [], inputs: [], ...step };
      if (!(await agents.step(run, runner, whole))) throw new Error('the step was refused');
    },
    async heard() {
      const mail = await agents.mail(run, 0);
      return mail.flatMap(({ mail: one }) =>
        one.type === 'message' || one.type === 'message_changed'
          ? [{ text: one.text, when: one.type === 'message' ? one.when : undefined }]
          : [],
      );
    },
    async end() {
      await runs.finishing(run, runner);
      const result = { outcome: 'succeeded', message: 'It is done.', durationMs: 1, files: [], artifacts: [] } as const;
      await runs.finish(run, runner, { ...result, files: [], artifacts: [] });
    },
  };
}

/** The secret that the buttons of the pending request of a run carry. */
export async function secretOf(desk: Desk, run: string): Promise<string> {
  return (await desk.database.db.interaction.findFirstOrThrow({ where: { runId: run, state: 'pending' } })).secret;
}

export async function eventsOf<T extends RunEventData['type']>(desk: Desk, run: string, type: T) {
  const rows = await desk.database.db.runEvent.findMany({ where: { runId: run, type }, orderBy: { seq: 'asc' } });
  return rows.map(({ data }) => data as unknown as Extract<RunEventData, { type: T }>);
}

export const aQuestion = (
  id: string,
  options: string[],
  change: Partial<Extract<Ask, { type: 'question' }>['questions'][number]> = {},
) => ({
  id,
  header: id,
  text: `Which ${id}?`,
  options: options.map((label) => ({ label })),
  multiple: false,
  free: false,
  ...change,
});
