import type { IncomingMessage, ServerResponse } from 'node:http';
import { verify } from '@octokit/webhooks-methods';
import { z } from 'zod';

/** That something has happened to pull requests: which ones, or those whose branch is at a commit. What it was is asked for. */
export interface PullHint {
  /** `acme/web` */
  repository: string;
  numbers: number[];
  head: string | undefined;
}

const pulls = z.array(z.object({ number: z.number().int() })).optional();
const ofCommit = z.object({ head_sha: z.string(), pull_requests: pulls }).optional();
const payloadSchema = z.object({
  repository: z.object({ full_name: z.string() }).optional(),
  pull_request: z.object({ number: z.number().int() }).optional(),
  issue: z.object({ number: z.number().int(), pull_request: z.unknown().optional() }).optional(),
  check_run: ofCommit,
  check_suite: ofCommit,
  workflow_run: ofCommit,
  /** Of `status`. */
  sha: z.string().optional(),
});

/** What a webhook tells about pull requests. Pure; undefined: nothing. Whatever else is in it is not looked at. */
export function pullHint(payload: unknown): PullHint | undefined {
  const read = payloadSchema.safeParse(payload);
  if (!read.success || read.data.repository === undefined) return undefined;
  const { repository, pull_request, issue, check_run, check_suite, workflow_run, sha } = read.data;
  const commit = check_run ?? check_suite ?? workflow_run;
  const numbers = [
    ...(pull_request === undefined ? [] : [pull_request.number]),
    ...(issue?.pull_request === undefined ? [] : [issue.number]),
    ...(commit?.pull_requests ?? []).map(({ number }) => number),
  ];
  const head = commit?.head_sha ?? sha;
  if (numbers.length === 0 && head === undefined) return undefined;
  return { repository: repository.full_name, numbers, head };
}

/** One path that GitHub sends to. The body comes as bytes, because the signature is made over them. */
export interface GithubWebhook {
  method: 'POST';
  path: string;
  handle(request: IncomingMessage, response: ServerResponse, rawBody: Buffer): Promise<void>;
}

/** A delivery cannot be stored now: it is shown as one that failed. */
export class NotReady extends Error {
  override name = 'NotReady';
}

/**
 * Answers 2xx when `store` and `talk` have resolved, so that GitHub shows a delivery that was lost as one, to be delivered again by hand. A
 * delivery that comes twice is stored twice, which changes nothing: it only says that it is time to look. `talk`: takes what people said out of
 * an event of this name; rejects with NotReady while nobody can.
 */
export function githubWebhook(
  path: string,
  secret: string,
  store: (hint: PullHint) => Promise<void>,
  talk?: (event: string, payload: unknown) => Promise<void>,
): GithubWebhook {
  return {
    method: 'POST',
    path,
    async handle(request, response, rawBody) {
      const signature = request.headers['x-hub-signature-256'];
      const body = rawBody.toString('utf8');
      if (typeof signature !== 'string' || signature === '' || body === '' || !(await verify(secret, body, signature))) {
        return end(response, 401, 'The signature is not that of the secret of this webhook.');
      }
      const payload = parse(body);
      if (payload === undefined) return end(response, 400, 'The webhook must send application/json.');
      const hint = pullHint(payload);
      if (hint !== undefined) await store(hint);
      const event = request.headers['x-github-event'];
      try {
        if (typeof event === 'string') await talk?.(event, payload);
      } catch (error) {
        if (!(error instanceof NotReady)) throw error;
        return end(response, 503, error.message);
      }
      end(response, 202, 'ok');
    },
  };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
}
