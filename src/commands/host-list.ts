import { AppError } from '../contracts/errors.ts';
import { applyChange, type ListChange } from './arguments.ts';

/** A list of hosts after a change of it; DH-201 when an entry is none, or when there are too many. `what`: "… is neither a nor b". */
export function changedHostList(
  current: readonly string[],
  change: ListChange,
  { isEntry, what, most, example }: { isEntry(entry: string): boolean; what: string; most: number; example: string },
): string[] {
  const split = (values: readonly string[]) =>
    values.flatMap((value) => value.toLowerCase().split(/[\s,]+/)).filter((value) => value !== '' && value !== 'none');
  const set = change.set === undefined ? undefined : split(change.set);
  const hosts = applyChange(current, { set, add: split(change.add), remove: split(change.remove) });
  const wrong = hosts.find((host) => !isEntry(host));
  const problem =
    wrong !== undefined
      ? `\`${wrong.slice(0, 80)}\` is ${what}.`
      : hosts.length > most
        ? `There is room for ${most} hosts.`
        : undefined;
  if (problem === undefined) return hosts;
  throw new AppError('DH-201', { problem, example });
}
