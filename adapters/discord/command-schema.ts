import {
  type APIApplicationCommandSubcommandGroupOption,
  type APIApplicationCommandSubcommandOption,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ApplicationIntegrationType,
  InteractionContextType,
  type RESTPutAPIApplicationCommandsJSONBody,
} from 'discord-api-types/v10';
import type { CommandMenu } from '../../src/contracts/command-menu.ts';
import { anyCommand, groupAbout, messageCommand, type Placed, placeCommands, slashCommands } from './command-names.ts';
import { subcommand } from './command-options.ts';

const where = {
  contexts: [InteractionContextType.Guild, InteractionContextType.BotDM],
  integration_types: [ApplicationIntegrationType.GuildInstall],
};

type Entry = APIApplicationCommandSubcommandOption | APIApplicationCommandSubcommandGroupOption;

/**
 * What Discord is told about the commands: the slash commands with a typed subcommand for each, `/deckhand do` for all of them as text, and
 * the command in the menu of a message.
 */
export function applicationCommands(menu: Pick<CommandMenu, 'commands'>): RESTPutAPIApplicationCommandsJSONBody {
  const placed = placeCommands(menu);
  const commands = Object.entries(slashCommands).flatMap(([name, description]) => {
    const below = entriesOf(placed.filter(({ slash }) => slash === name));
    const options = name === anyCommand.slash ? [...below, anyEntry] : below;
    return options.length === 0 ? [] : [{ type: ApplicationCommandType.ChatInput, name, description, options, ...where }];
  });
  return [...commands, { type: ApplicationCommandType.Message, name: messageCommand, ...where }];
}

const anyEntry: APIApplicationCommandSubcommandOption = {
  type: ApplicationCommandOptionType.Subcommand,
  name: anyCommand.name,
  description: anyCommand.about,
  options: [
    {
      type: ApplicationCommandOptionType.String,
      name: anyCommand.option,
      description: anyCommand.example,
      required: true,
      autocomplete: true,
    },
  ],
};

function entriesOf(placed: readonly Placed[]): Entry[] {
  const entries = new Map<string, Entry>();
  for (const { command, group, sub } of placed) {
    const one = subcommand(command, sub);
    const known = entries.get(group ?? sub);
    if (group === undefined) entries.set(sub, one);
    else if (known?.type === ApplicationCommandOptionType.SubcommandGroup) known.options = [...(known.options ?? []), one];
    else {
      const type = ApplicationCommandOptionType.SubcommandGroup;
      entries.set(group, { type, name: group, description: groupAbout(group), options: [one] });
    }
  }
  return [...entries.values()];
}
