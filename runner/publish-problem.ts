import { CodeHostError } from '../src/contracts/code-host.ts';
import { AppError, type ErrorParams } from '../src/contracts/errors.ts';
import type { PublishProblem, PublishSpec } from '../src/contracts/publish-control.ts';

export interface Trouble {
  problem: PublishProblem;
  /** It may pass: worth another try. */
  passes: boolean;
  /** Not before this many milliseconds. */
  afterMs: number | undefined;
}

/** What people are told about an error on the way of a publication, and whether trying again may help. `clean` takes secrets out of a text. */
export function troubleOf(error: unknown, spec: PublishSpec, clean: (text: string) => string): Trouble {
  if (error instanceof AppError) {
    const { code, params } = error;
    return { problem: { code, params: cleaned(params, clean) }, passes: code === 'DH-500', afterMs: undefined };
  }
  if (error instanceof CodeHostError) return ofCodeHost(error, spec, clean);
  // A mistake of the program, or a database that is away: the log knows it by the name of the publication.
  return { problem: { code: 'DH-299', params: { reference: spec.publication } }, passes: true, afterMs: undefined };
}

function ofCodeHost(
  { reason, message, retryAfterMs }: CodeHostError,
  spec: PublishSpec,
  clean: (text: string) => string,
): Trouble {
  const { remote, branch } = spec;
  const detail = clean(message).replace(/[.\s]+$/, '');
  if (reason === 'unreachable') {
    const remedy = 'Try again later; when it stays, check whether this machine reaches the code host.';
    return { problem: { code: 'DH-500', params: { url: remote, detail, remedy } }, passes: true, afterMs: retryAfterMs };
  }
  return { problem: { code: 'DH-530', params: { branch, remote, detail } }, passes: false, afterMs: undefined };
}

function cleaned(params: ErrorParams, clean: (text: string) => string): ErrorParams {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, typeof value === 'string' ? clean(value) : value]),
  );
}
