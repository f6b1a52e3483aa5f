import { isRecord, type Json } from '../slack/json.ts';
import type { Problem } from './api-error.ts';
import { all, byType, type Check, decimal, fail, flag, integer, list, object, oneOf, type Path, text } from './schema.ts';

/** What application commands must look like. Limits: Discord's OpenAPI document and its guide on application commands. */

const NAME = /^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$/u;
const MAX_CHARACTERS = 8_000;

/** Names of slash commands and options: no spaces, and lower case wherever a letter has one. */
const slashName: Check = (value, path, problems) => {
  text({ min: 1, max: 32 })(value, path, problems);
  if (typeof value !== 'string' || value.length === 0) return;
  if (!NAME.test(value) || value !== value.toLowerCase())
    fail(problems, path, 'APPLICATION_COMMAND_INVALID_NAME', 'Command name is invalid');
};

const localized =
  (each: Check): Check =>
  (value, path, problems) => {
    if (!isRecord(value)) return fail(problems, path, 'DICT_TYPE_CONVERT', 'Only dictionaries may be used in a DictType');
    for (const [locale, entry] of Object.entries(value)) if (entry !== null) each(entry, [...path, locale], problems);
  };

const named = { name: slashName, description: text({ min: 1, max: 100 }) };
const translated = { name_localizations: localized(slashName), description_localizations: localized(text({ min: 1, max: 100 })) };
const choiceName = text({ min: 1, max: 100 });
const choices = (value: Check) =>
  all(
    list(object({ name: choiceName, value }, { name_localizations: localized(choiceName) }), { max: 25 }),
    uniqueNames('choices'),
  );

/** An option cannot offer both choices and completions. */
const suggestible: Check = (value, path, problems) => {
  if (!isRecord(value) || value.autocomplete !== true) return;
  if (Array.isArray(value.choices) && value.choices.length > 0)
    fail(
      problems,
      [...path, 'autocomplete'],
      'APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE',
      'Autocomplete cannot be used with choices',
    );
};

const lengths: Check = (value, path, problems) => {
  if (!isRecord(value) || typeof value.min_length !== 'number' || typeof value.max_length !== 'number') return;
  if (value.min_length > value.max_length)
    fail(problems, [...path, 'min_length'], 'APPLICATION_COMMAND_OPTION_INVALID_RANGE', 'min_length is greater than max_length');
};

const plain = (more: Record<string, Check> = {}) => object(named, { ...translated, required: flag, ...more });
const numeric = (value: Check) =>
  all(plain({ autocomplete: flag, choices: choices(value), min_value: decimal(), max_value: decimal() }), suggestible);

const values: Record<number, Check> = {
  3: all(
    plain({
      autocomplete: flag,
      min_length: integer({ min: 0, max: 6000 }),
      max_length: integer({ min: 1, max: 6000 }),
      choices: choices(text({ max: 100 })),
    }),
    suggestible,
    lengths,
  ),
  4: numeric(integer()),
  5: plain(),
  6: plain(),
  7: plain({ channel_types: list(integer({ min: 0, max: 16 }), { max: 20 }) }),
  8: plain(),
  9: plain(),
  10: numeric(decimal()),
  11: plain(),
};

/** Unique names, required options first. */
const ordered: Check = all(uniqueNames('options'), (value, path, problems) => {
  if (!Array.isArray(value)) return;
  let sawOptional = false;
  for (const [index, entry] of value.entries()) {
    if (!isRecord(entry) || entry.type === 1 || entry.type === 2) continue;
    if (entry.required === true && sawOptional)
      fail(
        problems,
        [...path, index],
        'APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID',
        'Required options must be placed before non-required options',
      );
    sawOptional ||= entry.required !== true;
  }
});

const optionList = (kinds: Record<number, Check>) => all(list(byType(kinds), { max: 25 }), ordered);
const subcommand = object(named, { ...translated, options: optionList(values) });
const group = object(
  { ...named, options: all(list(byType({ 1: subcommand }), { min: 1, max: 25 }), uniqueNames('options')) },
  translated,
);

