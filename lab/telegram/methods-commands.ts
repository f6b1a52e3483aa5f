import { isRecord, type Json } from '../slack/json.ts';
import { memberOf } from './access.ts';
import { badRequest } from './api-error.ts';
import type { Core } from './core.ts';
import { answering, type Method, type MethodCall } from './method.ts';
import type { Chat, CommandList } from './model.ts';

/** The bot's menus: commands per scope and language, menu buttons, texts of its profile. */

const MAX_COMMANDS = 100;
const MAX_NAME = 32;
const MAX_DESCRIPTION = 256;
const SIMPLE_SCOPES = new Set(['default', 'all_private_chats', 'all_group_chats', 'all_chat_administrators']);
const CHAT_SCOPES = new Set(['chat', 'chat_administrators', 'chat_member']);

/** A scope as the key of its list. */
function scopeOf({ core, args }: MethodCall): string {
  const given = args.json('scope', 'BotCommandScope');
  if (given === undefined || given === null) return 'default';
  const fail = (detail: string) => badRequest(`can't parse BotCommandScope: ${detail}`);
  if (!isRecord(given)) throw badRequest("can't parse BotCommandScope: BotCommandScope must be an Object");
  const type = String(given.type ?? '');
  if (given.type === undefined) throw fail('Can\'t find field "type"');
  if (SIMPLE_SCOPES.has(type)) return type;
  if (!CHAT_SCOPES.has(type)) throw fail('Unsupported type specified');
  const chatId = String(given.chat_id ?? '');
  if (chatId === '') throw fail('Can\'t find field "chat_id"');
  const chat = core.state.chat(Number(chatId));
  if (!chat) throw badRequest('chat not found');
  if (chat.kind === 'private' && type !== 'chat') throw badRequest("can't use specified scope in private chats");
  if (type !== 'chat_member') return `${type} ${chat.id}`;
  const user = Number(given.user_id ?? 0);
  if (!Number.isInteger(user) || user <= 0) throw fail('Can\'t find field "user_id"');
  if (!core.state.users.has(user)) throw badRequest('user not found');
  return `${type} ${chat.id} ${user}`;
}

function languageOf({ args }: Pick<MethodCall, 'args'>): string {
  const code = args.text('language_code');
  if (code !== '' && !/^[a-z]{2}$/.test(code)) throw badRequest('invalid language code specified');
  return code;
}

