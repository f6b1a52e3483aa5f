import type { IncomingMessage } from 'node:http';
import { isRecord, type Json } from '../slack/json.ts';
import { GithubApiError, invalidRequest, notFound } from './api-error.ts';
import type { Operation, Schema } from './schema.ts';

/** Reading a request, and refusing what GitHub's description of the operation does not allow. */

/** Versions of the API that GitHub speaks. */
const VERSIONS = ['2022-11-28', '2026-03-10'];
export const DEFAULT_VERSION = '2022-11-28';
const MAX_BODY = 10 * 1024 * 1024;
const REST = 'https://docs.github.com/rest';

export async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MAX_BODY) throw new GithubApiError(413, 'Payload too large', { docs: REST });
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString();
}

/** Every body is a JSON object, whatever content type it comes with. */
export function parseBody(text: string): Json {
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new GithubApiError(400, 'Problems parsing JSON', { docs: REST });
  }
  if (value === null) return {};
  if (!isRecord(value)) throw new GithubApiError(400, 'Body should be a JSON object', { docs: REST });
  return value;
}

export function checkHeaders(request: IncomingMessage): { version: string; accept: string } {
  const given = request.headers['x-github-api-version'];
  const version = typeof given === 'string' && given !== '' ? given : DEFAULT_VERSION;
  if (!VERSIONS.includes(version))
    throw new GithubApiError(400, `"${version}" is not a supported version. Supported versions are: ${VERSIONS.join(', ')}.`, {
      docs: 'https://docs.github.com/rest/about-the-rest-api/api-versions',
    });
  const accept = (request.headers.accept ?? '*/*').toLowerCase();
  const types = accept.split(',').map((entry) => entry.split(';')[0]?.trim() ?? '');
  const isGood = types.some(
    (type) => ['*/*', 'application/*', 'application/json'].includes(type) || type.startsWith('application/vnd.github'),
  );
  if (!isGood)
    throw new GithubApiError(415, `Unsupported 'Accept' header: '${accept}'. Must accept 'application/json'.`, { docs: REST });
  return { version, accept };
}

/** Throws 404 for path parameters of the wrong kind, and 422 for query parameters and bodies that the description does not allow. */
export function checkInput(
  schema: Schema,
  operation: Operation,
  params: Record<string, string>,
  query: URLSearchParams,
  body: Json,
): void {
  const problems: string[] = [];
  for (const parameter of operation.parameters) {
    const given =
      parameter.in === 'path' ? params[parameter.name] : parameter.in === 'query' ? query.get(parameter.name) : undefined;
    if (given === undefined || given === null) {
      if (parameter.required && parameter.in === 'query') problems.push(`"${parameter.name}" wasn't supplied.`);
      continue;
    }
    const type = parameter.schema?.type;
    const value =
      (type === 'integer' || type === 'number') && given.trim() !== ''
        ? Number(given)
        : type === 'boolean'
          ? given === 'true'
          : given;
    const found = parameter.schema ? schema.check(parameter.schema, value, {}) : [];
    if (found.length > 0 && parameter.in === 'path') throw notFound();
    problems.push(...found.map(({ message }) => message.replace("For ''", `For 'properties/${parameter.name}'`)));
  }
  const hasBody = Object.keys(body).length > 0;
  if (operation.body && (hasBody || operation.bodyRequired))
    problems.push(...schema.check(operation.body, body, { strict: true }).map(({ message }) => message));
  else if (!operation.body && hasBody && operation.verb !== 'GET')
    problems.push(...Object.keys(body).map((name) => `"${name}" is not a permitted key.`));
  if (problems.length > 0) throw invalidRequest([...new Set(problems)]);
}

/** What is wrong about an answer of the emulator itself; empty when it fits GitHub's description. */
export function mistakesOf(schema: Schema, operation: Operation, status: number, body: unknown): string[] {
  if (status >= 300) return [];
  const expected = operation.responses[String(status)];
  if (expected === undefined) return [`${operation.name} does not answer ${status}`];
  if (expected === null) return body === undefined ? [] : [`${operation.name} answers ${status} without a body`];
  return schema.check(expected, body).map(({ at, message }) => `${operation.name} ${status} ${at}: ${message}`);
}
