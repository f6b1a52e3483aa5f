import { posix } from 'node:path';

/** A path as it is in the working copy, where it is in it; else absolute. */
export function inWorkingCopy(path: string, cwd: string): string {
  const absolute = posix.resolve(cwd, path);
  const relative = posix.relative(cwd, absolute);
  return relative === '' || relative.startsWith('..') || posix.isAbsolute(relative) ? absolute : relative;
}

/** True for what lies in the working copy and not in its `.git`. */
export function isOwn(path: string): boolean {
  return !posix.isAbsolute(path) && path !== '.git' && !path.startsWith('.git/');
}

/** Old and new lines as a diff that people can read. Not meant to be applied. */
export function replacement(before: string, after: string): string {
  const lines = (text: string, mark: string) =>
    text === ''
      ? []
      : text
          .replace(/\n$/, '')
          .split('\n')
          .map((line) => `${mark}${line}`);
  return [...lines(before, '-'), ...lines(after, '+')].join('\n');
}
