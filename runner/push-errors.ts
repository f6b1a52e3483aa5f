import { AppError } from '../src/contracts/errors.ts';
import { GitFailed } from './git.ts';
import { sourceError } from './git-errors.ts';

/** What a push was about, as it is told. */
export interface PushPlace {
  remote: string;
  branch: string;
}

interface Sign {
  pattern: RegExp;
  error(place: PushPlace, detail: string): AppError;
}

/** What git and its servers write when they refuse a push, in the order in which it is looked for. */
const signs: readonly Sign[] = [
  {
    pattern: /refusing to allow .*\bworkflows?\b|without [`'"]?workflows?[`'"]? (?:scope|permission)/i,
    error: ({ remote }) => new AppError('DH-524', { remote }),
  },
  {
    pattern: /exceeds .*file size limit|GH001|larger than .* maximum|exceeds the maximum|returned error: 413|maximum.*size/i,
    error: ({ remote }, detail) => new AppError('DH-527', { remote, detail }),
  },
  {
    pattern: /GH006|GH013|protected branch|rule violations/i,
    error: (place, detail) => new AppError('DH-522', { ...place, detail }),
  },
  {
    pattern: /refusing to update checked out branch|branch is currently checked out/i,
    error: (place) => new AppError('DH-529', { ...place }),
  },
  {
    pattern: /non-fast-forward/i,
    error: (place) => new AppError('DH-531', { ...place }),
  },
  {
    pattern: /directory file conflict|cannot lock ref .*exists; cannot create|refname conflict/i,
    error: ({ remote, branch }) => new AppError('DH-520', { remote, branch: branch.split('/', 1)[0] ?? branch }),
  },
  {
    pattern:
      /Permission to .* denied|write access .*not granted|returned error: 403|not (?:allowed|permitted) to push|read[- ]only|service not enabled|insufficient permission/i,
    error: ({ remote }, detail) => new AppError('DH-523', { remote, detail }),
  },
  {
    pattern: /\[remote rejected\]|hook declined|unpacker error|remote unpack failed/i,
    error: (place, detail) => new AppError('DH-525', { ...place, detail }),
  },
];

/** Turns a failed push into what a person can be told. Other errors are returned as they are. */
export function pushError(error: unknown, place: PushPlace): unknown {
  if (!(error instanceof GitFailed) || error.reason !== 'exit') return sourceError(error, place.remote);
  const lines = error.stderr.split(/[\r\n]+/).map((line) => line.trim());
  for (const { pattern, error: told } of signs) {
    const line = lines.find((text) => pattern.test(text));
    if (line === undefined) continue;
    const found = told(place, saidBy(lines) ?? shorten(line));
    found.cause = error;
    return found;
  }
  return sourceError(error, place.remote);
}

/** What the server itself says, without its frame and what it says to everybody. */
function saidBy(lines: readonly string[]): string | undefined {
  const said = lines
    .flatMap((line) => /^remote:\s*(.*)$/.exec(line)?.[1] ?? [])
    .map((line) => line.replace(/^(?:error|fatal):\s*/i, '').trim())
    .filter((line) => /\p{L}/u.test(line) && !/^(?:Resolving deltas|Counting objects|Compressing)/.test(line));
  return said.length === 0 ? undefined : shorten(said.slice(0, 3).join(' '));
}

function shorten(line: string): string {
  return line
    .replace(/^(?:(?:fatal|error):\s*)+/i, '')
    .replace(/^!\s*\[[^\]]*\]\s*/, '')
    .replace(/[.\s]+$/, '')
    .slice(0, 300);
}
