import type { Action } from '../contracts/policy.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import type { InteractionRecord } from '../store/interactions.ts';
import { createRule, type RuleKind } from '../store/rules.ts';
import type { TaskRecord } from '../store/tasks.ts';
import { placeDigest } from './agent-action.ts';
import { filePlace } from './touched-files.ts';

/**
 * What "for this task" allows from now on: the exact command; each file that a call changes; else the tool. Files outside of the working
 * copy or in its git repository are asked for every time, so no rule is made for them.
 */
export function rulesFrom(action: Action): { kind: RuleKind; match: string }[] {
  if (action.type === 'command') return [{ kind: 'command', match: action.command }];
  if (action.type !== 'tool') return [];
  const { command, files = [], tool } = action.call;
  if (files.some(({ path }) => filePlace(path) !== 'inside')) return [];
  if (command !== undefined) return [{ kind: 'command', match: command }];
  const changed = [...new Set(files.filter(({ change }) => change !== 'read').map(({ path }) => path))];
  return changed.length > 0 ? changed.map((match) => ({ kind: 'path', match })) : [{ kind: 'tool', match: tool }];
}

/** Makes the rules of a decision, in its transaction. */
export async function makeRules(
  tx: Tx,
  { task, interaction, by, at }: { task: TaskRecord; interaction: InteractionRecord; by: string; at: Date },
): Promise<void> {
  const { action } = interaction;
  const place = action.type === 'tool' ? placeDigest(action) : undefined;
  for (const { kind, match } of rulesFrom(action)) {
    const rule = await createRule(tx, { workspace: task.workspace, task: task.id, kind, match, place, by, at });
    await recordAudit(tx, {
      workspace: task.workspace,
      actor: by,
      action: 'rule.created',
      subject: rule,
      data: { task: task.id, interaction: interaction.id, kind, match },
    });
  }
}
