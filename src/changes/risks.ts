import { posix } from 'node:path';
import { type FileStat, type Risk, type RiskKind, riskKinds } from '../contracts/run-event.ts';
import { lockfiles } from './lockfiles.ts';

/** What a list of changed files does not tell. */
export interface ChangeFacts {
  /** Files in which lines were added that look like secrets. */
  secrets: readonly string[];
  /** What commits on the way to the change have of secrets, beside these: names of files, or of messages. */
  earlierSecrets?: readonly string[] | undefined;
  /** Links that were made or changed, with what they hold. */
  links: readonly { path: string; target: string }[];
}

/** A file larger than this is worth a look, and its size is told. */
export const largeBytes = 1_000_000;
/** Paths named with each risk; `Risk.files` counts all of them. */
export const maxRiskPaths = 20;

/** What to look at twice in a change, gravest first. Says nothing about what is not there. Pure. */
export function risksOf(files: readonly FileStat[], facts: ChangeFacts): Risk[] {
  const found = new Map<RiskKind, Set<string>>();
  const add = (kind: RiskKind, path: string) => found.set(kind, (found.get(kind) ?? new Set()).add(path));
  for (const path of facts.secrets) add('secret', path);
  for (const path of facts.earlierSecrets ?? []) if (!facts.secrets.includes(path)) add('history', path);
  for (const { path, target } of facts.links) if (leadsOutside(path, target)) add('link', path);
  for (const file of files) for (const kind of risksOfFile(file)) add(kind, file.path);
  return riskKinds.flatMap((kind) => {
    const paths = found.get(kind);
    return paths === undefined ? [] : [{ kind, paths: [...paths].slice(0, maxRiskPaths), files: paths.size }];
  });
}

function risksOfFile(file: FileStat): RiskKind[] {
  const { path, from, status, kinds, bytes, added, removed } = file;
  const names = from === undefined ? [path] : [path, from];
  const kindsByName = pathRules.filter(([, rule]) => names.some((name) => rule.test(name))).map(([kind]) => kind);
  return [
    ...kindsByName,
    ...(kinds?.before === 'submodule' || kinds?.after === 'submodule' ? (['submodule'] as const) : []),
    ...(kinds?.after === 'executable' && kinds.before !== 'executable' ? (['executable'] as const) : []),
    ...(status === 'deleted' ? (['deletion'] as const) : []),
    ...((bytes?.after ?? 0) > largeBytes ? (['large'] as const) : []),
    ...((added === null || removed === null) && status !== 'deleted' ? (['binary'] as const) : []),
  ];
}

/** Names whose change has effects beyond the code: on servers, on the machines of whoever checks it out, on what gets installed. */
const pathRules: readonly (readonly [RiskKind, RegExp])[] = [
  [
    'ci',
    /^(?:\.github\/(?:workflows|actions)\/|\.forgejo\/workflows\/|\.gitea\/workflows\/|\.circleci\/|\.buildkite\/|\.gitlab\/ci\/|\.tekton\/)|(?:^|\/)(?:\.gitlab-ci\.ya?ml|\.travis\.ya?ml|\.drone\.ya?ml|\.woodpecker(?:\/.+)?\.ya?ml|\.cirrus\.ya?ml|azure-pipelines[^/]*\.ya?ml|bitbucket-pipelines\.ya?ml|cloudbuild\.ya?ml|appveyor\.ya?ml|jenkinsfile[^/]*|action\.ya?ml|buildspec[^/]*\.ya?ml)$/i,
  ],
  [
    'automation',
    /(?:^|\/)(?:\.claude|\.codex|\.cursor|\.gemini|\.windsurf|\.husky|\.githooks|\.git-hooks|\.devcontainer|\.vscode|\.idea)\/|(?:^|\/)(?:\.mcp\.json|claude(?:\.local)?\.md|agents(?:\.override)?\.md|gemini\.md|\.cursorrules|\.windsurfrules|copilot-instructions\.md|\.pre-commit-config\.ya?ml|lefthook\.ya?ml|\.lefthook\.ya?ml|\.lintstagedrc[^/]*|\.envrc|\.gitattributes|\.gitconfig|\.npmrc|\.yarnrc(?:\.yml)?|\.pnpmfile\.cjs|\.devcontainer\.json)$/i,
  ],
  ['submodule', /(?:^|\/)\.gitmodules$/i],
  ['lockfile', lockfiles],
  [
    'migration',
    /(?:^|\/)(?:migrations?|db\/migrate|alembic\/versions|flyway|liquibase)\/[^/]|(?:^|\/)(?:v\d+(?:[._]\d+)*__[^/]+\.sql|schema\.prisma|structure\.sql|db\/schema\.rb)$/i,
  ],
  [
    'container',
    /(?:^|\/)(?:[^/]*\.)?(?:dockerfile|containerfile)(?:\.[^/]+)?$|(?:^|\/)(?:\.dockerignore|(?:docker-)?compose[^/]*\.ya?ml)$/i,
  ],
];

/** Whether a link leads out of the repository, or into its `.git`. */
function leadsOutside(path: string, target: string): boolean {
  if (/^(?:[/\\~]|[a-z]:)/i.test(target)) return true;
  const reached = posix.normalize(posix.join(posix.dirname(path), target.replaceAll('\\', '/')));
  return /^\.\.(?:\/|$)/.test(reached) || /(?:^|\/)\.git(?:\/|$)/i.test(reached);
}
