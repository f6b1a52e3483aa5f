import type { ToolCall } from '../contracts/agent.ts';

/**
 * Where a path of a tool call leads: into the working copy, into the git repository in it (where the agent's own home is too), or
 * outside. Paths are relative to the working copy where they are in it; any other form counts as outside.
 */
export function filePlace(path: string): 'inside' | 'git' | 'outside' {
  if (path === '' || /^[/~\\]|^[a-z]:/i.test(path) || /[\p{Cc}\\]/u.test(path)) return 'outside';
  let depth = 0;
  let git = false;
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    depth += segment === '..' ? -1 : 1;
    if (depth < 0) return 'outside';
    git ||= segment.toLowerCase() === '.git';
  }
  return git ? 'git' : 'inside';
}

/** The only file in its home that an agent writes by a tool: the plan it works out, a page of text that nothing runs. */
const ownPlan = /^\.git\/deckhand\/home\/(?:[\w.-]+\/)?plans\/[\w-][\w.-]*\.md$/;

/** The call does nothing but to read or write the agent's own plan. */
export function isOwnPlan({ command, files = [] }: Pick<ToolCall, 'command' | 'files'>): boolean {
  return command === undefined && files.length > 0 && files.every(({ path }) => ownPlan.test(path) && !path.includes('..'));
}