const topOptions: Check = all(optionList({ 1: subcommand, 2: group, ...values }), (value, path, problems) => {
  if (!Array.isArray(value)) return;
  const isSub = (entry: unknown) => isRecord(entry) && (entry.type === 1 || entry.type === 2);
  if (value.some(isSub) && !value.every(isSub))
    fail(
      problems,
      path,
      'APPLICATION_COMMAND_OPTIONS_TYPE_INVALID',
      'Sub-command and sub-command group option types are mutually exclusive to all other types',
    );
});

const shared = {
  default_member_permissions: text({ max: 20, pattern: /^\d*$/ }),
  dm_permission: flag,
  contexts: list(oneOf(0, 1, 2), { min: 1, max: 3 }),
  integration_types: list(oneOf(0, 1), { min: 1, max: 2 }),
  nsfw: flag,
};

const slashCommand: Check = all(
  object({ ...named }, { ...translated, ...shared, options: topOptions }),
  (value, path, problems) => {
    if (isRecord(value) && characters(value) > MAX_CHARACTERS)
      fail(problems, path, 'APPLICATION_COMMAND_TOO_LARGE', `Command exceeds maximum size (${MAX_CHARACTERS})`);
  },
);

/** User and message commands: any case, spaces, no description, no options. */
const contextCommand: Check = all(
  object({ name: text({ min: 1, max: 32 }) }, { name_localizations: localized(text({ min: 1, max: 32 })), ...shared }),
  (value, path, problems) => {
    if (!isRecord(value)) return;
    if (typeof value.description === 'string' && value.description !== '')
      fail(
        problems,
        [...path, 'description'],
        'APPLICATION_COMMAND_DESCRIPTION_CANNOT_BE_SET',
        'Context menu commands cannot have description',
      );
    if (Array.isArray(value.options) && value.options.length > 0)
      fail(
        problems,
        [...path, 'options'],
        'APPLICATION_COMMAND_OPTIONS_CANNOT_BE_SET',
        'Context menu commands cannot have options',
      );
  },
);

export const command: Check = (value, path, problems) => {
  const type = isRecord(value) ? (value.type ?? 1) : 1;
  if (type === 1) slashCommand(value, path, problems);
  else if (type === 2 || type === 3) contextCommand(value, path, problems);
  else fail(problems, [...path, 'type'], 'BASE_TYPE_CHOICES', 'Value must be one of (1, 2, 3).');
};

export const commandList: Check = all(list(command, { max: 130 }), (value, path, problems) => {
  if (!Array.isArray(value)) return;
  const keys = value.map((entry) => (isRecord(entry) ? `${entry.type ?? 1}/${entry.name}` : ''));
  for (const [index, key] of keys.entries()) {
    if (keys.indexOf(key) !== index)
      fail(problems, [...path, index], 'APPLICATION_COMMANDS_DUPLICATE_NAME', 'Application command names must be unique');
  }
});

/** Name, description and choice values of the command, its subcommands and options; of translations the longest counts. */
export function characters(value: Json): number {
  const own = longest(value.name, value.name_localizations) + longest(value.description, value.description_localizations);
  const listed = Array.isArray(value.choices) ? value.choices.filter(isRecord) : [];
  const choiceCharacters = listed.reduce(
    (sum, entry) =>
      sum + longest(entry.name, entry.name_localizations) + (typeof entry.value === 'string' ? entry.value.length : 0),
    0,
  );
  const nested = Array.isArray(value.options) ? value.options.filter(isRecord) : [];
  return own + choiceCharacters + nested.reduce((sum, entry) => sum + characters(entry), 0);
}

function longest(base: unknown, localizations: unknown): number {
  const all = [base, ...(isRecord(localizations) ? Object.values(localizations) : [])];
  return Math.max(0, ...all.map((entry) => (typeof entry === 'string' ? entry.length : 0)));
}

function uniqueNames(what: 'options' | 'choices'): Check {
  return (value: unknown, path: Path, problems: Problem[]) => {
    if (!Array.isArray(value)) return;
    const names = value.map((entry) => (isRecord(entry) ? entry.name : undefined));
    for (const [index, name] of names.entries()) {
      if (name !== undefined && names.indexOf(name) !== index)
        fail(
          problems,
          [...path, index, 'name'],
          'APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS',
          what === 'options' ? 'Option name already exists' : 'Choice name already exists',
        );
    }
  };
}
