import type { AgentKind, Usage } from '../contracts/agent.ts';
import type { AgentTrouble } from '../contracts/agent-trouble.ts';
import type { PublishWhat } from '../contracts/publication.ts';
import type { RunEvent } from '../contracts/run-event.ts';
import type { InteractionState, RunCause, RunOutcome } from '../contracts/states.ts';

/** What works in a run: an agent, or the shell that runs a command. */
export type Worker = AgentKind | 'shell';

/** A measurable fact about a run, told once: with the commit of the cards that show it. Times are seconds between the times of events. */
export type RunFigure =
  /** A runner has taken it, so long after it was put into the queue. */
  | { what: 'taken'; worker: Worker; seconds: number }
  /** Its command or agent has started, so long after it was taken. */
  | { what: 'started'; worker: Worker; sandbox: string; seconds: number }
  /** It has ended, so long after it was asked for. */
  | {
      what: 'ended';
      worker: Worker;
      outcome: RunOutcome;
      cause: RunCause | undefined;
      trouble: AgentTrouble | undefined;
      seconds: number;
    }
  | { what: 'model'; worker: Worker; usage: Usage }
  | { what: 'decided'; kind: InteractionKind; state: InteractionState; seconds: number }
  | { what: 'published'; of: PublishWhat; outcome: 'done' | 'failed' }
  /** The cards show an event, so long after it happened. `gathered`: progress, which is shown once in a while. */
  | { what: 'shown'; gathered: boolean; seconds: number };

type InteractionKind = Extract<RunEvent['data'], { type: 'interaction_opened' }>['kind'];

/** Follows the log of one run from its beginning. */
export interface RunFigures {
  /** `told`: cards show it already, so it has been counted. */
  fold(event: RunEvent, told: boolean): void;
  /** What is to be counted now that cards show everything up to `seq`. Each figure is given once. */
  take(seq: number): RunFigure[];
  /** Somebody else has told everything up to `seq`. */
  drop(seq: number): void;
}

export function createRunFigures(): RunFigures {
  let waiting: { seq: number; figure: RunFigure }[] = [];
  let worker: Worker = 'shell';
  let sandbox = 'none';
  let first: Date | undefined;
  let queuedAt: Date | undefined;
  let takenAt: Date | undefined;
  const asked = new Map<string, { kind: InteractionKind; at: Date }>();

  function figuresOf({ at, data }: RunEvent): RunFigure[] {
    const since = (then: Date | undefined) => (then === undefined ? 0 : Math.max(0, (at.getTime() - then.getTime()) / 1000));
    switch (data.type) {
      case 'agent':
        worker = data.agent;
        return [];
      case 'sandbox':
        sandbox = data.kind;
        return takenAt === undefined ? [] : [{ what: 'started', worker, sandbox, seconds: since(takenAt) }];
      case 'lifecycle':
        if (data.to === 'queued') queuedAt = at;
        if (data.from !== 'queued' || data.to !== 'preparing') return [];
        takenAt = at;
        return [{ what: 'taken', worker, seconds: since(queuedAt) }];
      case 'usage':
        return [{ what: 'model', worker, usage: data }];
      case 'interaction_opened':
        asked.set(data.interaction, { kind: data.kind, at });
        return [];
      case 'interaction_decided': {
        const opened = asked.get(data.interaction);
        asked.delete(data.interaction);
        return opened === undefined ? [] : [{ what: 'decided', kind: opened.kind, state: data.state, seconds: since(opened.at) }];
      }
      case 'publication':
        return data.state === 'done' || data.state === 'failed'
          ? [{ what: 'published', of: data.what, outcome: data.state }]
          : [];
      case 'terminal': {
        const { outcome, cause, trouble } = data.result;
        return [{ what: 'ended', worker, outcome, cause, trouble, seconds: since(first) }];
      }
      default:
        return [];
    }
  }

  return {
    fold(event, told) {
      first ??= event.at;
      const figures = figuresOf(event);
      if (!told) waiting.push(...figures.map((figure) => ({ seq: event.seq, figure })));
    },
    take(seq) {
      const due = waiting.filter((one) => one.seq <= seq);
      waiting = waiting.filter((one) => one.seq > seq);
      return due.map(({ figure }) => figure);
    },
    drop(seq) {
      waiting = waiting.filter((one) => one.seq > seq);
    },
  };
}
