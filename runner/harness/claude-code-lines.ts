import { z } from 'zod';

/**
 * What Claude Code 2.1 writes to its stdout with `--output-format stream-json`, as far as Deckhand reads it. Observed on the program
 * itself; unknown types and fields are left alone.
 */
const input = z.record(z.string(), z.unknown());

const contentBlock = z.looseObject({
  type: z.string(),
  id: z.string().optional(),
  name: z.string().optional(),
  text: z.string().optional(),
  thinking: z.string().optional(),
  input: input.optional(),
  tool_use_id: z.string().optional(),
  is_error: z.boolean().optional(),
  content: z.unknown().optional(),
});

const lineSchema = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('system'),
    subtype: z.string(),
    session_id: z.string().optional(),
    model: z.string().optional(),
    claude_code_version: z.string().optional(),
    attempt: z.number().optional(),
    max_retries: z.number().optional(),
    error_status: z.number().nullish(),
  }),
  z.looseObject({
    type: z.literal('stream_event'),
    parent_tool_use_id: z.string().nullish(),
    event: z.looseObject({
      type: z.string(),
      index: z.number().optional(),
      message: z.looseObject({ id: z.string() }).optional(),
      content_block: z.looseObject({ type: z.string() }).optional(),
      delta: z
        .looseObject({ type: z.string().optional(), text: z.string().optional(), thinking: z.string().optional() })
        .optional(),
    }),
  }),
  z.looseObject({
    type: z.enum(['assistant', 'user']),
    parent_tool_use_id: z.string().nullish(),
    isReplay: z.boolean().optional(),
    uuid: z.string().optional(),
    message: z.looseObject({ id: z.string().optional(), content: z.union([z.string(), z.array(contentBlock)]) }),
    tool_use_result: z.unknown().optional(),
  }),
  z.looseObject({
    type: z.literal('control_request'),
    request_id: z.string(),
    request: z.looseObject({
      subtype: z.string(),
      tool_name: z.string().optional(),
      tool_use_id: z.string().optional(),
      input: input.optional(),
    }),
  }),
  z.looseObject({ type: z.literal('control_cancel_request'), request_id: z.string() }),
  z.looseObject({
    type: z.literal('control_response'),
    response: z.looseObject({ subtype: z.string(), request_id: z.string(), error: z.string().optional() }),
  }),
  z.looseObject({
    type: z.literal('result'),
    subtype: z.string(),
    is_error: z.boolean(),
    result: z.string().optional(),
    session_id: z.string().optional(),
    stop_reason: z.string().nullish(),
    terminal_reason: z.string().optional(),
    api_error_status: z.number().nullish(),
  }),
]);
export type ClaudeLine = z.infer<typeof lineSchema>;
export type ContentBlock = z.infer<typeof contentBlock>;

/** Undefined: nothing of interest, or no line of the protocol. */
export function readClaudeLine(text: string): ClaudeLine | undefined {
  try {
    return lineSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export interface HookInput {
  tool: string;
  input: Record<string, unknown>;
  toolUse: string;
}

/** What the hook before every tool call is told. */
export function readHook(request: Record<string, unknown>): HookInput | undefined {
  const found = z.object({ tool_name: z.string(), tool_input: input, tool_use_id: z.string() }).safeParse(request.input).data;
  return found && { tool: found.tool_name, input: found.tool_input, toolUse: found.tool_use_id };
}
