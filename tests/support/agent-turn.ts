import type { Ask, Mail, NumberedMail, ToolCall } from '../../src/contracts/agent.ts';
import type { AgentStep } from '../../src/contracts/agent-control.ts';
import type { RunSpec } from '../../src/contracts/run-control.ts';
import { newId } from '../../src/runtime/ids.ts';
import type { AgentTaskInput } from '../../src/tasks/agent-tasks.ts';
import type { CreatedTask, DecideInput, DecideResult, Engine, Person } from '../../src/tasks/task-engine.ts';
import type { TestEngine, TestWorld } from './test-engine.ts';

type Decision = Extract<Mail, { type: 'decision' }>;

/** Makes the task of an agent that asks before everything but reading. */
export function createAgent(deckhand: TestEngine, world: TestWorld, change: Partial<AgentTaskInput> = {}): Promise<CreatedTask> {
  return deckhand.tx((tx) =>
    deckhand.engine.tasks.createAgentTask(tx, {
      workspace: world.workspace,
      project: world.project,
      requester: world.people.dev,
      prompt: 'Fix the failing test.',
      settings: { agent: 'claude-code', mode: 'ask' },
      channel: world.channel,
      thread: null,
      originKey: newId('aud'),
      ...change,
    }),
  );
}

export function toolAsk(ask: string, change: Partial<ToolCall> = {}): Ask {
  const call = { tool: 'Bash', title: 'Bash: npm test', input: '{"command":"npm test"}', command: 'npm test', readOnly: false };
  return { type: 'tool', ask, call: { ...call, ...change } };
}

export function editAsk(ask: string, ...paths: string[]): Ask {
  const files = paths.map((path) => ({ path, change: 'edit' as const, diff: '+x' }));
  return { type: 'tool', ask, call: { tool: 'Edit', title: `Edit ${paths.join(', ')}`, input: '{}', files, readOnly: false } };
}

export const planAsk = (ask: string, text = '1. Fix it.'): Ask => ({ type: 'plan', ask, text });

export const questionAsk = (ask: string): Ask => ({
  type: 'question',
  ask,
  questions: [
    {
      id: 'base',
      header: 'Base',
      text: 'Which base?',
      options: [{ label: 'main' }, { label: 'next' }],
      multiple: false,
      free: false,
    },
  ],
});

/** A turn of an agent in its sandbox, as the runner and the harness drive it. */
export class AgentTurn {
  readonly #deckhand: TestEngine;
  readonly task: string;
  readonly run: string;
  runner: string;
  spec: RunSpec;

  private constructor(deckhand: TestEngine, created: CreatedTask, runner: string, spec: RunSpec) {
    this.#deckhand = deckhand;
    this.task = created.task;
    this.run = created.run;
    this.runner = runner;
    this.spec = spec;
  }

  static async of(deckhand: TestEngine, created: CreatedTask, runner: string): Promise<AgentTurn> {
    const turn = new AgentTurn(deckhand, created, runner, await deckhand.claim(created.run, runner));
    await turn.start();
    return turn;
  }

  static async begin(
    deckhand: TestEngine,
    world: TestWorld,
    runner: string,
    change: Partial<AgentTaskInput> = {},
  ): Promise<AgentTurn> {
    return AgentTurn.of(deckhand, await createAgent(deckhand, world, change), runner);
  }

  async start(kind: 'docker' | 'local' = 'docker'): Promise<void> {
    const sandbox = { kind, ref: `box-${this.run}`, isolated: kind === 'docker', image: 'img:1' };
    if (!(await this.#deckhand.runs.executing(this.run, this.runner, sandbox))) throw new Error('executing was refused');
  }

  /** Claims it again, by another runner where one is named. */
  async claim(runner = this.runner): Promise<RunSpec> {
    this.runner = runner;
    this.spec = await this.#deckhand.claim(this.run, runner);
    return this.spec;
  }

  step(step: Partial<AgentStep>, engine: Engine = this.#deckhand.engine): Promise<boolean> {
    return engine.agents.step(this.run, this.runner, {
      state: {},
      events: [],
      asks: [],
      withdrawn: [],
      inputs: [],
      ...step,
    });
  }

  async ask(...asks: Ask[]): Promise<void> {
    if (!(await this.step({ asks }))) throw new Error('the step was refused');
  }

  mail(after = 0): Promise<NumberedMail[]> {
    return this.#deckhand.engine.agents.mail(this.run, after);
  }

  /** Decisions that came by mail, by the names of their asks. */
  async decisions(): Promise<Record<string, Decision>> {
    const mail = await this.mail();
    return Object.fromEntries(mail.flatMap(({ mail: one }) => (one.type === 'decision' ? [[one.ask, one]] : [])));
  }

  async secret(ask: string): Promise<string> {
    const row = await this.#deckhand.db.interaction.findFirstOrThrow({ where: { runId: this.run, ask, state: 'pending' } });
    return row.secret;
  }

  async decide(
    ask: string,
    by: Person,
    decision: DecideInput['decision'] = 'approve',
    rest: Pick<DecideInput, 'reason' | 'answers'> = {},
  ): Promise<DecideResult> {
    const secret = await this.secret(ask);
    return this.#deckhand.tx((tx) => this.#deckhand.engine.tasks.decide(tx, { secret, decision, by, on: 'slack', ...rest }));
  }

  state(): Promise<string> {
    return this.#deckhand.stateOf(this.run);
  }

  async types(): Promise<string[]> {
    return (await this.#deckhand.events(this.run)).map(({ type }) => type);
  }
}
