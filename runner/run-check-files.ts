import { helperEnvironment, openedRepository } from './collect-script.ts';
import type { Helper } from './sandbox/port.ts';

/**
 * Writes an archive of what git ignores in the working copy of a run that is over: the dependencies that were installed there, what was built. It
 * is empty when there is nothing. The same repository of its own as for collecting, so that nothing the command has configured counts; and as there
 * without what people gave an agent.
 */
const script = `${openedRepository}
git ls-files -z --others --ignored --exclude-standard --directory -x '!/.deckhand' -x '!/.deckhand/**' >"$tmp/ignored"
tar -cf - --null -T "$tmp/ignored"
`;

export function ignoredFilesHelper(input: { parent: string; mostBytes: number }): Helper {
  const format = input.parent.length === 64 ? 'sha256' : 'sha1';
  return {
    argv: ['/bin/sh', '-c', script, 'ignored', input.parent, format, ''],
    env: helperEnvironment,
    timeMs: 10 * 60_000,
    outputBytes: input.mostBytes,
  };
}
