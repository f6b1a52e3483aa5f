import {
  type APIApplicationCommandBasicOption,
  type APIApplicationCommandOption,
  type APIApplicationCommandSubcommandOption,
  ApplicationCommandOptionType,
} from 'discord-api-types/v10';
import type { MenuArgument, MenuCommand } from '../../src/contracts/command-menu.ts';
import { label } from './discord-text.ts';

/** Discord's limits (application commands). */
const maxDescription = 100;
const maxChoices = 25;
const maxOptions = 25;

/** Names of commands and options. */
export const namePattern = /^[-_a-z0-9]{1,32}$/;

/** A command as the subcommand of that name. */
export function subcommand(command: MenuCommand, sub: string): APIApplicationCommandSubcommandOption {
  const options = optionsOf(command).map(optionOf);
  return {
    type: ApplicationCommandOptionType.Subcommand,
    name: sub,
    description: label(command.summary, maxDescription, command.name),
    ...(options.length === 0 ? {} : { options }),
  };
}

/** What Discord counts of an entry: names, descriptions and choices, of all that is in it too. */
export function charactersOf(option: APIApplicationCommandOption): number {
  const inner = 'options' in option ? (option.options ?? []) : [];
  const choices = 'choices' in option ? (option.choices ?? []) : [];
  return (
    option.name.length +
    option.description.length +
    inner.reduce((sum, one) => sum + charactersOf(one), 0) +
    choices.reduce((sum, { name, value }) => sum + name.length + String(value).length, 0)
  );
}

/** The arguments that a subcommand has room for, each name once, required ones first. */
function optionsOf(command: MenuCommand): MenuArgument[] {
  const named = new Map<string, MenuArgument>();
  for (const argument of [...command.positional, ...command.options]) {
    if (!named.has(argument.name) && namePattern.test(argument.name)) named.set(argument.name, argument);
  }
  const all = [...named.values()];
  return [...all.filter(({ required }) => required), ...all.filter(({ required }) => !required)].slice(0, maxOptions);
}

/** Few words are offered as a choice, others are completed while they are typed; a text goes on to the end of the line. */
function optionOf(argument: MenuArgument): APIApplicationCommandBasicOption {
  const base = {
    type: ApplicationCommandOptionType.String as const,
    name: argument.name,
    description: label(argument.about, maxDescription, argument.name),
    required: argument.required,
  };
  const few =
    argument.values.length > 0 && argument.values.length <= maxChoices && argument.values.every((value) => value.length <= 100);
  if (few) return { ...base, choices: argument.values.map((value) => ({ name: value, value })) };
  return argument.rest ? base : { ...base, autocomplete: true };
}
