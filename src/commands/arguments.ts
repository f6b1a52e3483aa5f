import { z } from 'zod';
import { labelsSchema } from '../contracts/labels.ts';
import { roleSchema } from '../contracts/roles.ts';
import type { Arg } from './command.ts';
import type { Operator } from './tokens.ts';

type ArgOptions<T> = Pick<Arg<T>, 'hint' | 'about' | 'schema'> & {
  values?: readonly string[];
  names?: Arg<T>['names'];
  takes?: Arg<T>['takes'];
};

export function required<T>(options: ArgOptions<T>): Arg<T> {
  return { ...options, required: true, values: options.values ?? [], names: options.names, takes: options.takes ?? 'word' };
}

export function optional<T>(options: ArgOptions<T>): Arg<T | undefined> {
  return { ...options, required: false, values: options.values ?? [], names: options.names, takes: options.takes ?? 'word' };
}

/** Where a request is to be run. */
export const runsOnOption = optional({
  hint: 'gpu',
  about: 'labels that its runner must have, with commas between; `none` for any runner',
  schema: labelsSchema,
});

/** One of a few words; case does not matter. */
export function oneOf<const V extends string>(values: readonly V[]) {
  return z
    .string()
    .transform((text) => values.find((value) => value.toLowerCase() === text.toLowerCase()) ?? text)
    .pipe(
      z.enum(values, { error: ({ input }) => `\`${input}\` is none of ${values.map((value) => `\`${value}\``).join(', ')}.` }),
    );
}

/** `#142` or `142`. */
export const taskNumber = z
  .string()
  .regex(/^#?\d{1,9}$/, { error: ({ input }) => `\`${input}\` is not a task number.` })
  .transform((text) => Number(text.replace('#', '')));

/** A whole number from 1 on. */
export function count(max: number) {
  return z
    .string()
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= 1 && Number(text) <= max, {
      error: ({ input }) => `\`${input}\` is not a whole number from 1 to ${max}.`,
    })
    .transform(Number);
}

export const onOff = oneOf(['on', 'off']).transform((word) => word === 'on');

const unitMs: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `20m`, `1h30m`, `2d`: milliseconds between `min` and `max`. */
export function duration(minMs: number, maxMs: number) {
  return z
    .string()
    .toLowerCase()
    .refine((text) => /^(\d{1,6}[smhd])+$/.test(text), {
      error: ({ input }) => `\`${input}\` is not a length of time, such as \`90s\`, \`20m\` or \`1h30m\`.`,
    })
    .transform((text) =>
      [...text.matchAll(/(\d+)([smhd])/g)].reduce((ms, [, n, unit]) => ms + Number(n) * (unitMs[unit ?? ''] ?? 0), 0),
    )
    .refine((ms) => ms >= minMs && ms <= maxMs, {
      error: `The time must be between ${shortDuration(minMs)} and ${shortDuration(maxMs)}.`,
    });
}

/** The same, or `none`. */
export function durationOrNone(minMs: number, maxMs: number) {
  return durationOr('none', minMs, maxMs);
}

/** The same, or `never`. */
export function durationOrNever(minMs: number, maxMs: number) {
  return durationOr('never', minMs, maxMs);
}

function durationOr<Word extends string>(word: Word, minMs: number, maxMs: number) {
  const length = duration(minMs, maxMs);
  return z.string().transform((text, ctx): number | Word => {
    if (text.toLowerCase() === word) return word;
    const read = length.safeParse(text);
    if (read.success) return read.data;
    for (const { message } of read.error.issues) ctx.addIssue({ code: 'custom', message, input: text });
    return z.NEVER;
  });
}

/** A length of time as `duration` reads it: `1h30m`. */
export function shortDuration(ms: number): string {
  let rest = Math.round(ms / 1000);
  const parts: string[] = [];
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const n = Math.floor(rest / size);
    if (n > 0) parts.push(`${n}${unit}`);
    rest -= n * size;
  }
  return parts.length === 0 ? '0s' : parts.join('');
}

export const roleWord = oneOf(roleSchema.options);

/** A command line that runs by itself later, where nobody reads it before. */
export const checkCommand = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .regex(/^[^\n\r\0]*$/, 'must be one line');

export const name = z.string().min(1).max(80);

/** One `key=value`, `key+=value` or `key-=value`. */
export const assignments = z.array(z.object({ operator: z.custom<Operator>(), value: z.string() }));

/** A change of a list: `=` sets it (`none` empties it), `+=` adds, `-=` takes away. */
export interface ListChange {
  set: string[] | undefined;
  add: string[];
  remove: string[];
}

export const listChange = assignments.transform((given): ListChange => {
  const values = (operator: Operator) => given.filter((one) => one.operator === operator).map(({ value }) => value);
  const set = values('=');
  return {
    set: set.length === 0 ? undefined : set.filter((value) => value !== '' && value !== 'none'),
    add: values('+=').filter((value) => value !== ''),
    remove: values('-='),
  };
});

export function applyChange(current: readonly string[], change: ListChange): string[] {
  const base = change.set ?? current;
  return [...new Set([...base, ...change.add])].filter((value) => !change.remove.includes(value));
}
