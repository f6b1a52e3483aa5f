import { isRecord, type Json } from '../slack/json.ts';
import { apiError } from './api-error.ts';
import type { ApiCall } from './calls.ts';
import type { Core } from './core.ts';
import { isSnowflake } from './ids.ts';
import type { Channel, Message } from './model.ts';
import { canSee, may, type PermissionName } from './permissions.ts';
import type { Bucket } from './rate-limits.ts';
import type { RequestBody } from './request-body.ts';
import { BOT_USER } from './seed.ts';

/** One call of a REST route, already authenticated. */
export interface RouteCall {
  core: Core;
  /** Path parameters by name. */
  params: Record<string, string>;
  query: URLSearchParams;
  body: RequestBody;
  record: ApiCall;
}

export interface Answer {
  status: number;
  body?: unknown;
}

export interface Route {
  /** Operation id of Discord's OpenAPI document. */
  method: string;
  verb: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/api/v10`: `/channels/:channel/messages`. */
  path: string;
  /** `token`: the token in the path is the proof. Such routes do not count against the limit of the bot. */
  auth: 'bot' | 'token';
  bucket: Bucket;
  handle(call: RouteCall): Answer | Promise<Answer>;
}

export const ok = (body: unknown): Answer => ({ status: 200, body });
export const created = (body: unknown): Answer => ({ status: 201, body });
export const noContent: Answer = { status: 204 };

export function bodyOf(call: RouteCall): Json {
  return isRecord(call.body.json) ? call.body.json : {};
}

/** A channel the bot can see: 10003 when there is none, 50001 when it is hidden. */
export function channelOf({ core, params }: RouteCall, name = 'channel'): Channel {
  const channel = core.state.channels.get(params[name] ?? '');
  if (!channel) throw apiError('unknownChannel');
  if (!canSee(core, channel, BOT_USER)) throw apiError('missingAccess');
  return channel;
}

export function messageOf({ core, params }: RouteCall, channel: Channel): Message {
  const message = core.state.message(params.message ?? '');
  if (!message || message.channel !== channel.id || message.visible_to) throw apiError('unknownMessage');
  return message;
}

export function require(core: Core, channel: Channel, ...names: PermissionName[]): void {
  if (!may(core, channel, BOT_USER, ...names)) throw apiError('missingPermissions');
}

/** The id of `@me`, or the id itself. */
export function userIdOf({ params }: RouteCall): string {
  return params.user === '@me' ? BOT_USER : (params.user ?? '');
}

export function snowflakeParam(query: URLSearchParams, name: string): string | undefined {
  const value = query.get(name);
  return value !== null && isSnowflake(value) ? value : undefined;
}
