import type { Environment, VariableName } from './variables.ts';

/** What a code host needs to be reached. */
export interface CodeHostConfig {
  kind: 'github';
  apiUrl: string;
  login: { type: 'token'; token: string } | { type: 'app'; id: string; privateKey: string };
  /** Undefined: the code host does not tell of news by itself. */
  webhookSecret: string | undefined;
}

export function codeHostConfig(env: Environment): CodeHostConfig | undefined {
  const apiUrl = env.GITHUB_API_URL ?? 'https://api.github.com';
  const webhookSecret = env.GITHUB_WEBHOOK_SECRET;
  const { GITHUB_TOKEN: token, GITHUB_APP_ID: id, GITHUB_APP_PRIVATE_KEY: privateKey } = env;
  if (id !== undefined && privateKey !== undefined)
    return { kind: 'github', apiUrl, login: { type: 'app', id, privateKey }, webhookSecret };
  return token === undefined ? undefined : { kind: 'github', apiUrl, login: { type: 'token', token }, webhookSecret };
}

/** Problems between the variables of GitHub, as sentences. */
export function codeHostConflicts(value: (name: VariableName) => string | undefined): string[] {
  const [token, id, key] = (['GITHUB_TOKEN', 'GITHUB_APP_ID', 'GITHUB_APP_PRIVATE_KEY'] as const).map(
    (name) => value(name) !== undefined,
  );
  const hook = value('GITHUB_WEBHOOK_SECRET') !== undefined;
  return [
    ...(hook && token !== true && id !== true
      ? ['GITHUB_WEBHOOK_SECRET needs GITHUB_TOKEN or GITHUB_APP_ID: what it tells of is asked for there']
      : []),
    ...(id === true && key !== true
      ? ['GITHUB_APP_PRIVATE_KEY is needed with GITHUB_APP_ID: it proves that Deckhand is the app']
      : []),
    ...(key === true && id !== true ? ['GITHUB_APP_ID is needed with GITHUB_APP_PRIVATE_KEY: it names the app'] : []),
    ...(token === true && id === true ? ['GITHUB_TOKEN and GITHUB_APP_ID are two ways to act at GitHub: unset one of them'] : []),
  ];
}
