import { unquotePath } from '../src/changes/quoted-path.ts';
import { readPatch } from '../src/changes/read-patch.ts';
import { createRedactor } from '../src/runtime/redact-patterns.ts';
import { type Git, GitFailed, type GitOptions } from './git.ts';
import { safely } from './patch.ts';

/** A history of more than this is not looked through: the run says so. */
const maxHistoryBytes = 64 * 1024 * 1024;

/**
 * What commits between two have of secrets, which is pushed with them although the last of them may show nothing of it: files of earlier commits
 * that were given lines with secrets, and messages (`message of 3f9c2e1`). Undefined: there is more than is looked through. Of a merge
 * only that counts which none of its parents has: those are looked at by themselves.
 */
export async function secretsInHistory(
  git: Git,
  mirror: string,
  { from, to, known }: { from: string; to: string; known: readonly string[] },
  signal?: AbortSignal,
): Promise<string[] | undefined> {
  const options: GitOptions = { repository: mirror, timeoutMs: 5 * 60_000, maxOutputBytes: maxHistoryBytes, signal };
  const range = [to, '--not', from, '--'];
  try {
    const listed = await git.run(['log', '-z', '--format=%H %P%n%B', ...range], options);
    const commits = listed.toString('latin1').split('\0').slice(0, -1);
    const redact = latinRedactor(known);
    const messages = commits.flatMap((entry) => {
      const message = entry.slice(entry.indexOf('\n') + 1);
      return redact(message) === message ? [] : [`message of ${entry.slice(0, 7)}`];
    });
    // One commit, and no merge, holds nothing that the whole change does not show.
    if (commits.every((entry) => commits.length === 1 && /^\S+ \S+\n/.test(entry))) return messages;
    const shape = ['--format=', '-p', '-c', '--full-index', '--src-prefix=a/', '--dst-prefix=b/'];
    const shown = await git.run(['log', ...safely, ...shape, ...range], options);
    return [...new Set([...pathsWithSecrets(shown, known), ...messages])];
  } catch (error) {
    if (error instanceof GitFailed && (error.reason === 'output_too_large' || error.reason === 'timed_out')) return undefined;
    throw error;
  }
}

/** Files of patches, and of combined ones of merges, whose added lines look like secrets; as git names them. */
export function pathsWithSecrets(patches: Buffer, known: readonly string[]): string[] {
  const redact = latinRedactor(known);
  const sections = patches.toString('latin1').split(/^(?=diff --(?:git|cc|combined) )/m);
  return sections.flatMap((section) => {
    const added = addedIn(section);
    if (redact(added) === added) return [];
    const merged = /^diff --(?:cc|combined) ([^\n]+)/.exec(section)?.[1];
    if (merged !== undefined) return [unquotePath(merged)];
    return readPatch(Buffer.from(section, 'latin1')).map(({ path }) => path);
  });
}

/** The lines that were added: marked so in one of as many columns as the file had parents. */
function addedIn(section: string): string {
  const added: string[] = [];
  let columns = 0;
  for (const line of section.split('\n')) {
    const header = /^(@@+) -/.exec(line)?.[1];
    if (header !== undefined) columns = header.length - 1;
    else if (columns > 0 && line.slice(0, columns).includes('+')) added.push(line.slice(columns));
  }
  return added.join('\n');
}

/** For texts in which each character stands for one byte. */
function latinRedactor(known: readonly string[]): (text: string) => string {
  return createRedactor(known.map((secret) => Buffer.from(secret).toString('latin1')));
}
