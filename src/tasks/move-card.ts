import type { Tx } from '../store/database.ts';
import { changeColumn, type TaskRecord } from '../store/tasks.ts';

/**
 * Puts the card of a task into another column, as what was decided under the lock of the task: one that has moved meanwhile is a mistake of
 * the program. `reason`: why it is there, for people.
 */
export async function moveCard(
  tx: Tx,
  task: TaskRecord,
  { to, reason, at }: { to: TaskRecord['column']; reason: string | null; at: Date },
): Promise<TaskRecord> {
  const moved = await changeColumn(tx, { task: task.id, from: task.column, to, reason, at });
  if (!moved) throw new Error(`task ${task.id} left ${task.column} without its lock`);
  return { ...task, column: to };
}
