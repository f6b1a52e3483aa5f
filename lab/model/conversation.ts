import type { Json } from '../slack/json.ts';

/**
 * What a request says, whatever its protocol: who said what in which order, and which tools are offered. A script needs nothing else,
 * so a restarted server and a repeated request get the same answer.
 */
export interface Conversation {
  agent: AgentName;
  model: string;
  /** Absolute path the agent works in, as its instructions tell; `/workspace` where they do not. */
  cwd: string;
  tools: ReadonlyMap<string, OfferedTool>;
  /** The request wants the thinking too. */
  thinks: boolean;
  entries: readonly Entry[];
  /** The request of a conversation that is only quoted, to be summarised. */
  quoted: string | undefined;
  /** Stays the same when a request is sent again, and differs between conversations: what ids are made of. */
  salt: string;
  /** Characters of the request up to the last answer of the model, and behind it: what a cache holds, and what is new. */
  length: { before: number; after: number; cacheable: boolean };
}

/** Told apart by protocol and tools: the built-in loop, the Claude Code CLI, the Codex CLI. */
export type AgentName = 'claude' | 'claude-code' | 'codex';

export interface OfferedTool {
  name: string;
  /** `custom`: takes text instead of JSON (Responses API). */
  kind: 'function' | 'custom';
  /** Name space of the Responses API that the tool is called in. */
  namespace?: string | undefined;
  /** JSON schema of the input. */
  schema: Json;
  /** It works in plan mode alone. */
  planOnly?: boolean | undefined;
  /** The checklist is kept by a function in it. */
  checklist?: boolean | undefined;
}

export type Entry =
  /** A person said something; `late`: while the agent worked. */
  | { type: 'said'; text: string; late: boolean }
  /** One answer of the model. */
  | { type: 'answer'; text: string; calls: readonly Call[] }
  | { type: 'result'; call: string; text: string; failed: boolean }
  /** The agent says that it plans only, or works. */
  | { type: 'mode'; plan: boolean }
  | { type: 'interrupted' };

export interface Call {
  id: string;
  tool: string;
  input: Json;
}

/** What the model answers with next. */
export interface Reply {
  thinking: string | undefined;
  text: string;
  calls: readonly OutgoingCall[];
}

export interface OutgoingCall {
  id: string;
  tool: OfferedTool;
  /** JSON for a function, plain text for a custom tool. */
  input: string;
}
