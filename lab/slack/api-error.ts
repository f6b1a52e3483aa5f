/** A Web API answer with `ok: false`. `messages` become `response_metadata.messages`. */
export class SlackApiError extends Error {
  readonly code: string;
  readonly messages: string[];
  readonly extra: Record<string, unknown>;
  constructor(code: string, options: { messages?: string[]; extra?: Record<string, unknown> } = {}) {
    super(code);
    this.name = 'SlackApiError';
    this.code = code;
    this.messages = options.messages ?? [];
    this.extra = options.extra ?? {};
  }
}

/** `invalid_arguments` with one sentence per problem. */
export function invalidArguments(...problems: string[]): SlackApiError {
  return new SlackApiError('invalid_arguments', { messages: problems.map((problem) => `[ERROR] ${problem}`) });
}

/** `invalid_blocks` as Slack answers it: the problems stand in `errors` and again in the metadata. */
export function invalidBlocks(problems: string[]): SlackApiError {
  return new SlackApiError('invalid_blocks', {
    messages: problems.map((problem) => `[ERROR] ${problem}`),
    extra: { errors: problems },
  });
}
