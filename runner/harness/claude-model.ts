import type Anthropic from '@anthropic-ai/sdk';
import { APIError } from '@anthropic-ai/sdk/core/error';
import type { AgentTrouble } from '../../src/contracts/agent-trouble.ts';
import type { RunEventData } from '../../src/contracts/run-event.ts';
import { errorText } from '../../src/runtime/error-text.ts';
import { ownTrouble, troubleOfStatus } from './model-trouble.ts';
import { addEvent, takeText } from './text-parts.ts';

export interface ModelRequest {
  client: Anthropic;
  model: string;
  effort: 'low' | 'medium' | 'high' | 'max' | null;
  system: string;
  tools: Anthropic.Tool[];
  messages: Anthropic.MessageParam[];
  /** Names the parts of what is said, different for every request. */
  part: string;
  /** Stores what has been said; called at most every `everyMs`. */
  say(events: RunEventData[]): Promise<void>;
  signal: AbortSignal;
}

export interface ModelAnswer {
  content: Anthropic.ContentBlockParam[];
  stop: string | null;
}

const maxTokens = 16_000;
const everyMs = 150;

/** Asks the model once and passes on what it says as it comes. Rejects as the SDK does. */
export async function askModel(request: ModelRequest): Promise<ModelAnswer> {
  const { client, model, effort, system, tools, messages, signal } = request;
  const stream = client.messages.stream(
    {
      model,
      max_tokens: maxTokens,
      system: [{ type: 'text', text: system, cache_control: { type: 'ephemeral' } }],
      tools,
      messages: cached(messages),
      ...(effort === null ? {} : { output_config: { effort } }),
    },
    { signal },
  );
  let waiting: RunEventData[] = [];
  let held = '';
  let storedAt = 0;
  const flush = async () => {
    const events = waiting;
    waiting = [];
    storedAt = performance.now();
    if (events.length > 0) await request.say(events);
  };
  for await (const event of stream) {
    if (event.type === 'content_block_start') held = '';
    if (event.type === 'content_block_delta') {
      const { delta } = event;
      const piece = delta.type === 'text_delta' ? delta.text : delta.type === 'thinking_delta' ? delta.thinking : undefined;
      if (piece !== undefined) {
        const taken = takeText(held, piece);
        held = taken.held;
        const type = delta.type === 'text_delta' ? 'assistant' : 'thinking';
        if (taken.text !== '')
          addEvent(waiting, { type, part: `${request.part}:${event.index}`, text: taken.text, final: false });
      }
    }
    if (event.type === 'content_block_stop') {
      const block = stream.currentMessage?.content[event.index];
      const type = block?.type === 'text' ? 'assistant' : block?.type === 'thinking' ? 'thinking' : undefined;
      if (type !== undefined) addEvent(waiting, { type, part: `${request.part}:${event.index}`, text: held, final: true });
      held = '';
    }
    if (performance.now() - storedAt >= everyMs) await flush();
  }
  await flush();
  const message = await stream.finalMessage();
  return { content: message.content.filter(isKept) as Anthropic.ContentBlockParam[], stop: message.stop_reason };
}

/** An empty text block is refused when it is sent back. */
function isKept(block: Anthropic.ContentBlock): boolean {
  return block.type !== 'text' || block.text !== '';
}

/** The last message is where the next request begins to differ. */
function cached(messages: readonly Anthropic.MessageParam[]): Anthropic.MessageParam[] {
  const last = messages.at(-1);
  if (last === undefined || last.role !== 'user' || typeof last.content === 'string') return [...messages];
  const block = last.content.at(-1);
  if (block === undefined || (block.type !== 'text' && block.type !== 'tool_result')) return [...messages];
  const content = [...last.content.slice(0, -1), { ...block, cache_control: { type: 'ephemeral' as const } }];
  return [...messages.slice(0, -1), { role: 'user', content }];
}

export type Trouble =
  /** Passes: try again after so long. */
  | { kind: 'again'; afterMs: number; what: string }
  /** The conversation does not fit. */
  | { kind: 'too_long' }
  | { kind: 'final'; why: string; trouble: AgentTrouble | undefined };

const waitsMs = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 60_000];

/** What a failed request means. `attempt`: 0 for the first. */
export function troubleOf(error: unknown, attempt: number): Trouble {
  const status = error instanceof APIError ? error.status : undefined;
  const message = errorText(error);
  if (status === 400 && /too long|context (?:window|length)|exceed.*context/i.test(message)) return { kind: 'too_long' };
  const headers = error instanceof APIError ? error.headers : undefined;
  const passes = status === undefined || status === 408 || status === 409 || status === 429 || status >= 500;
  const wait = waitsMs[attempt];
  if (!passes || headers?.get('x-should-retry') === 'false' || wait === undefined)
    return { kind: 'final', ...reasonOf(error, message) };
  const asked = Number(headers?.get('retry-after') ?? Number.NaN) * 1000;
  const afterMs = Number.isFinite(asked) ? Math.min(Math.max(asked, wait), 5 * 60_000) : wait;
  return { kind: 'again', afterMs, what: status === undefined ? 'broke off its answer' : `answered ${status}` };
}

function reasonOf(error: unknown, message: string): { why: string; trouble: AgentTrouble | undefined } {
  if (!(error instanceof APIError)) return { why: message.slice(0, 500), trouble: undefined };
  const { text, trouble } = ownTrouble(error.apiMessage ?? message);
  const why = `The model server refused: ${text.slice(0, 500)}`;
  return { why, trouble: trouble ?? (error.status === undefined ? typed(error.type) : troubleOfStatus(error.status)) };
}

/** An error in the middle of a stream has a type and no status; a connection that fails has neither. */
function typed(type: string | null): AgentTrouble {
  if (type === 'overloaded_error' || type === 'api_error') return 'overloaded';
  return type === 'rate_limit_error' ? 'rate_limited' : 'unreachable';
}
