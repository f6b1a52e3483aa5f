import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createdTables, readMigrations } from '../../src/store/migrate.ts';
import { names } from '../../src/variables.ts';

const docker = new URL('../../docker/', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, docker), 'utf8');
const chart = () => globSync('helm/deckhand/templates/*', { cwd: docker }).map(read).join('\n');
/** Of other programs, or of the shell. */
const others = new Set([
  'DOCKER_GROUP',
  'POSTGRES_USER',
  'POSTGRES_DB',
  'POSTGRES_PASSWORD',
  'DECKHAND_DOMAIN',
  'TMPDIR',
  'PGDATA',
  'BASE_IMAGE',
]);

const assigned = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].flatMap(([, name]) => name ?? []).filter((name) => !others.has(name));

test.each(['compose.yaml', 'compose.cluster.yaml'])('%s sets variables that Deckhand knows', (file) => {
  const set = assigned(read(file), /^ +([A-Z][A-Z_]+): /gm);
  expect(set).toContain('DECKHAND_DATA_DIR');
  expect(set.filter((name) => !names().some((known) => known === name))).toEqual([]);
});

test('the chart sets variables that Deckhand knows', () => {
  const set = assigned(chart(), /name: ([A-Z][A-Z_]+)\b/g);
  expect(set).toContain('METRICS_PORT');
  expect(set.filter((name) => !names().some((known) => known === name))).toEqual([]);
});

test('every value of the chart that a template asks for has a default', () => {
  const values = read('helm/deckhand/values.yaml');
  const asked = [...chart().matchAll(/\.Values\.([\w.]+)/g)].flatMap(([, path]) => path ?? []);
  expect(asked.length).toBeGreaterThan(20);
  const missing = asked.filter((path) => {
    const [top = '', inner] = path.split('.');
    const block = new RegExp(`^${top}:(.*(?:\n(?: .*|#.*)?)*)`, 'm').exec(values)?.[1];
    // secretEnv has what people put in.
    return block === undefined || (inner !== undefined && top !== 'secretEnv' && !new RegExp(`^ +${inner}:`, 'm').test(block));
  });
  expect(missing).toEqual([]);
});

test('the image gets every folder of the program', () => {
  const given = new Set(readFileSync(new URL('../.dockerignore', docker), 'utf8').match(/(?<=^!)[\w-]+$/gm));
  const copied = read('deckhand.Dockerfile').match(/(?<=^COPY )\w+(?=\/ )/gm) ?? [];
  expect(copied).toEqual(expect.arrayContaining(['adapters', 'lab', 'prisma', 'runner', 'src']));
  expect(copied.filter((folder) => !given.has(folder) && folder !== 'docker')).toEqual([]);
});

test('migrations take nothing away that the version before needs: processes of both work side by side during an upgrade', () => {
  const taken = readMigrations().flatMap((migration) => {
    const made = createdTables([migration]);
    const added = migration.sql.match(/(?<=ADD COLUMN +)"\w+"/g) ?? [];
    return migration.sql.split(/;|,$/m).filter((part) => {
      const [, unique, columns] = /CREATE UNIQUE INDEX "\w+" ON "(\w+)"\((.*)\)/.exec(part) ?? [];
      return (
        /\bDROP (TABLE|COLUMN|CONSTRAINT)\b|\bRENAME\b|\bSET NOT NULL\b|\bSET DATA TYPE\b/.test(part) ||
        (/\bADD COLUMN\b.*\bNOT NULL\b/.test(part) && !/\bDEFAULT\b/.test(part)) ||
        // Whoever does not know a column leaves it empty, and empty ones are not alike.
        (unique !== undefined && !made.includes(unique) && !added.some((column) => columns?.includes(column)))
      );
    });
  });
  expect(readMigrations().length).toBeGreaterThan(20);
  expect(taken).toEqual([]);
});
