import {
  type APIApplicationCommandBasicOption,
  type APIApplicationCommandOption,
  type APIApplicationCommandSubcommandGroupOption,
  type APIApplicationCommandSubcommandOption,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ApplicationIntegrationType,
  InteractionContextType,
  type RESTPutAPIApplicationCommandsJSONBody,
} from 'discord-api-types/v10';
import type { CommandMenu, MenuArgument } from '../../src/contracts/command-menu.ts';
import { anyCommand, messageCommand, optionsOf, type Placed, placeCommands, slashCommand } from './command-names.ts';
import { label } from './discord-text.ts';

const maxDescription = 100;
const maxChoices = 25;
/** Of all names, descriptions and choices of one command. */
const maxCharacters = 8000;

const where = {
  contexts: [InteractionContextType.Guild, InteractionContextType.BotDM],
  integration_types: [ApplicationIntegrationType.GuildInstall],
};

/**
 * What Discord is told about the commands: `/deckhand` with a typed subcommand for each, `do` for all of them as text, and the command
 * in the menu of a message. Commands at the end of the menu give way where Discord's limits are reached.
 */
export function applicationCommands(menu: Pick<CommandMenu, 'commands'>): RESTPutAPIApplicationCommandsJSONBody {
  const placed = placeCommands(menu);
  let options = slashOptions(placed);
  while (charactersOf(options) > maxCharacters && placed.length > 0) {
    placed.pop();
    options = slashOptions(placed);
  }
  return [
    {
      type: ApplicationCommandType.ChatInput,
      name: slashCommand,
      description: 'Run and watch tasks',
      options,
      ...where,
    },
    { type: ApplicationCommandType.Message, name: messageCommand, ...where },
  ];
}

function slashOptions(
  placed: readonly Placed[],
): (APIApplicationCommandSubcommandOption | APIApplicationCommandSubcommandGroupOption)[] {
  const any: APIApplicationCommandSubcommandOption = {
    type: ApplicationCommandOptionType.Subcommand,
    name: anyCommand.name,
    description: 'Any command as text, as it is written in a message',
    options: [
      {
        type: ApplicationCommandOptionType.String,
        name: anyCommand.option,
        description: 'For example: tasks mine',
        required: true,
        autocomplete: true,
      },
    ],
  };
  const entries = new Map<string, APIApplicationCommandSubcommandOption | APIApplicationCommandSubcommandGroupOption>();
  for (const one of placed) {
    const sub = subcommand(one);
    if (one.group === undefined) {
      entries.set(one.sub, sub);
      continue;
    }
    const group = entries.get(one.group);
    if (group?.type === ApplicationCommandOptionType.SubcommandGroup) group.options = [...(group.options ?? []), sub];
    else {
      entries.set(one.group, {
        type: ApplicationCommandOptionType.SubcommandGroup,
        name: one.group,
        description: `Commands of ${one.group}`,
        options: [sub],
      });
    }
  }
  return [...entries.values(), any];
}

function subcommand({ command, sub }: Placed): APIApplicationCommandSubcommandOption {
  const options = optionsOf(command).map(optionOf);
  return {
    type: ApplicationCommandOptionType.Subcommand,
    name: sub,
    description: label(command.summary, maxDescription, command.name),
    ...(options.length === 0 ? {} : { options }),
  };
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

function charactersOf(options: readonly APIApplicationCommandOption[]): number {
  let sum = 0;
  for (const option of options) {
    sum += option.name.length + option.description.length;
    if ('options' in option && option.options !== undefined) sum += charactersOf(option.options);
    if ('choices' in option && option.choices !== undefined) {
      for (const choice of option.choices) sum += choice.name.length + String(choice.value).length;
    }
  }
  return sum;
}
