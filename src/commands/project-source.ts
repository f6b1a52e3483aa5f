import { isAbsolute } from 'node:path';
import { AppError } from '../contracts/errors.ts';
import type { Project } from '../store/projects.ts';

/**
 * Reads where a repository is: a URL, `user@host:path` or the full path of a directory. Refuses (DH-505) what is none of them, so that
 * a slip is said at once; the runner checks again before git sees it.
 */
export function readSource(text: string): { source: Project['source']; hasLogin: boolean } {
  if (isAbsolute(text)) return { source: { kind: 'path', path: text }, hasLogin: false };
  const refuse = (why: string) => new AppError('DH-505', { source: withoutLogin(text).slice(0, 200), why });
  if (/\p{Cc}|\s/u.test(text)) throw refuse('it contains spaces or control characters');
  if (text.startsWith('~') || text.startsWith('.')) throw refuse('a directory is named by its full path');
  if (!text.includes('://')) {
    if (/^(?:[A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!:).+$/.test(text))
      return { source: { kind: 'git', url: text }, hasLogin: false };
    throw refuse('it is neither a URL, nor user@host:path, nor the full path of a directory');
  }
  if (!URL.canParse(text)) throw refuse('it is not a complete URL');
  const url = new URL(text);
  if (!['https:', 'http:', 'ssh:', 'git:'].includes(url.protocol))
    throw refuse(`${url.protocol}// is not one of https, ssh, git and http`);
  if (url.hostname === '' || url.pathname.replaceAll('/', '') === '') throw refuse('it names no repository');
  return {
    source: { kind: 'git', url: text },
    hasLogin: url.password !== '' || (url.username !== '' && url.protocol.startsWith('http')),
  };
}

/** The address as people may see it: without user name and password. */
export function sourceText(source: Project['source']): string {
  return source.kind === 'path' ? source.path : withoutLogin(source.url);
}

function withoutLogin(text: string): string {
  if (!text.includes('://') || !URL.canParse(text)) return text.replace(/:\/\/[^/@]*@/, '://');
  const url = new URL(text);
  if (!url.protocol.startsWith('http')) url.password = '';
  else {
    url.username = '';
    url.password = '';
  }
  return url.href;
}
