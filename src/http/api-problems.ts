import type { ApiProblem } from '../contracts/api.ts';
import { type AppError, describeError, type ErrorCode } from '../contracts/errors.ts';

/** How HTTP calls what went wrong; everything else that a person is told is a 400. */
const statuses: Partial<Record<ErrorCode, number>> = {
  'DH-204': 404,
  'DH-205': 404,
  'DH-222': 401,
  'DH-223': 403,
  'DH-224': 404,
  'DH-225': 429,
  'DH-230': 401,
  'DH-231': 421,
  'DH-232': 403,
  'DH-233': 403,
  'DH-299': 500,
};

export const problemType = 'application/problem+json';

/** An error of the catalogue as a problem of RFC 9457. */
export function problemOf({ code, params }: Pick<AppError, 'code' | 'params'>, reference: string): ApiProblem {
  const { title, text, remedy } = describeError(code, params);
  return { type: `urn:deckhand:${code}`, title, status: statuses[code] ?? 400, detail: text, code, remedy, reference };
}

/** What HTTP itself has found wrong with a request. */
export function plainProblem(status: number, detail: string, reference: string): ApiProblem {
  return { type: 'about:blank', title: status === 404 ? 'Not found' : 'Bad request', status, detail, reference };
}

/** Headers that go with a problem. */
export function problemHeaders({ status }: ApiProblem, { params }: { params?: AppError['params'] }): Record<string, string> {
  if (status === 401) return { 'www-authenticate': 'Bearer realm="Deckhand"' };
  if (status === 429) return { 'retry-after': String(params?.seconds ?? 60) };
  return {};
}
