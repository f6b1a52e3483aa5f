import { AppError } from '../src/contracts/errors.ts';
import { GitFailed } from './git.ts';

interface Sign {
  pattern: RegExp;
  error(address: string, detail: string): AppError;
}

/** What git writes when it cannot read a repository, in the order in which it is looked for. */
const signs: readonly Sign[] = [
  {
    pattern: /detected dubious ownership/i,
    error: (address) => new AppError('DH-506', { source: address }),
  },
  {
    pattern: /cannot run ssh|exec 'ssh'|ssh: not found/i,
    error: (address) => unreachable(address, 'the program ssh is missing on this machine', 'Install an ssh client.'),
  },
  {
    pattern: /Host key verification failed/i,
    error: (address) =>
      unreachable(address, 'the key of the host is not known', 'Add it to known_hosts of the user that runs Deckhand.'),
  },
  {
    pattern: /no such identity|Identity file .* not accessible/i,
    error: (address, detail) => unreachable(address, detail, 'Check GIT_SSH_KEY_FILE.'),
  },
  {
    pattern: /bad permissions/i,
    error: (address) =>
      unreachable(address, 'others may read the ssh key, so ssh does not use it', 'chmod 600 the file of GIT_SSH_KEY_FILE.'),
  },
  {
    pattern:
      /could not read (?:Username|Password)|Authentication failed|Permission denied \(|returned error: 40[13]\b|terminal prompts disabled/i,
    error: (address) => new AppError('DH-504', { source: address }),
  },
  {
    pattern: /Could not resolve host(?:name)?|Name or service not known|Temporary failure in name resolution/i,
    error: (address) =>
      unreachable(address, 'its host name is not known', 'Check the spelling of the address and the name server.'),
  },
  {
    pattern: /SSL certificate|certificate verify|unable to get local issuer/i,
    error: (address) =>
      unreachable(address, 'its certificate is not trusted', 'Install the certificate authority on this machine.'),
  },
  {
    pattern:
      /Connection refused|Failed to connect|Couldn't connect|Connection timed out|Connection reset|No route to host|Network is unreachable|Operation timed out|Operation too slow/i,
    error: (address, detail) => unreachable(address, detail, 'Check the address and whether this machine reaches the host.'),
  },
  {
    pattern: /returned error: 30[12378]\b|unable to update url base from redirection/i,
    error: (address) => new AppError('DH-501', { source: address, detail: 'the host answers that it is at another address now' }),
  },
  {
    pattern: /returned error: 404|Repository not found|repository '.*' not found/i,
    error: (address) =>
      new AppError('DH-501', { source: address, detail: 'the host answers that there is none at this address' }),
  },
  {
    pattern:
      /does not appear to be a git repository|not a git repository|not valid: is this a git repository|No such file or directory/i,
    error: (address) => new AppError('DH-501', { source: address, detail: 'there is no repository at this address' }),
  },
  {
    pattern:
      /fsck error|error in object|index-pack failed|bad object|unpack-objects abnormal|invalid index-pack|corrupt|loose object .* is corrupt/i,
    error: (address, detail) => new AppError('DH-507', { source: address, detail }),
  },
  {
    pattern:
      /returned error: 5\d\d|hung up unexpectedly|early EOF|RPC failed|Could not read from remote repository|kex_exchange/i,
    error: (address, detail) => unreachable(address, detail, 'Try again later; when it stays, check the address and the host.'),
  },
];

/** A checkout that cannot write a file gives no reason; in a directory of our own there is only this one. */
const fullPattern = /No space left on device|Disk quota exceeded|ENOSPC|EDQUOT|unable to write file [^:]*$/;

/** What is wrong with this machine: a full disk as DH-508, however node or git tell of it, and a missing git as DH-510. Others pass. */
export function machineError(error: unknown): unknown {
  if (error instanceof AppError) return error;
  if (error instanceof GitFailed && error.reason === 'not_started' && /ENOENT/.test(error.stderr)) {
    return new AppError('DH-510', {}, { cause: error });
  }
  const words = error instanceof GitFailed ? error.stderr : isSystemError(error) ? error.message : '';
  const line = words.split(/[\r\n]+/).find((text) => fullPattern.test(text));
  return line === undefined ? error : new AppError('DH-508', { detail: shorten(line) }, { cause: error });
}

/** Files that no disk takes: names that are too long, for example. What is wrong with the machine goes before; others pass. */
export function checkoutError(error: unknown, commit: string): unknown {
  const told = machineError(error);
  if (told !== error || !(error instanceof GitFailed) || error.reason !== 'exit') return told;
  const line = error.stderr
    .split(/[\r\n]+/)
    .find((text) => /unable to create (?:file|directory|symlink)|cannot create directory/i.test(text));
  if (line === undefined) return error;
  const params = { commit: commit.slice(0, 12), detail: shorten(shortenedName(line)) };
  return new AppError('DH-515', params, { cause: error });
}

/** The reason stands behind the name, which may be of any length. */
function shortenedName(text: string): string {
  return text.length <= 160 ? text : `${text.slice(0, 80)}…${text.slice(-60)}`;
}

/** One of this machine: what a helper in a sandbox says of its own disk is a plain text in an error. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

/** Turns a failed git call over a project's source into what a person can be told. Other errors are returned as they are. */
export function sourceError(error: unknown, address: string): unknown {
  const machine = machineError(error);
  if (machine !== error || !(error instanceof GitFailed) || error.reason === 'not_started') return machine;
  const told = error.reason === 'timed_out' ? late(address) : explained(error.stderr, address);
  told.cause = error;
  return told;
}

function explained(stderr: string, address: string): AppError {
  const lines = stderr.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  for (const { pattern, error } of signs) {
    const line = lines.find((text) => pattern.test(text));
    if (line !== undefined) return error(address, shorten(line));
  }
  return new AppError('DH-507', { source: address, detail: shorten(lines.at(-1) ?? 'git gives no reason') });
}

function late(address: string): AppError {
  return unreachable(address, 'it did not answer in time', 'Try again later; when it stays, check the address and the host.');
}

function unreachable(url: string, detail: string, remedy: string): AppError {
  return new AppError('DH-500', { url, detail, remedy });
}

/** Without the marks of git, the address (it is named anyway) and the final dot. */
function shorten(line: string): string {
  return line
    .replace(/^\s*(?:(?:fatal|error|remote|ssh):\s*)+/i, '')
    .replace(/^unable to access '[^']*': /, '')
    .replace(/[.\s]+$/, '')
    .slice(0, 300);
}
