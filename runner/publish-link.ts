import type { Repository } from '../src/contracts/code-host.ts';

/** Where people see a branch of a repository of GitHub; undefined: its web address does not follow from the address that git uses. */
export function branchLink(address: string, { owner, name }: Repository, branch: string): string | undefined {
  const origin = webOrigin(address);
  if (origin === undefined) return undefined;
  const path = [owner, name, 'tree', ...branch.split('/')].map(encodeURIComponent).join('/');
  return `${origin}/${path}`;
}

function webOrigin(address: string): string | undefined {
  if (!address.includes('://')) {
    const host = /^(?:[^@/]+@)?([A-Za-z0-9.-]+):/.exec(address)?.[1];
    return host === undefined ? undefined : `https://${host}`;
  }
  if (!URL.canParse(address)) return undefined;
  const { protocol, origin, hostname } = new URL(address);
  if (protocol === 'https:' || protocol === 'http:') return origin;
  return hostname === '' ? undefined : `https://${hostname}`;
}
