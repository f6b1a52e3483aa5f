import { isAbsolute } from 'node:path';
import { AppError } from '../src/contracts/errors.ts';
import type { RunSpec } from '../src/contracts/run-control.ts';

export type ProjectSource = RunSpec['project']['source'];

/** A source as it is handed to git. */
export interface GitSource {
  /** Without user name and password. Safe to show and to log. */
  address: string;
  protocol: 'https' | 'http' | 'ssh' | 'git' | 'file';
  /** Login taken out of the address, as the value of an Authorization header. */
  authorization?: string | undefined;
}

const protocols = ['https', 'http', 'ssh', 'git'] as const;

/**
 * Checks what a maintainer gave as the address of a repository before git sees it. Throws DH-505 for what git could take for an
 * option, a program to run or a file of the host.
 */
export function parseSource(source: ProjectSource): GitSource {
  return source.kind === 'path' ? parsePath(source.path) : parseUrl(source.url);
}

function parsePath(path: string): GitSource {
  if (!isAbsolute(path)) throw unusable(path, 'a directory is named by its full path');
  if (hasControl(path)) throw unusable(path, 'it contains control characters');
  return { address: path, protocol: 'file' };
}

function parseUrl(url: string): GitSource {
  if (url.startsWith('-')) throw unusable(url, 'it begins with a dash');
  if (hasControl(url) || /\s/.test(url)) throw unusable(url, 'it contains spaces or control characters');
  // `ext::`, `fd::` and the like name a program.
  if (/^[a-z0-9+.-]*::/i.test(url)) throw unusable(url, 'it names a transport program');
  if (url.includes('://')) return parseWithScheme(url);
  return parseScp(url);
}

function parseWithScheme(url: string): GitSource {
  if (!URL.canParse(url)) throw unusable(url, 'it is not a complete URL');
  const parsed = new URL(url);
  const protocol = protocols.find((name) => `${name}:` === parsed.protocol);
  if (protocol === undefined) {
    throw unusable(withoutLogin(parsed), `${parsed.protocol}// is not one of https, ssh, git and http`);
  }
  if (parsed.hostname === '' || parsed.hostname.startsWith('-')) throw unusable(withoutLogin(parsed), 'it names no host');
  if (parsed.pathname.replaceAll('/', '') === '') throw unusable(withoutLogin(parsed), 'it names no repository');
  if (protocol === 'ssh') {
    if (parsed.username.startsWith('-')) throw unusable(withoutLogin(parsed), 'the user name begins with a dash');
    parsed.password = '';
    return { address: parsed.href, protocol };
  }
  const login =
    parsed.username === '' && parsed.password === ''
      ? undefined
      : `${decodeURIComponent(parsed.username)}:${decodeURIComponent(parsed.password)}`;
  return {
    address: withoutLogin(parsed),
    protocol,
    ...(login === undefined ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` }),
  };
}

/** `user@host:path`, as ssh writes it. */
function parseScp(url: string): GitSource {
  const match = /^(?:([A-Za-z0-9_][A-Za-z0-9_.-]*)@)?([A-Za-z0-9][A-Za-z0-9.-]*):(?!\/\/)(.+)$/.exec(url);
  if (match === null) throw unusable(url, 'it is neither a URL nor of the form user@host:path');
  return { address: url, protocol: 'ssh' };
}

function withoutLogin(url: URL): string {
  const bare = new URL(url.href);
  bare.username = '';
  bare.password = '';
  return bare.href;
}

function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

function unusable(source: string, why: string): AppError {
  return new AppError('DH-505', { source: source.slice(0, 200), why });
}
