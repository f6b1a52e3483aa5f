import { expect, test } from 'vitest';
import { sourceFiles, typescriptFiles } from '../support/source-files.ts';

const files = typescriptFiles();
const lineCount = (text: string) => text.trimEnd().split('\n').length;

/** Lines that match, as `path:line: text`. */
function found(pattern: RegExp, within = files): string[] {
  return within.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, at) => (pattern.test(line) ? [`${path}:${at + 1}: ${line.trim()}`] : [])),
  );
}

test('no file has more than 350 lines, no test file more than 600', () => {
  const long = files.filter(({ path, text }) => lineCount(text) > (path.startsWith('tests/') ? 600 : 350));
  expect(long.map(({ path, text }) => `${path}: ${lineCount(text)}`)).toEqual([]);
});

test('files are named for what is in them: no index, no utils, no helpers', () => {
  expect(
    files.filter(({ path }) => /(^|\/)(index|utils?|helpers?|common|misc)(\.tsx?$|\/)/.test(path)).map(({ path }) => path),
  ).toEqual([]);
});

test('folders are two levels deep at most', () => {
  expect(files.filter(({ path }) => path.split('/').length > 3).map(({ path }) => path)).toEqual([]);
});

test('no file only passes on what others export', () => {
  expect(found(/^\s*export\s+(\*|\{[^}]*\}|type\s+\{[^}]*\})\s+from\b/)).toEqual([]);
});

test('nothing is left for later', () => {
  expect(found(/(\/\/|^\s*\*|\/\*).*\b(TODO|FIXME|XXX|HACK)\b/)).toEqual([]);
});

test('types are not talked around', () => {
  const code = files.map(({ path, text }) => ({ path, text: text.replace(/^\s*(\/\/|\/?\*).*$/gm, '') }));
  const here = /^tests\/architecture\//;
  const excuses = /\bas any\b|@ts-(ignore|expect-error|nocheck)|<any>|[\w)\]?]: any\b|biome-ignore/;
  expect(found(excuses, code).filter((line) => !here.test(line))).toEqual([]);
});

test('tests use no module mocks, are not left out and do not sleep', () => {
  const tests = files.filter(({ path }) => path.startsWith('tests/') && !path.startsWith('tests/architecture/'));
  expect(found(/\bvi\.(mock|doMock|hoisted)\b/, tests)).toEqual([]);
  expect(found(/\b(test|it|describe|suite)\.(skip|only|todo|skipIf|runIf)\b/, tests)).toEqual([]);
  // In the body of a test: what stands in for a slow program may be slow.
  const waits = files.filter(({ path }) => /^tests\/(?!support\/|architecture\/)/.test(path));
  expect(found(/^ {2,4}await (delay|sleep|setTimeout)\(/, waits)).toEqual([]);
});

test('only the entry, and what starts programs, looks at the environment', () => {
  const allowed = /^(src\/main\.ts|src\/store\/postgres-launch\.ts|prisma\/|tests\/|bench\/|vitest\.config\.ts)/;
  const comment = /^[^:]+:\d+: (\*|\/\/|\/\*)/;
  const search = /\bprocess\.env\.PATH\b/; // where to find programs is no configuration
  const readers = found(/\bprocess\.env\b/).filter((line) => !allowed.test(line) && !comment.test(line) && !search.test(line));
  expect(readers).toEqual([]);
});

test('the repository does not know the machine it was written on', () => {
  const all = [
    ...files,
    ...sourceFiles('**/*.{md,sh,json,yml,yaml,toml,sql,prisma,css,html}', '{.ci,docker}/**/*', '.env.example', '.npmrc').filter(
      isText,
    ),
  ];
  // Put together here, so that this file does not match itself.
  const paths = new RegExp(`["'\`\\s(=]/(${['work', 'home/[a-z]+', 'root', 'Users'].join('|')})/`);
  const here = ({ path }: { path: string }) => path !== 'tests/architecture/files.test.ts';
  expect(found(paths, all.filter(here))).toEqual([]);
  const lock = sourceFiles('package-lock.json').flatMap(({ text }) => [...text.matchAll(/"resolved": "([^"]+)"/g)]);
  expect(lock.map(([, address]) => address).filter((address) => !address?.startsWith('https://registry.npmjs.org/'))).toEqual([]);
});

function isText({ text }: { text: string }): boolean {
  return !text.includes('\0');
}
