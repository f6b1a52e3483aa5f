import { createHash } from 'node:crypto';
import type { Action, CommandAction } from '../contracts/policy.ts';
import type { SandboxOffer } from '../contracts/run-control.ts';
import { canonicalJson } from '../runtime/canonical-json.ts';

/** The action of a run in the sandbox that is offered: what a person approves and what `authorise` compares with. */
export function commandAction(
  task: { command: string; project: string },
  run: { timeoutMs: number },
  { cwd, sandbox, image, network }: SandboxOffer,
): CommandAction {
  return {
    type: 'command',
    command: task.command,
    cwd,
    project: task.project,
    sandbox,
    image,
    network,
    timeoutMs: run.timeoutMs,
  };
}

/** sha256 over the canonical JSON (keys sorted, no spaces), in hex. Two actions have the same hash only when every field is equal. */
export function actionHash(action: Action): string {
  return createHash('sha256').update(canonicalJson(action)).digest('hex');
}
