import { describe, expect, it } from 'vitest';
import type { TaskColumn } from '../../src/contracts/states.ts';
import { type TaskEventName, taskEventOf, taskTransition } from '../../src/tasks/task-state.ts';

const no = undefined;
type Expected = Record<TaskColumn, Record<TaskEventName, TaskColumn | undefined>>;

const atRest: Record<TaskEventName, TaskColumn | undefined> = {
  enqueue: 'queued',
  start: no,
  block: no,
  change: no,
  no_change: no,
  fall: no,
  cancel: 'cancelled',
  to_backlog: 'backlog',
  to_review: 'review',
  to_done: 'done',
};
const busy = { to_backlog: no, to_review: no, to_done: no, cancel: 'cancelled' } as const;
const expected: Expected = {
  backlog: atRest,
  queued: { ...busy, enqueue: no, start: 'running', block: 'blocked', change: no, no_change: no, fall: no },
  running: { ...busy, enqueue: no, start: no, block: 'blocked', change: 'review', no_change: 'done', fall: 'backlog' },
  blocked: { ...busy, enqueue: 'queued', start: 'running', block: no, change: no, no_change: no, fall: 'backlog' },
  review: atRest,
  done: atRest,
  cancelled: atRest,
};

describe('the columns of a task', () => {
  for (const [column, row] of Object.entries(expected) as [TaskColumn, Expected[TaskColumn]][]) {
    for (const [event, to] of Object.entries(row) as [TaskEventName, TaskColumn | undefined][]) {
      it(`${column} with ${event} ${to === undefined ? 'is refused with a reason' : `becomes ${to}`}`, () => {
        const transition = taskTransition(column, event);
        if (to === undefined) expect(transition).toEqual({ ok: false, reason: expect.stringMatching(/^\w.{5,}/) });
        else expect(transition).toEqual({ ok: true, to });
      });
    }
  }

  it('success with changed files wants a review, without it is done', () => {
    expect(taskEventOf('succeeded', true)).toBe('change');
    expect(taskEventOf('succeeded', false)).toBe('no_change');
  });

  it('failed, timed out and interrupted runs send the task back, cancelled ones cancel it', () => {
    expect(['failed', 'timed_out', 'interrupted'].map((outcome) => taskEventOf(outcome as 'failed', true))).toEqual([
      'fall',
      'fall',
      'fall',
    ]);
    expect(taskEventOf('cancelled', true)).toBe('cancel');
  });
});
