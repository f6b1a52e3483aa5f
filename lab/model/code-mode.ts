import type { Json } from '../slack/json.ts';
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
  return { tool, input: EXEC.replace('ARGUMENTS', () => JSON.stringify({ cmd: command.command })) };
}

const CHECKLIST = 'await tools.update_plan(';

export const keepsChecklist = (script: string) => script.startsWith(CHECKLIST);

/** The checklist by a function of the script; `plan` as the tool takes it. */
export function codeModeChecklist(plan: readonly Json[], tool: OfferedTool): PlannedCall {
  return { tool, input: `${CHECKLIST}${JSON.stringify({ plan })});` };
}

/** Runs a command to its end and shows what a direct call would show. */
const EXEC = `let r = await tools.exec_command(ARGUMENTS);
let output = r.output;
while (r.session_id !== undefined && r.session_id !== null) {
  r = await tools.write_stdin({ session_id: r.session_id, chars: '' });
  output += r.output;
}
text('Process exited with code ' + r.exit_code + '\\nOutput:\\n' + output);`;
