import { isRecord, type Json } from '../slack/json.ts';
import { hasRole, type Rights, roleOf } from './access.ts';
import { forbidden, invalidRequest } from './api-error.ts';
import type { Caller } from './caller.ts';
import type { ApiCall } from './calls.ts';
import type { Core } from './core.ts';
import type { Account, Repository } from './model.ts';
import type { Operation } from './schema.ts';

/** One call of an operation, already authenticated and with a body that fits GitHub's description. */
export interface Call {
  core: Core;
  caller: Caller;
  operation: Operation;
  /** Path parameters by name. */
  params: Record<string, string>;
  query: URLSearchParams;
  /** Path of the request below the API's base, with `/repositories/:id` where GitHub's links have it. */
  linkPath: string;
  body: Json;
  /** `Accept`, lower case. */
  accept: string;
  record: ApiCall;
}

export interface RepositoryCall extends Call {
  repository: Repository;
  /** Who acts; throws 404 for callers who are nobody. */
  actor(): Account;
}

export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string> | undefined;
  /** Sent as it is, instead of JSON. */
  text?: { type: string; content: string } | undefined;
}

interface Common {
  operation: string;
}

export type Route = Common &
  (
    | { on: 'repository'; rights: Rights; handle(call: RepositoryCall): Answer | Promise<Answer> }
    | { on: 'account'; as: 'anybody' | 'token' | 'app' | 'installation'; handle(call: Call): Answer | Promise<Answer> }
  );

/** `role`: what people need to be, `read` unless given. `needs`: what fine-grained and installation tokens need; one is enough. */
export function onRepository(
  operation: string,
  rights: { needs: Rights['needs'][number] | Rights['needs']; role?: Rights['role'] },
  handle: (call: RepositoryCall) => Answer | Promise<Answer>,
): Route {
  const needs = typeof rights.needs === 'string' ? [rights.needs] : rights.needs;
  return { operation, on: 'repository', rights: { needs, role: rights.role ?? 'read' }, handle };
}

export function onAccount(
  operation: string,
  as: 'anybody' | 'token' | 'app' | 'installation',
  handle: (call: Call) => Answer | Promise<Answer>,
): Route {
  return { operation, on: 'account', as, handle };
}

export const ok = (body: unknown, headers?: Record<string, string>): Answer => ({ status: 200, body, headers });
export const created = (body: unknown): Answer => ({ status: 201, body });
export const noContent: Answer = { status: 204 };

export function textOf(body: Json, name: string): string | undefined {
  const value = body[name];
  return typeof value === 'string' ? value : undefined;
}

export function listOf(body: Json, name: string): string[] | undefined {
  const value = body[name];
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : undefined;
}

export function recordOf(body: Json, name: string): Json {
  const value = body[name];
  return isRecord(value) ? value : {};
}

/** The part of a list that `page` and `per_page` ask for, and the Link header that leads to the others. */
export function page<T>(call: Call, all: readonly T[]): { items: T[]; headers: Record<string, string> } {
  const per = Math.min(100, numberIn(call, 'per_page', 30));
  const at = numberIn(call, 'page', 1);
  const last = Math.max(1, Math.ceil(all.length / per));
  const link = (number: number, rel: string) => {
    const query = new URLSearchParams(call.query);
    query.set('page', String(number));
    return `<${call.core.apiUrl}${call.linkPath}?${query}>; rel="${rel}"`;
  };
  const links = [
    ...(at > 1 ? [link(at - 1, 'prev')] : []),
    ...(at < last ? [link(at + 1, 'next'), link(last, 'last')] : []),
    ...(at > 1 ? [link(1, 'first')] : []),
  ];
  return { items: all.slice((at - 1) * per, at * per), headers: links.length === 0 ? {} : { link: links.join(', ') } };
}

/** A page of a list as the whole answer. */
export function pageOf<T>(call: Call, all: readonly T[], wire: (entry: T) => unknown): Answer {
  const { items, headers } = page(call, all);
  return ok(items.map(wire), headers);
}

/** What was changed from `since` on, in the order that `sort` and `direction` ask for; as they were made unless something is asked for. */
export function changedSince<T extends { createdAt: number; updatedAt: number }>({ query }: Call, all: readonly T[]): T[] {
  const since = query.get('since');
  const by = query.get('sort') === 'updated' ? 'updatedAt' : 'createdAt';
  // Without an order to turn round the direction means nothing.
  const sign = query.get('sort') !== null && query.get('direction') === 'desc' ? -1 : 1;
  // The times of GitHub have no milliseconds.
  const second = (at: number) => Math.floor(at / 1000);
  return all
    .filter(({ updatedAt }) => since === null || second(updatedAt) >= second(Date.parse(since)))
    .toSorted((one, other) => (one[by] - other[by]) * sign);
}

/** What somebody wrote can be changed by its author, and by people with write access. Installations were asked for their permission already. */
export function requireAuthorOr(call: RepositoryCall, author: string): void {
  const { login } = call.actor();
  const isPrivileged = call.caller.kind === 'installation' || hasRole(roleOf(call.repository, login), 'write');
  if (login !== author && !isPrivileged) throw forbidden('Must have push access to repository');
}

function numberIn(call: Call, name: string, fallback: number): number {
  const given = call.query.get(name);
  const value = given === null ? fallback : Number(given);
  if (!Number.isInteger(value)) throw invalidRequest([`For 'properties/${name}', ${JSON.stringify(given)} is not an integer.`]);
  return value < 1 ? fallback : value;
}
