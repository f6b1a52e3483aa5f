import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

interface Lock {
  packages: Record<string, { optionalDependencies?: Record<string, string>; resolved?: string }>;
}

const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as Lock;

/** Where npm would look for `name` from the package at `from`, innermost first. */
function places(from: string, name: string): string[] {
  const found: string[] = [];
  for (let base = from; ; base = base.slice(0, Math.max(0, base.lastIndexOf('node_modules/'))).replace(/\/$/, '')) {
    found.push(`${base === '' ? '' : `${base}/`}node_modules/${name}`);
    if (base === '') return found;
  }
}

it('the lockfile names the optional packages of every system, so that `npm ci` accepts it everywhere', () => {
  // A registry that lacks the builds for other systems makes `npm install` drop their entries, and `npm ci` then refuses the file.
  const missing = Object.entries(lock.packages).flatMap(([from, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !places(from, name).some((place) => place in lock.packages)),
  );
  expect(missing).toEqual([]);
});

it('the lockfile names no registry', () => {
  expect(Object.values(lock.packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
});
