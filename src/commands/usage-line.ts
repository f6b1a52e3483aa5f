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

/** The example nearest to what was typed: one with an option of it, else the first. */
export function exampleFor(command: Command, typed: string): string {
  const options = [...typed.matchAll(/(?:^|\s)([a-z-]+)[+-]?=/g)].map(([, key]) => key);
  const uses = (example: string) => options.some((key) => new RegExp(`\\s${key}[+-]?=`).test(example));
  const [text = command.name] = command.examples.find(([example]) => uses(example)) ?? command.examples[0] ?? [];
  return `\`${text}\``;
}

function positionalUsage({ hint, required }: Arg<unknown>): string {
  return required ? `<${hint}>` : `[${hint}]`;
}
