import { type Analysis, isOutside, type SimpleCommand } from './shell-analysis.ts';
import { escapeMeanings } from './shell-escapes.ts';
import { programName } from './wrappers.ts';

/** Words of a command that show a risk: the program, then any of these as its subcommand (empty: any use of it). */
type Signs = Readonly<Record<string, readonly string[]>>;

const network: Signs = {
  curl: [],
  wget: [],
  ssh: [],
  scp: [],
  sftp: [],
  rsync: [],
  nc: [],
  ncat: [],
  socat: [],
  telnet: [],
  ftp: [],
  ping: [],
  dig: [],
  host: [],
  nslookup: [],
  apt: ['install', 'update', 'upgrade', 'full-upgrade'],
  'apt-get': ['install', 'update', 'upgrade', 'dist-upgrade'],
  apk: ['add', 'update', 'upgrade'],
  npm: ['install', 'i', 'add', 'ci', 'update', 'publish', 'audit', 'outdated', 'view', 'exec', 'login'],
  npx: [],
  yarn: ['install', 'add', 'upgrade', 'publish', 'dlx'],
  pnpm: ['install', 'i', 'add', 'update', 'publish', 'dlx'],
  pip: ['install', 'download'],
  pip3: ['install', 'download'],
  uv: ['sync', 'add', 'pip'],
  poetry: ['install', 'add', 'update', 'publish'],
  gem: ['install', 'update', 'push'],
  bundle: ['install', 'update'],
  cargo: ['install', 'add', 'update', 'fetch', 'publish'],
  go: ['get', 'install', 'mod'],
  composer: ['install', 'update', 'require'],
  git: ['clone', 'fetch', 'pull', 'push', 'ls-remote', 'submodule'],
  gh: [],
  docker: ['pull', 'push', 'login', 'build'],
  kubectl: [],
  helm: [],
  terraform: [],
  aws: [],
  gcloud: [],
  az: [],
};
const deletes: Signs = {
  rm: [],
  rmdir: [],
  unlink: [],
  shred: [],
  truncate: [],
  git: ['clean', 'reset', 'rm', 'restore'],
  docker: ['rm', 'rmi', 'prune'],
  kubectl: ['delete'],
  terraform: ['destroy'],
};
const lockfile: Signs = {
  npm: ['install', 'i', 'add', 'update', 'uninstall', 'remove', 'rm'],
  yarn: ['add', 'remove', 'upgrade', 'install'],
  pnpm: ['add', 'remove', 'update', 'install', 'i'],
  poetry: ['add', 'remove', 'update', 'lock'],
  uv: ['add', 'remove', 'lock', 'sync'],
  bundle: ['install', 'update', 'add'],
  cargo: ['add', 'remove', 'update'],
  go: ['get', 'mod'],
  composer: ['update', 'require', 'remove'],
};
const permissions: Signs = { chmod: [], chown: [], chgrp: [], setfacl: [], sudo: [], su: [], doas: [], setcap: [] };
const interpreters: Readonly<Record<string, readonly string[]>> = {
  python: ['-c'],
  python3: ['-c'],
  node: ['-e', '-p', '--eval', '--print'],
  ruby: ['-e'],
  perl: ['-e', '-E'],
  php: ['-r'],
  awk: [],
};
/** Programs whose operands are files they change. */
const writers = new Set([
  'cp',
  'mv',
  'tee',
  'touch',
  'mkdir',
  'ln',
  'install',
  'dd',
  'rm',
  'rmdir',
  'truncate',
  'chmod',
  'chown',
]);

/** Short words for what could go wrong, for the card of an approval. A help for the eye: nothing is decided by them. */
export function risksOf(analysis: Analysis): string[] {
  const risks = new Set<string>();
  for (const command of analysis.commands) {
    if (hasSign(network, command)) risks.add('network');
    if (hasSign(deletes, command) || hasWord(command, 'find', ['-delete'])) risks.add('deletes files');
    if (hasSign(lockfile, command)) risks.add('changes lockfile');
    if (hasSign(permissions, command)) risks.add('changes permissions');
    if (hasWord(command, 'sed', ['-i', '--in-place'])) risks.add('writes files');
    const name = nameOf(command);
    if (Object.hasOwn(interpreters, name) && (name === 'awk' || hasWord(command, name, interpreters[name] ?? []))) {
      risks.add('runs an inline script');
    }
    const outside = command.words.slice(1).some(({ value, prefix }) => isOutside(value ?? prefix));
    if (outside) risks.add(writers.has(name) ? 'writes outside the working copy' : 'reads outside the working copy');
  }
  if (analysis.writes.some(({ value, prefix }) => isOutside(value ?? prefix))) risks.add('writes outside the working copy');
  for (const kind of analysis.escapes.keys()) {
    const { risk } = escapeMeanings[kind];
    if (risk !== null) risks.add(risk);
  }
  return [...risks];
}

function nameOf(command: SimpleCommand): string {
  return programName(command.words[0]?.value ?? '');
}

function hasSign(signs: Signs, command: SimpleCommand): boolean {
  const name = nameOf(command);
  if (!Object.hasOwn(signs, name)) return false;
  const subcommands = signs[name] ?? [];
  return subcommands.length === 0 || hasWord(command, name, subcommands);
}

function hasWord(command: SimpleCommand, name: string, words: readonly string[]): boolean {
  return nameOf(command) === name && command.words.slice(1).some(({ value }) => value !== undefined && words.includes(value));
}
