/**
 * What a push may not do, decided by GitHub per ref after the objects have arrived. Git asks receive-hook.ts, which reads these rules from
 * RULES_FILE in the repository; pushes to one repository never run side by side.
 */
export interface PushRules {
  /** Whose words: GitHub's, or those of a plain git server. Default `github`. */
  words?: 'github' | 'plain' | undefined;
  /** Full names of protected refs. */
  protected: readonly string[];
  /** Who may not write workflow files: `a Personal Access Token`, and what is missing. Undefined: they may be written. */
  withoutWorkflows: { who: string; missing: string } | undefined;
}

export const RULES_FILE = 'lab-push-rules.json';

export interface PushCommand {
  old: string;
  next: string;
  ref: string;
}

export interface Verdict {
  ref: string;
  /** Why the ref stays as it is; undefined: it may be changed. */
  refusal: string | undefined;
  /** What is said besides, line by line. */
  said: string[];
}

const NOTHING = /^0+$/;

/** `workflowFile` finds a workflow file that commits which the repository did not have before add or change. */
export async function judge(
  rules: PushRules,
  command: PushCommand,
  facts: { isFastForward(): Promise<boolean>; workflowFile(): Promise<string | undefined> },
): Promise<Verdict> {
  const { ref } = command;
  if (rules.protected.includes(ref)) {
    if (rules.words === 'plain') return { ref, refusal: 'protected branch', said: [`${ref} is protected.`] };
    const reason = NOTHING.test(command.next)
      ? 'Cannot delete a protected branch'
      : (await facts.isFastForward())
        ? 'Changes must be made through a pull request.'
        : 'Cannot force-push to a protected branch';
    const said = [`error: GH006: Protected branch update failed for ${ref}.`, `error: ${reason}`];
    return { ref, refusal: 'protected branch hook declined', said };
  }
  if (rules.withoutWorkflows && !NOTHING.test(command.next)) {
    const file = await facts.workflowFile();
    const { who, missing } = rules.withoutWorkflows;
    if (file !== undefined)
      return { ref, refusal: `refusing to allow ${who} to create or update workflow \`${file}\` without ${missing}`, said: [] };
  }
  return { ref, refusal: undefined, said: [] };
}
