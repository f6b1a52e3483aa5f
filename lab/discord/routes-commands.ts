import type { Json } from '../slack/json.ts';
import { isRecord } from '../slack/json.ts';
import { apiError } from './api-error.ts';
import { command, commandList } from './command-rules.ts';
import type { Core } from './core.ts';
import type { Command, CommandOption } from './model.ts';
import { BUCKETS } from './rate-limits.ts';
import { type Answer, bodyOf, created, noContent, ok, type Route, type RouteCall } from './route.ts';
import { validate } from './schema.ts';
import { APPLICATION_ID, GUILD } from './seed.ts';

/** Application commands, global and of the guild. */

/** New commands a day, for each scope; a command that is only changed does not count. */
const CREATES_A_DAY = 200;
const DAY_MS = 24 * 60 * 60_000;
const MOST: Record<Command['type'], number> = { 1: 100, 2: 15, 3: 15 };

export function wireCommand(entry: Command): Json {
  return {
    id: entry.id,
    application_id: APPLICATION_ID,
    version: entry.version,
    default_member_permissions: entry.default_member_permissions ?? null,
    type: entry.type,
    name: entry.name,
    name_localizations: entry.name_localizations ?? null,
    description: entry.description,
    description_localizations: entry.description_localizations ?? null,
    dm_permission: entry.contexts?.includes(1) ?? true,
    contexts: entry.contexts ?? null,
    integration_types: entry.integration_types,
    nsfw: entry.nsfw,
    ...(entry.options.length > 0 ? { options: entry.options } : {}),
    ...(entry.scope === 'global' ? {} : { guild_id: entry.scope }),
  };
}

function scopeOf({ params }: RouteCall): string {
  if (params.application !== APPLICATION_ID) throw apiError('missingAccess');
  if (params.guild !== undefined && params.guild !== GUILD.id) throw apiError('missingAccess');
  return params.guild ?? 'global';
}

const registered = (core: Core, scope: string) => core.state.commands.values().filter((entry) => entry.scope === scope);

/** The stored form of a valid body. An unchanged command keeps its version. */
function stored(core: Core, scope: string, body: Json, known: Command | undefined): Command {
  const type = body.type === 2 || body.type === 3 ? body.type : 1;
  const dictionary = (value: unknown) => (isRecord(value) ? (value as Record<string, string>) : undefined);
  const contexts = Array.isArray(body.contexts) ? body.contexts.map(Number) : body.dm_permission === false ? [0] : undefined;
  const next: Command = {
    id: known?.id ?? core.state.nextId(),
    scope,
    type,
    name: String(body.name),
    description: type === 1 ? String(body.description) : '',
    options: Array.isArray(body.options) ? (body.options as CommandOption[]) : [],
    contexts,
    integration_types: Array.isArray(body.integration_types) ? body.integration_types.map(Number) : [0],
    default_member_permissions:
      body.default_member_permissions === undefined || body.default_member_permissions === null
        ? undefined
        : String(body.default_member_permissions),
    name_localizations: dictionary(body.name_localizations),
    description_localizations: dictionary(body.description_localizations),
    nsfw: body.nsfw === true,
    version: known?.version ?? '',
  };
  const isSame = known !== undefined && JSON.stringify(known) === JSON.stringify(next);
  return isSame ? known : { ...next, version: core.state.nextId() };
}

/** Counts new commands of the scope; throws 30034 when the day has had its share. */
function countCreates(core: Core, scope: string, count: number): void {
  const today = (core.commandCreates.get(scope) ?? []).filter((at) => core.now() - at < DAY_MS);
  if (today.length + count > CREATES_A_DAY) throw apiError('tooManyCommandCreates');
  core.commandCreates.set(scope, [...today, ...Array.from({ length: count }, () => core.now())]);
}

function checkCount(core: Core, scope: string, adding: Command['type']): void {
  const count = registered(core, scope).filter((entry) => entry.type === adding).length;
  if (count >= MOST[adding]) throw apiError('tooManyCommands');
}

function replaceAll(call: RouteCall): Answer {
  const { core } = call;
  const scope = scopeOf(call);
  validate(call.body.json, commandList);
  const bodies = Array.isArray(call.body.json) ? call.body.json.filter(isRecord) : [];
  for (const type of [1, 2, 3] as const) {
    if (bodies.filter((body) => (body.type ?? 1) === type).length > MOST[type]) throw apiError('tooManyCommands');
  }
  const before = registered(core, scope);
  const knownAs = (body: Json) => before.find((entry) => entry.name === body.name && entry.type === (body.type ?? 1));
  countCreates(core, scope, bodies.filter((body) => !knownAs(body)).length);
  const next = bodies.map((body) => stored(core, scope, body, knownAs(body)));
  for (const entry of before) if (!next.some(({ id }) => id === entry.id)) core.state.commands.remove(entry.id);
  for (const entry of next) core.state.commands.put(entry);
  core.state.emit({ type: 'commands' });
  return ok(next.map(wireCommand));
}

function create(call: RouteCall): Answer {
  const { core } = call;
  const scope = scopeOf(call);
  const body = bodyOf(call);
  validate(body, command);
  const known = registered(core, scope).find((entry) => entry.name === body.name && entry.type === (body.type ?? 1));
  const next = stored(core, scope, body, known);
  if (!known) {
    checkCount(core, scope, next.type);
    countCreates(core, scope, 1);
  }
  core.state.commands.put(next);
  core.state.emit({ type: 'commands' });
  return known ? ok(wireCommand(next)) : created(wireCommand(next));
}

function commandOf(call: RouteCall): Command {
  const found = call.core.state.commands.get(call.params.command ?? '');
  if (found?.scope !== scopeOf(call)) throw apiError('unknownCommand');
  return found;
}

function update(call: RouteCall): Answer {
  const { core } = call;
  const known = commandOf(call);
  const body = { ...wireCommand(known), ...bodyOf(call), type: known.type };
  validate(body, command);
  const next = stored(core, known.scope, body, known);
  core.state.commands.put(next);
  core.state.emit({ type: 'commands' });
  return ok(wireCommand(next));
}

function remove(call: RouteCall): Answer {
  call.core.state.commands.remove(commandOf(call).id);
  call.core.state.emit({ type: 'commands' });
  return noContent;
}

function routesAt(base: string, infix: string): Route[] {
  const route = (method: string, verb: Route['verb'], path: string, handle: Route['handle']): Route => {
    return { method, verb, path, auth: 'bot', bucket: BUCKETS.commands, handle };
  };
  const one = `${base}/:command`;
  return [
    route(`list${infix}_application_commands`, 'GET', base, (call) => ok(registered(call.core, scopeOf(call)).map(wireCommand))),
    route(`bulk_set${infix}_application_commands`, 'PUT', base, replaceAll),
    route(`create${infix}_application_command`, 'POST', base, create),
    route(`get${infix}_application_command`, 'GET', one, (call) => ok(wireCommand(commandOf(call)))),
    route(`update${infix}_application_command`, 'PATCH', one, update),
    route(`delete${infix}_application_command`, 'DELETE', one, remove),
  ];
}

export const commandRoutes: Route[] = [
  ...routesAt('/applications/:application/commands', ''),
  ...routesAt('/applications/:application/guilds/:guild/commands', '_guild'),
];
