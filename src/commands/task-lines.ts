import { encodePress } from '../contracts/press.ts';
import { isTerminal, type TaskColumn } from '../contracts/states.ts';
import { type Button, bold, code, plain, type Span } from '../contracts/view.ts';
import { oneLine, shorten } from '../delivery/neutralise.ts';
import { duration } from '../delivery/units.ts';
import type { RunRow, TaskRow } from '../store/task-queries.ts';

const columnMarks: Record<TaskColumn, string> = {
  backlog: '○',
  queued: '○',
  running: '●',
  blocked: '⏸',
  review: '▸',
  done: '✔',
  cancelled: '✖',
};

/** The columns in the order of the board, with their headings. */
export const columnTitles: Record<TaskColumn, string> = {
  backlog: 'Backlog',
  queued: 'Queued',
  running: 'Running',
  blocked: 'Waiting for a decision',
  review: 'Review',
  done: 'Done',
  cancelled: 'Cancelled',
};

/** Mark and words for how things stand: `● running 1m 40s`, `✖ failed`. */
export function taskState(task: TaskRow, now: Date): string {
  const { run } = task;
  if (task.comparison === 'open' && task.column === 'review') return `▸ ${task.attempts ?? 0} attempts to choose from`;
  if (run !== undefined && task.column !== 'done' && task.column !== 'cancelled') {
    if (run.state === 'awaiting') return '⏸ waits for a decision';
    if (isTerminal(run.state)) return `${run.state === 'succeeded' ? '✔' : '✖'} ${runWords(run, now)}`;
    if (run.state !== 'queued') return `● ${runWords(run, now)}`;
  }
  return `${columnMarks[task.column]} ${task.column}`;
}

/** `running 1m 40s`, `succeeded in 6 s`, `timed out`. */
export function runWords(run: RunRow, now: Date): string {
  const words = run.state === 'timed_out' ? 'timed out' : run.state === 'executing' ? 'running' : run.state;
  if (run.startedAt === undefined) return words;
  if (run.endedAt !== undefined) return `${words} in ${duration(run.endedAt.getTime() - run.startedAt.getTime())}`;
  const stopping = run.stopRequested ? 'stopping, ' : '';
  return `${stopping}${words} ${duration(now.getTime() - run.startedAt.getTime())}`;
}

/** One line of a list: `● #142 npm test · running 12 s · web · Ada`. */
export function taskLine(task: TaskRow, show: { now: Date; project: boolean; requester?: string | undefined }): Span[] {
  const state = taskState(task, show.now);
  const mark = state.slice(0, 1);
  const rest = [
    state.slice(2),
    ...(show.project ? [task.project.name] : []),
    ...(show.requester === undefined ? [] : [show.requester]),
  ];
  return [plain(`${mark} `), bold(`#${task.number}`), plain(' '), code(title(task.title)), plain(` · ${rest.join(' · ')}`)];
}

/** The command's first words, on one line. */
export function title(text: string, max = 60): string {
  return shorten(oneLine(text), max) || '(empty)';
}

/** A moment as "5 min ago", with the exact time where the platform can show it. */
export function ago(at: Date, now: Date): Span {
  const seconds = Math.max(0, (now.getTime() - at.getTime()) / 1000);
  const text =
    seconds < 60
      ? 'just now'
      : seconds < 3600
        ? `${Math.floor(seconds / 60)} min ago`
        : seconds < 86_400
          ? `${Math.floor(seconds / 3600)} h ago`
          : at.toISOString().slice(0, 10);
  return { type: 'time', at: at.toISOString(), text };
}

/** A button that runs a command as whoever presses it. */
export function commandButton(label: string, text: string): Button {
  return { token: encodePress({ kind: 'command', text }), label, style: 'default' };
}

/** Buttons for what can be done with a task now. */
export function taskButtons(task: TaskRow): Button[] {
  const button = (verb: 'stop' | 'retry' | 'log', label: string, style: Button['style'] = 'default'): Button => ({
    token: encodePress({ kind: 'task', task: task.id, verb }),
    label,
    style,
  });
  const live = task.run !== undefined && !isTerminal(task.run.state);
  return [
    ...(live ? [button('stop', 'Stop', 'danger')] : task.comparison === 'open' ? [] : [button('retry', 'Retry')]),
    ...(task.run === undefined ? [] : [button('log', 'Log')]),
  ];
}
