import { z } from 'zod';

/**
 * What `codex app-server` 0.169 writes to its stdout, as far as Deckhand reads it: responses to our requests, requests of its own and
 * notifications. `codex app-server generate-ts --experimental` prints the whole protocol. Unknown methods and fields are left alone.
 */
const lineSchema = z.looseObject({
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string().optional(),
  params: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.looseObject({ message: z.string() }).optional(),
});
export type CodexLine = z.infer<typeof lineSchema>;

/** Undefined: no line of the protocol. */
export function readCodexLine(text: string): CodexLine | undefined {
  try {
    return lineSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export const threadResult = z.looseObject({
  thread: z.looseObject({ id: z.string(), cliVersion: z.string().optional() }),
  model: z.string(),
});

const change = z.looseObject({
  path: z.string(),
  kind: z.looseObject({ type: z.string(), move_path: z.string().nullish() }),
  diff: z.string(),
});

const item = z.looseObject({
  type: z.string(),
  id: z.string(),
  text: z.string().optional(),
  clientId: z.string().nullish(),
  summary: z.array(z.string()).optional().catch(undefined),
  command: z.string().optional(),
  cwd: z.string().optional(),
  status: z.string().optional(),
  exitCode: z.number().nullish(),
  aggregatedOutput: z.string().nullish(),
  changes: z.array(change).optional(),
  tool: z.string().optional(),
  path: z.string().optional(),
  query: z.string().optional(),
  prompt: z.string().nullish(),
  kind: z.string().optional().catch(undefined),
  agentThreadId: z.string().optional(),
  agentPath: z.string().optional(),
  receiverThreadIds: z.array(z.string()).optional(),
  questions: z
    .array(z.looseObject({ question: z.string().optional() }))
    .nullish()
    .catch(undefined),
});
export type CodexItem = z.infer<typeof item>;

export const itemParams = z.looseObject({ threadId: z.string(), item });
export const deltaParams = z.looseObject({
  threadId: z.string(),
  itemId: z.string(),
  delta: z.string(),
  summaryIndex: z.number().optional(),
  contentIndex: z.number().optional(),
});
/** `codexErrorInfo` is a word, or an object with one, that may name the status of the answer of the model server. */
const turnError = z.looseObject({
  message: z.string(),
  codexErrorInfo: z
    .union([z.string(), z.record(z.string(), z.looseObject({ httpStatusCode: z.number().nullish() }))])
    .nullish()
    .catch(undefined),
});
export type CodexTurnError = z.infer<typeof turnError>;

export const turnParams = z.looseObject({
  threadId: z.string(),
  turn: z.looseObject({
    id: z.string(),
    status: z.string(),
    error: turnError.nullish(),
  }),
});
export const errorParams = z.looseObject({
  threadId: z.string(),
  willRetry: z.boolean(),
  error: z.looseObject({ message: z.string() }),
});
export const planParams = z.looseObject({
  threadId: z.string(),
  plan: z.array(z.looseObject({ step: z.string(), status: z.string() })),
});
export const resolvedParams = z.looseObject({ requestId: z.union([z.string(), z.number()]) });

export const commandParams = z.looseObject({
  kind: z.string().optional(),
  threadId: z.string(),
  turnId: z.string(),
  itemId: z.string(),
  reason: z.string().nullish(),
  command: z.string().nullish(),
  cwd: z.string().nullish(),
  networkApprovalContext: z.unknown().optional(),
  additionalPermissions: z.unknown().optional(),
});
export const changeParams = z.looseObject({
  threadId: z.string(),
  turnId: z.string(),
  itemId: z.string(),
  reason: z.string().nullish(),
  grantRoot: z.string().nullish(),
});
export const questionParams = z.looseObject({
  threadId: z.string(),
  turnId: z.string(),
  itemId: z.string(),
  questions: z.array(
    z.looseObject({
      id: z.string(),
      header: z.string(),
      question: z.string(),
      isOther: z.boolean().optional(),
      options: z.array(z.looseObject({ label: z.string(), description: z.string().optional() })).nullish(),
    }),
  ),
});
