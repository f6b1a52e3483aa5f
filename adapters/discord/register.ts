import { ApplicationCommandType } from 'discord-api-types/v10';
import { z } from 'zod';
import type { CommandMenu } from '../../src/contracts/command-menu.ts';
import { applicationCommands } from './command-schema.ts';
import { path, type Rest } from './rest.ts';

const commandsAnswer = z.array(z.unknown());

/**
 * Tells Discord about the commands, all at once and only when it knows something else. Returns whether it had to.
 */
export async function registerCommands(rest: Rest, application: string, menu: Pick<CommandMenu, 'commands'>): Promise<boolean> {
  const wanted = applicationCommands(menu);
  const route = path`/applications/${application}/commands`;
  const there = await rest.call({ method: 'get', route, what: 'read the commands' }, commandsAnswer);
  if (sameCommands(there, wanted)) return false;
  await rest.act({ method: 'put', route, what: 'register the commands', body: wanted });
  return true;
}

const optionFields: z.ZodType<unknown> = z.lazy(() =>
  z
    .object({
      type: z.number(),
      name: z.string(),
      description: z.string().nullish(),
      required: z.boolean().nullish(),
      autocomplete: z.boolean().nullish(),
      choices: z.array(z.object({ name: z.string(), value: z.union([z.string(), z.number()]) })).nullish(),
      options: z.array(optionFields).nullish(),
    })
    .transform(({ type, name, description, required, autocomplete, choices, options }) => ({
      type,
      name,
      description: description ?? '',
      required: required ?? false,
      autocomplete: autocomplete ?? false,
      choices: (choices ?? []).map((choice) => [choice.name, choice.value]),
      options: options ?? [],
    })),
);

/** The fields that are ours, with what Discord takes a missing one for. It adds others, and leaves out what is the default. */
const commandFields = z
  .object({
    type: z.number().nullish(),
    name: z.string(),
    description: z.string().nullish(),
    options: z.array(optionFields).nullish(),
    contexts: z.array(z.number()).nullish(),
    integration_types: z.array(z.number()).nullish(),
    default_member_permissions: z.string().nullish(),
  })
  .transform((command) => ({
    type: command.type ?? ApplicationCommandType.ChatInput,
    name: command.name,
    description: command.description ?? '',
    options: command.options ?? [],
    contexts: [...(command.contexts ?? [])].sort(),
    integration_types: [...(command.integration_types ?? [])].sort(),
    default_member_permissions: command.default_member_permissions ?? null,
  }));

/** Whether two lists of commands mean the same, in any order. */
export function sameCommands(one: readonly unknown[], other: readonly unknown[]): boolean {
  const forms = [one, other].map((list) => {
    const read = list.map((command) => commandFields.safeParse(command).data);
    return read.includes(undefined) ? undefined : read.map((command) => JSON.stringify(command)).sort();
  });
  return forms[0] !== undefined && JSON.stringify(forms[0]) === JSON.stringify(forms[1]);
}
