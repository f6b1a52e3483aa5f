import type { CommandSession, Harness } from './port.ts';

/** A plain command: no model, no questions, no session. Its output is all there is to tell, and its exit code how it ended. */
export const shell = {
  kind: 'shell',
  capabilities: {
    asks: false,
    modes: [],
    efforts: [],
    changes: { mode: false, model: false, effort: false },
    questions: false,
    steering: { next: false, now: false },
    resume: false,
    models: [],
  },
  launch: ({ command }) => ({ argv: ['/bin/sh', '-c', command], env: {}, files: [], keeps: [] }),
  async drive(session) {
    await session.record();
    return { end: 'exited' };
  },
} satisfies Harness<CommandSession>;
