import { readFileSync, writeFileSync } from 'node:fs';
import { isRecord, type Json } from '../slack/json.ts';

/**
 * Writes api-schema.jsonl anew from GitHub's own descriptions, cut to what the emulator speaks; one operation, webhook or schema per line.
 * Both files come from npm and are too large to be dependencies (96 MB and 38 MB):
 *
 *     npm pack @octokit/openapi @octokit/openapi-webhooks
 *     node lab/github/trim-schema.ts openapi/generated/api.github.com.json openapi-webhooks/generated/api.github.com.json
 *
 * Descriptions, examples and titles are left out; everything that a value can be checked against stays.
 */

const OPERATIONS = `
  users/get-authenticated users/get-by-username users/get-by-id rate-limit/get
  apps/get-authenticated apps/list-installations apps/get-installation apps/create-installation-access-token
  apps/get-repo-installation apps/get-org-installation apps/get-user-installation apps/list-repos-accessible-to-installation
  apps/revoke-installation-access-token apps/list-webhook-deliveries apps/get-webhook-delivery apps/redeliver-webhook-delivery
  repos/get repos/list-branches repos/get-branch repos/list-commits repos/get-commit repos/compare-commits-with-basehead
  repos/get-collaborator-permission-level repos/check-collaborator
  repos/get-combined-status-for-ref repos/list-commit-statuses-for-ref repos/create-commit-status
  repos/list-pull-requests-associated-with-commit
  repos/list-webhooks repos/create-webhook repos/get-webhook repos/delete-webhook repos/ping-webhook
  repos/list-webhook-deliveries repos/get-webhook-delivery repos/redeliver-webhook-delivery
  git/get-ref git/list-matching-refs git/create-ref git/update-ref git/delete-ref
  pulls/list pulls/create pulls/get pulls/update pulls/merge pulls/check-if-merged pulls/list-commits pulls/list-files
  pulls/request-reviewers pulls/remove-requested-reviewers pulls/list-requested-reviewers
  pulls/list-reviews pulls/create-review pulls/get-review pulls/update-review pulls/dismiss-review pulls/list-comments-for-review
  pulls/list-review-comments pulls/create-review-comment pulls/get-review-comment pulls/update-review-comment
  pulls/delete-review-comment pulls/create-reply-for-review-comment pulls/list-review-comments-for-repo pulls/update-branch
  issues/list-for-repo issues/create issues/get issues/update issues/list-comments issues/create-comment issues/get-comment
  issues/update-comment issues/delete-comment issues/list-comments-for-repo
  reactions/list-for-issue reactions/create-for-issue reactions/delete-for-issue reactions/list-for-issue-comment
  reactions/create-for-issue-comment reactions/delete-for-issue-comment reactions/create-for-pull-request-review-comment
  reactions/list-for-pull-request-review-comment reactions/delete-for-pull-request-comment
  checks/create checks/get checks/update checks/list-for-ref checks/list-for-suite checks/list-suites-for-ref checks/get-suite
  checks/list-annotations
  actions/list-workflow-runs-for-repo actions/get-workflow-run actions/list-jobs-for-workflow-run
  actions/get-job-for-workflow-run actions/download-job-logs-for-workflow-run actions/re-run-workflow-failed-jobs
  actions/re-run-workflow
`.match(/\S+/g);

const WEBHOOKS = `
  ping push create delete
  pull-request-opened pull-request-synchronize pull-request-closed pull-request-reopened pull-request-edited
  pull-request-ready-for-review pull-request-converted-to-draft pull-request-review-requested pull-request-review-request-removed
  pull-request-review-submitted pull-request-review-edited pull-request-review-dismissed
  pull-request-review-comment-created pull-request-review-comment-edited pull-request-review-comment-deleted
  issue-comment-created issue-comment-edited issue-comment-deleted
  issues-opened issues-edited issues-closed issues-reopened issues-deleted
  check-run-created check-run-completed check-suite-requested check-suite-rerequested check-suite-completed
  status workflow-run-requested workflow-run-in-progress workflow-run-completed
  workflow-job-queued workflow-job-in-progress workflow-job-completed
  installation-created installation-deleted
`.match(/\S+/g);

/** Keywords of a schema that say something about values. */
const KEPT = new Set([
  ...[
    '$ref',
    'type',
    'nullable',
    'enum',
    'const',
    'pattern',
    'format',
    'minimum',
    'maximum',
    'minLength',
    'maxLength',
    'default',
  ],
  ...['minItems', 'maxItems', 'items', 'required', 'properties', 'additionalProperties', 'allOf', 'anyOf', 'oneOf', 'not'],
]);

type Line = { kind: 'source' | 'operation' | 'webhook' | 'schema'; name: string } & Json;

function trimmed(schema: unknown): unknown {
  if (!isRecord(schema)) return schema;
  const out: Json = {};
  for (const [key, value] of Object.entries(schema)) {
    if (!KEPT.has(key)) continue;
    if (key === 'properties' && isRecord(value))
      out[key] = Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, trimmed(entry)]));
    else if (Array.isArray(value) && ['allOf', 'anyOf', 'oneOf'].includes(key)) out[key] = value.map(trimmed);
    else if (['items', 'additionalProperties', 'not'].includes(key)) out[key] = trimmed(value);
    else out[key] = value;
  }
  return out;
}

