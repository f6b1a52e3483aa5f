import { z } from 'zod';
import { modelName } from './agent-words.ts';
import type { ListChange } from './arguments.ts';

/** Short enough for a button that asks for its key. */
export const accountName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,27}$/, {
    error: 'The name of an account has letters, digits, dots, dashes and underscores, at most 28.',
  })
  .refine((text) => !['none', 'default', 'all'].includes(text.toLowerCase()), {
    error: ({ input }) => `\`${input}\` is a word of commands and cannot be a name.`,
  });

/** The name of an account, or `none`, which is null: what the runner is configured with. */
export const accountWord = z
  .string()
  .refine((text) => text.toLowerCase() === 'none' || accountName.safeParse(text).success, {
    error: 'That is not the name of an account. `account list` shows them.',
  })
  .transform((text) => (text.toLowerCase() === 'none' ? null : text));

/** Address of a model server. Never repeated when it does not fit: it may hold a password. */
export const serverAddress = z
  .string()
  .max(300, { error: 'The address is too long.' })
  .refine(isAddress, {
    error: 'The address has to be a plain `https://…` or `http://…`, without a login, `?` and `#`. Keys are asked for apart.',
  })
  .transform((text) => text.replace(/\/+$/, ''));

function isAddress(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return false;
  return url.username === '' && url.password === '' && url.search === '' && url.hash === '' && !/[\s`]/.test(text);
}

/** Name of an image, with its tag or digest; `default` is null. */
export const imageWord = z
  .string()
  .refine((text) => /^[a-z0-9][\w.:/@-]{0,199}$/i.test(text), {
    error: 'That is not the name of an image, such as `acme/agents:2`.',
  })
  .transform((text) => (text.toLowerCase() === 'default' ? null : text));

/** Full path of a program; `default` is null. */
export const binaryWord = z
  .string()
  .refine((text) => text.toLowerCase() === 'default' || /^(?:\/[\w.+-]+){1,20}$/.test(text), {
    error: 'That is not the full path of a program, such as `/opt/claude/bin/claude`.',
  })
  .refine((text) => !text.split('/').some((part) => part === '.' || part === '..'), { error: 'The path has `.` or `..` in it.' })
  .transform((text) => (text.toLowerCase() === 'default' ? null : text));

/** The models of a change of a list; `any` is as `none`: no limit. Names that are none come back as `problem`. */
export function modelsOf(change: ListChange): ListChange | { problem: string } {
  const split = (values: readonly string[]) =>
    values.flatMap((value) => value.split(/[\s,]+/)).filter((value) => value !== '' && value !== 'any' && value !== 'none');
  const given = {
    set: change.set === undefined ? undefined : split(change.set),
    add: split(change.add),
    remove: split(change.remove),
  };
  const wrong = [...(given.set ?? []), ...given.add].find((name) => !modelName.safeParse(name).success);
  return wrong === undefined ? given : { problem: `\`${wrong.slice(0, 80)}\` is not the name of a model.` };
}
