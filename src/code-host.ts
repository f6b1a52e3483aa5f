import { createGithubHost } from '../adapters/github/host.ts';
import type { Config } from './config.ts';
import type { CodeHost } from './contracts/code-host.ts';

/** The code host that is configured, if any. No request is made before it is used. */
export function createCodeHost({ codeHost }: Pick<Config, 'codeHost'>): CodeHost | undefined {
  return codeHost === undefined ? undefined : createGithubHost(codeHost);
}
