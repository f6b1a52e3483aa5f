import { counted, type Kind } from './chaos-plan.ts';

/** Why Ben says no. */
export const reasonGiven = 'not on a Friday';

/** How a run of each kind ends when nothing was lost: its state, the column of its task, its output, and its card. */
export const ends: Record<Kind, { state: string; column: string; stdout: string; end: RegExp }> = {
  quick: { state: 'succeeded', column: 'review', stdout: 'hello\n', end: /✔ done in .* hello / },
  counter: {
    state: 'succeeded',
    column: 'review',
    stdout: Array.from({ length: counted }, (_, index) => `${index + 1}\n`).join(''),
    end: new RegExp(`✔ done in .* ${counted} `),
  },
  fails: { state: 'failed', column: 'backlog', stdout: 'about to fail\n', end: /✖ failed after .* about to fail .*exit code 3/ },
  approved: { state: 'succeeded', column: 'review', stdout: 'hello\n', end: /✔ done in .* hello .*approved: 1 \(/ },
  denied: { state: 'cancelled', column: 'cancelled', stdout: '', end: new RegExp(`○ cancelled .*Ben.*${reasonGiven}`) },
  contested: { state: 'succeeded', column: 'review', stdout: 'hello\n', end: /✔ done in .* hello .*approved: 1 \(/ },
  stopped: { state: 'cancelled', column: 'cancelled', stdout: 'begun\n', end: /○ cancelled after .*stopped by \w+.* begun / },
  commits: { state: 'succeeded', column: 'review', stdout: 'hello\n', end: /✔ done in .* hello / },
};
