import type { Arg, Command } from './command.ts';

/** More options than this stand in the list below the usage line only. */
const shownOptions = 3;

/** `stop [#task]`, `member add <@person> <role>`, `sh [project=name] <command>`. */
export function usageOf(command: Command): string {
  const verbatim = Object.values(command.positional).some(({ takes }) => takes === 'verbatim');
  const words = Object.values(command.positional).map(positionalUsage);
  const given = Object.entries(command.options);
  const options = given.length > shownOptions ? ['[option=…]…'] : given.map(([key, { hint }]) => `[${key}=${hint}]`);
  return [command.name, ...(verbatim ? [...options, ...words] : [...words, ...options])].join(' ');
}

/** One line for each argument and option: how it is written, what it is. */
export function argumentLines(command: Command): { text: string; about: string }[] {
  const values = ({ values }: Arg<unknown>) =>
    values.length === 0 ? '' : `: ${values.map((value) => `\`${value}\``).join(', ')}`;
  return [
    ...Object.values(command.positional).map((arg) => ({ text: arg.hint, about: `${arg.about}${values(arg)}` })),
    ...Object.entries(command.options).map(([key, arg]) => ({
      text: arg.takes === 'change' ? `${key}=… ${key}+=… ${key}-=…` : `${key}=${arg.hint}`,
      about: `${arg.about}${values(arg)}`,
    })),
  ];
}

function positionalUsage({ hint, required }: Arg<unknown>): string {
  return required ? `<${hint}>` : `[${hint}]`;
}
