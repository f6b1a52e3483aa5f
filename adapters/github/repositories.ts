import type { Repository } from '../../src/contracts/code-host.ts';

/** Where the repositories of an API are: `https://api.github.com` serves those of `https://github.com`, `https://ghe/api/v3` those of `https://ghe`. */
export function webOrigin(apiUrl: string): URL {
  const url = new URL(apiUrl);
  if (url.host === 'api.github.com') return new URL('https://github.com');
  return new URL(url.origin);
}

/** Names as GitHub takes them: an account has letters, digits and hyphens, a repository dots and underscores too. */
const owner = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$/;
const name = /^[A-Za-z0-9._-]{1,100}$/;

/**
 * The repository that an address of git names, when it lies at this host: `https://github.com/acme/web.git`, `git@github.com:acme/web`,
 * `ssh://git@github.com/acme/web.git`. Over HTTP only at exactly this origin, because a login is sent there.
 */
export function repositoryAt(address: string, web: URL): Repository | undefined {
  const scp = /^(?:[^@/\s]+@)?([^:/\s]+):(?!\/\/)(.+)$/.exec(address);
  if (scp !== null && !address.includes('://')) {
    return scp[1]?.toLowerCase() === web.hostname ? named(scp[2] ?? '') : undefined;
  }
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  if (url.protocol === 'ssh:') return url.hostname === web.hostname ? named(url.pathname) : undefined;
  return url.origin === web.origin ? named(url.pathname) : undefined;
}

function named(path: string): Repository | undefined {
  const parts = path.replace(/^\/+|\/+$/g, '').split('/');
  const [first, second] = parts;
  if (parts.length !== 2 || first === undefined || second === undefined) return undefined;
  const bare = second.replace(/\.git$/, '');
  if (!owner.test(first) || !name.test(bare) || bare === '.' || bare === '..') return undefined;
  return { owner: first, name: bare };
}
