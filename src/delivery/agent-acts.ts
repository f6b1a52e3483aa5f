import type { RunEventData } from '../contracts/run-event.ts';

/** Something an agent does: a call of a tool, or a while of thinking. */
export type Act = ToolAct | ThoughtAct;

export interface ToolAct {
  type: 'tool';
  id: string;
  title: string;
  /** The call of the sub-agent that does it. */
  parent: string | undefined;
  since: Date;
  /** Undefined: under way. */
  until: Date | undefined;
  ok: boolean | undefined;
  summary: string | undefined;
}

export interface ThoughtAct {
  type: 'thought';
  id: string;
  parent: string | undefined;
  since: Date;
  until: Date | undefined;
}

/** What a sub-agent at work says: the end of it. */
export interface SubAgent {
  part: string;
  text: string;
}

/** The part of an agent's view that is about what it does. */
export interface Acts {
  acts: readonly Act[];
  calls: { all: number; failed: number };
  subAgents: ReadonlyMap<string, SubAgent>;
}

type ActEvent = Extract<RunEventData, { type: 'assistant' | 'thinking' | 'tool' | 'tool_ended' }>;

const keptActs = 60;
const keptSubAgents = 20;
const titleLength = 300;
const tailLength = 600;

/** Folds in what an agent does, and what its sub-agents say. Pure. */
export function actsAfter(known: Acts, data: ActEvent, at: Date): Partial<Acts> {
  switch (data.type) {
    case 'tool':
      return {
        acts: bounded([...known.acts.filter(({ id }) => id !== data.id), called(data, at)]),
        // A call that was put off comes again by its name.
        calls: { ...known.calls, all: known.calls.all + (known.acts.some(({ id }) => id === data.id) ? 0 : 1) },
      };
    case 'tool_ended': {
      const { id, ok, summary } = data;
      const subAgents = new Map([...known.subAgents].filter(([call]) => call !== id));
      return {
        acts: known.acts.map((act) => ended(act, id, { until: at, ok, summary: summary.slice(0, titleLength) })),
        calls: { ...known.calls, failed: known.calls.failed + (ok ? 0 : 1) },
        ...(subAgents.size === known.subAgents.size ? {} : { subAgents }),
      };
    }
    case 'thinking':
      return { acts: thought(known.acts, data, at) };
    case 'assistant':
      return data.parent === undefined ? {} : { subAgents: said(known.subAgents, data.parent, data) };
  }
}

/** Nothing is under way any more: the sandbox in which it was is gone. */
export function actsAtRest({ acts }: Acts, at: Date): Pick<Acts, 'acts' | 'subAgents'> {
  return { acts: acts.map((act) => (act.until === undefined ? { ...act, until: at } : act)), subAgents: new Map() };
}

function called({ id, title, parent }: Extract<ActEvent, { type: 'tool' }>, since: Date): ToolAct {
  return {
    type: 'tool',
    id,
    title: title.slice(0, titleLength),
    parent,
    since,
    until: undefined,
    ok: undefined,
    summary: undefined,
  };
}

/** A call that is over takes what its sub-agent left open with it. */
function ended(act: Act, id: string, end: Pick<ToolAct, 'until' | 'ok' | 'summary'>): Act {
  if (act.type === 'tool' && act.id === id) return { ...act, ...end };
  return act.parent === id && act.until === undefined ? { ...act, until: end.until } : act;
}

function thought(acts: readonly Act[], data: Extract<ActEvent, { type: 'assistant' | 'thinking' }>, at: Date): Act[] {
  const id = `thought ${data.part}`;
  const until = data.final ? at : undefined;
  const known = acts.find((act) => act.id === id && act.until === undefined);
  if (known !== undefined) return acts.map((act) => (act === known ? { ...act, until } : act));
  return bounded([...acts, { type: 'thought', id, parent: data.parent, since: at, until }]);
}

function said(
  known: ReadonlyMap<string, SubAgent>,
  call: string,
  { part, text }: { part: string; text: string },
): Map<string, SubAgent> {
  const before = known.get(call);
  const whole = before?.part === part ? before.text + text : text;
  const others = [...known].filter(([id]) => id !== call).slice(1 - keptSubAgents);
  return new Map([...others, [call, { part, text: whole.slice(-tailLength) }]]);
}

/** Forgets what is over, oldest first; what is under way stays as long as there is room for it. */
function bounded(acts: readonly Act[]): Act[] {
  if (acts.length <= keptActs) return [...acts];
  const oldest = acts.find(({ until }) => until !== undefined) ?? acts[0];
  return acts.filter((act) => act !== oldest);
}
