import type { Json } from '../slack/json.ts';

/** One mistake in what was sent: `{ resource: 'PullRequest', code: 'custom', message: '…' }`, or a bare sentence. */
export type FieldError = Json | string;

/** An answer that says no. `docs` is the page of the operation unless given. */
export class GithubApiError extends Error {
  readonly status: number;
  readonly errors: readonly FieldError[] | undefined;
  readonly docs: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  constructor(
    status: number,
    message: string,
    more: { errors?: readonly FieldError[] | undefined; docs?: string; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.name = 'GithubApiError';
    this.status = status;
    this.errors = more.errors;
    this.docs = more.docs;
    this.headers = more.headers ?? {};
  }
}

const REST_DOCS = 'https://docs.github.com/rest';

export const notFound = () => new GithubApiError(404, 'Not Found');
export const badCredentials = () => new GithubApiError(401, 'Bad credentials', { docs: REST_DOCS });
export const requiresAuthentication = () => new GithubApiError(401, 'Requires authentication');
export const forbidden = (message: string) => new GithubApiError(403, message);

/** What a shape that GitHub's description does not allow is answered with. */
export function invalidRequest(sentences: readonly string[]): GithubApiError {
  return new GithubApiError(422, `Invalid request.\n\n${sentences.join('\n')}`);
}

/** 422 with what is wrong about fields of a resource. */
export function validationFailed(...errors: FieldError[]): GithubApiError {
  return new GithubApiError(422, 'Validation Failed', { errors });
}

export function custom(resource: string, message: string): GithubApiError {
  return validationFailed({ resource, code: 'custom', message });
}

export function invalidField(resource: string, field: string): GithubApiError {
  return validationFailed({ resource, field, code: 'invalid' });
}