/** Every `#/components/schemas/x` below a value. */
function namesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn);
  if (!isRecord(value)) return [];
  const own = typeof value.$ref === 'string' ? [value.$ref.slice('#/components/schemas/'.length)] : [];
  return [...own, ...Object.values(value).flatMap(namesIn)];
}

const at = (value: unknown, ...path: string[]): unknown =>
  path.reduce<unknown>((node, step) => (isRecord(node) ? node[step] : undefined), value);

/** Follows a reference of the document; schemas stay references. */
function resolved(document: Json, value: unknown): unknown {
  const ref = at(value, '$ref');
  return typeof ref === 'string' ? at(document, ...ref.slice(2).split('/')) : value;
}

const jsonSchema = (document: Json, body: unknown): unknown => {
  const content = at(resolved(document, body), 'content');
  const json = at(content, 'application/json') ?? at(content, 'application/scim+json');
  return json === undefined ? undefined : trimmed(at(json, 'schema'));
};

/** Where the description says what GitHub does not do: there, an account would have to be a user and an enterprise in one. */
const CORRECTED: Readonly<Record<string, Json>> = {
  'apps/list-installations': { '200': { type: 'array', items: { $ref: '#/components/schemas/installation' } } },
};

function operationLines(document: Json): Line[] {
  const wanted = new Set(OPERATIONS);
  const lines = Object.entries(isRecord(document.paths) ? document.paths : {}).flatMap(([path, verbs]) =>
    Object.entries(isRecord(verbs) ? verbs : {}).flatMap(([verb, operation]): Line[] => {
      const name = String(at(operation, 'operationId'));
      if (!isRecord(operation) || !wanted.delete(name)) return [];
      const parameters = (Array.isArray(operation.parameters) ? operation.parameters : []).map((given) => {
        const parameter = resolved(document, given);
        return {
          name: at(parameter, 'name'),
          in: at(parameter, 'in'),
          required: at(parameter, 'required') === true,
          schema: trimmed(at(parameter, 'schema')),
        };
      });
      const body = jsonSchema(document, operation.requestBody);
      const responses = Object.entries(isRecord(operation.responses) ? operation.responses : {}).map(
        ([status, response]) => [status, jsonSchema(document, response) ?? null] as const,
      );
      return [
        {
          kind: 'operation',
          name,
          verb: verb.toUpperCase(),
          path,
          docs: at(operation, 'externalDocs', 'url'),
          parameters,
          ...(body === undefined ? {} : { body, bodyRequired: at(operation.requestBody, 'required') === true }),
          responses: { ...Object.fromEntries(responses), ...CORRECTED[name] },
        },
      ];
    }),
  );
  if (wanted.size > 0) throw new Error(`not in the description: ${[...wanted].join(', ')}`);
  return lines;
}

function webhookLines(document: Json): Line[] {
  return (WEBHOOKS ?? []).map((name) => {
    const body = jsonSchema(document, at(document, 'webhooks', name, 'post', 'requestBody'));
    if (body === undefined) throw new Error(`not in the description: ${name}`);
    return { kind: 'webhook', name, body: prefixed(body) };
  });
}

/** The two documents name their schemas alike but not always with the same content. */
function prefixed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(prefixed);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [
      key,
      key === '$ref' && typeof entry === 'string' ? entry.replace('/schemas/', '/schemas/hook:') : prefixed(entry),
    ]),
  );
}

function schemaLines(document: Json, lines: Line[], rename: (schema: unknown) => unknown, prefix: string): Line[] {
  const found = new Map<string, Line>();
  const open = lines.flatMap(namesIn).filter((name) => name.startsWith('hook:') === (prefix !== ''));
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    const schema = rename(trimmed(at(document, 'components', 'schemas', name.slice(prefix.length))));
    if (!isRecord(schema)) throw new Error(`there is no schema ${name}`);
    found.set(name, { kind: 'schema', name, schema });
    open.push(...namesIn(schema));
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const [apiFile, hooksFile] = process.argv.slice(2);
if (apiFile === undefined || hooksFile === undefined) throw new Error('give the two descriptions');
const api: Json = JSON.parse(readFileSync(apiFile, 'utf8'));
const hooks: Json = JSON.parse(readFileSync(hooksFile, 'utf8'));
const operations = operationLines(api);
const webhooks = webhookLines(hooks);
const source: Line = {
  kind: 'source',
  name: "GitHub's REST API description (MIT), cut by trim-schema.ts",
  openapi: `@octokit/openapi ${String(at(api, 'info', 'version'))}`,
  webhooks: `@octokit/openapi-webhooks ${String(at(hooks, 'info', 'version'))}`,
};
const all = [
  source,
  ...operations,
  ...webhooks,
  ...schemaLines(api, operations, (schema) => schema, ''),
  ...schemaLines(hooks, webhooks, prefixed, 'hook:'),
];
writeFileSync(new URL('api-schema.jsonl', import.meta.url), all.map((line) => `${JSON.stringify(line)}\n`).join(''));