function commandOf(value: unknown): CommandList['commands'][number] {
  const fail = (detail: string) => badRequest(`can't parse BotCommand: ${detail}`);
  if (!isRecord(value)) throw badRequest("can't parse BotCommand: expected an Object");
  for (const field of ['command', 'description']) {
    if (value[field] === undefined) throw fail(`Can't find field "${field}"`);
    if (typeof value[field] !== 'string') throw fail(`Field "${field}" must be of type String`);
  }
  const command = String(value.command).trim().replace(/^\//, '');
  const description = String(value.description).trim();
  if (command === '') throw badRequest('command must be non-empty');
  if ([...command].length > MAX_NAME) throw badRequest(`command length must not exceed ${MAX_NAME}`);
  if (description === '') throw badRequest('command description must be non-empty');
  if ([...description].length > MAX_DESCRIPTION)
    throw badRequest(`command description length must not exceed ${MAX_DESCRIPTION}`);
  if (!/^[a-z0-9_]+$/.test(command)) throw badRequest('BOT_COMMAND_INVALID');
  return value.is_ephemeral === true ? { command, description, is_ephemeral: true } : { command, description };
}

function setMyCommands(call: MethodCall): true {
  const { core, args } = call;
  const given = args.json('commands', 'commands');
  if (!Array.isArray(given)) throw badRequest('expected an Array of BotCommand');
  const scope = scopeOf(call);
  const language_code = languageOf(call);
  const commands = given.map(commandOf);
  if (commands.length > MAX_COMMANDS) throw badRequest('BOT_COMMANDS_TOO_MUCH');
  if (commands.length === 0) core.state.commands.remove(`${scope} ${language_code}`);
  else core.state.commands.put({ scope, language_code, commands });
  core.state.emit({ type: 'commands' });
  return true;
}

function deleteMyCommands(call: MethodCall): true {
  call.core.state.commands.remove(`${scopeOf(call)} ${languageOf(call)}`);
  call.core.state.emit({ type: 'commands' });
  return true;
}

function getMyCommands(call: MethodCall): CommandList['commands'] {
  return call.core.state.commands.get(`${scopeOf(call)} ${languageOf(call)}`)?.commands ?? [];
}

/** What a person's client offers in a chat: the list of the narrowest scope that has one; lists do not merge. */
export function commandsFor(core: Core, chat: Chat, user: number): CommandList['commands'] {
  const language = core.state.users.get(user)?.language_code ?? '';
  const isAdministrator = ['creator', 'administrator'].includes(memberOf(chat, user).status);
  const scopes =
    chat.kind === 'private'
      ? [`chat ${chat.id}`, 'all_private_chats', 'default']
      : [
          `chat_member ${chat.id} ${user}`,
          ...(isAdministrator ? [`chat_administrators ${chat.id}`] : []),
          `chat ${chat.id}`,
          ...(isAdministrator ? ['all_chat_administrators'] : []),
          'all_group_chats',
          'default',
        ];
  for (const scope of scopes) {
    for (const code of [language, '']) {
      const list = core.state.commands.get(`${scope} ${code}`);
      if (list) return list.commands;
    }
  }
  return [];
}

/** A text of the profile, by language. */
function setText(field: string, parameter: string, max: number): Method {
  return answering((call) => {
    const language = languageOf(call);
    const value = call.args.text(parameter).trim();
    if ([...value].length > max) throw badRequest(`${parameter.replaceAll('_', ' ')} is too long`);
    const profile = call.core.state.profile();
    const { [`${field} ${language}`]: _old, ...texts } = profile.texts;
    if (value !== '') texts[`${field} ${language}`] = value;
    call.core.state.putProfile({ ...profile, texts });
    call.core.state.emit({ type: 'bot' });
    return true;
  });
}

function getText(field: string, parameter: string, fallback: (core: Core) => string): Method {
  return answering((call) => {
    const { texts } = call.core.state.profile();
    return { [parameter]: texts[`${field} ${languageOf(call)}`] ?? texts[`${field} `] ?? fallback(call.core) };
  });
}

function setChatMenuButton({ core, args }: MethodCall): true {
  const given = args.json('menu_button', 'menu button') ?? { type: 'default' };
  if (!isRecord(given) || !['commands', 'default', 'web_app'].includes(String(given.type))) {
    throw badRequest("can't parse menu button: Unsupported type specified");
  }
  const profile = core.state.profile();
  core.state.putProfile({ ...profile, menu_buttons: { ...profile.menu_buttons, [args.text('chat_id')]: given } });
  return true;
}

function getChatMenuButton({ core, args }: MethodCall): Json {
  const { menu_buttons: buttons } = core.state.profile();
  return buttons[args.text('chat_id')] ?? buttons[''] ?? { type: 'default' };
}

function setDefaultRights({ core, args }: MethodCall): true {
  const given = args.json('rights', 'rights') ?? {};
  if (!isRecord(given)) throw badRequest("can't parse ChatAdministratorRights: expected an Object");
  const wrong = Object.entries(given).find(([, value]) => typeof value !== 'boolean');
  if (wrong) throw badRequest(`can't parse ChatAdministratorRights: Field "${wrong[0]}" must be of type Boolean`);
  const key = args.flag('for_channels') ? 'channels' : 'groups';
  const profile = core.state.profile();
  core.state.putProfile({ ...profile, default_rights: { ...profile.default_rights, [key]: given } });
  return true;
}

export const commandMethods: Record<string, Method> = {
  setMyCommands: answering(setMyCommands),
  deleteMyCommands: answering(deleteMyCommands),
  getMyCommands: answering(getMyCommands),
  setMyName: setText('name', 'name', 64),
  getMyName: getText('name', 'name', (core) => core.bot.first_name),
  setMyDescription: setText('description', 'description', 512),
  getMyDescription: getText('description', 'description', () => ''),
  setMyShortDescription: setText('short_description', 'short_description', 120),
  getMyShortDescription: getText('short_description', 'short_description', () => ''),
  setChatMenuButton: answering(setChatMenuButton),
  getChatMenuButton: answering(getChatMenuButton),
  setMyDefaultAdministratorRights: answering(setDefaultRights),
  getMyDefaultAdministratorRights: answering(
    ({ core, args }) => core.state.profile().default_rights[args.flag('for_channels') ? 'channels' : 'groups'] ?? {},
  ),
};
