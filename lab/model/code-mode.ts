import type { Action } from './action.ts';
import type { OfferedTool } from './conversation.ts';
import { addPatch, editPatch } from './patch-text.ts';
import type { PlannedCall } from './vocabulary.ts';

/** Codex offers its newer models one tool `exec` that runs JavaScript, in which the tools are functions. */
export const isCodeMode = (tool: OfferedTool) => tool.kind === 'custom' && tool.name === 'exec';

/** `command` is the same action as a shell does it. */
export function codeModeCall(action: Action, command: Extract<Action, { do: 'run' }>, tool: OfferedTool): PlannedCall {
  const patch =
    action.do === 'edit' ? editPatch(action) : action.do === 'write' ? addPatch(action.path, action.content) : undefined;
  if (patch !== undefined) return { tool, input: `text(await tools.apply_patch(${JSON.stringify(patch)}));` };
  return { tool, input: `text(await tools.exec_command(${JSON.stringify({ cmd: command.command })}));` };
}
