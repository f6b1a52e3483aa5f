import { createPrivateKey } from 'node:crypto';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { labelAbout, labelsSchema, mostLabels } from './contracts/labels.ts';
import { parseRedisAddress, type RedisAddress } from './runtime/redis-address.ts';

/** The kinds of values that variables have, with what is said about a value that is none. */

/** A person who is made owner at start. Only Slack's ids need their tenant. */
export interface OwnerRef {
  platform: 'slack' | 'telegram' | 'discord';
  tenant: string | undefined;
  user: string;
}

export const integer = (min: number, max: number) => {
  const message = `must be a whole number from ${min} to ${max}`;
  return z.string().regex(/^\d+$/, message).transform(Number).pipe(z.number().min(min, message).max(max, message));
};
export const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, `must be one of ${values.join(', ')}`);
export const startsWith = (prefix: string) => z.string().startsWith(prefix, `must start with ${prefix}`);
export const webAddress = z.string().refine(isWebAddress, 'must be an address that starts with http:// or https://');

export function expandHome(value: string): string {
  const path = value === '~' || value.startsWith('~/') ? join(homedir(), value.slice(1)) : value;
  return isAbsolute(path) ? path : resolve(path);
}

export function isWebAddress(value: string): boolean {
  return /^https?:\/\//.test(value) && URL.canParse(value);
}

/** In environments line breaks are hard to keep: `\n` stands for them, or the whole is in base64. */
export function privateKey(value: string, context: z.RefinementCtx): string {
  const text = value.includes('-----BEGIN') ? value.replaceAll('\\n', '\n') : Buffer.from(value, 'base64').toString('utf8');
  try {
    createPrivateKey(text);
  } catch {
    context.addIssue({
      code: 'custom',
      message: 'must be a private key as GitHub gives it: the text of the .pem file, or that in base64',
    });
  }
  return text;
}

export function redisAddress(value: string, context: z.RefinementCtx): RedisAddress {
  const address = parseRedisAddress(value);
  if (address !== undefined) return address;
  context.addIssue({
    code: 'custom',
    message: 'must be an address such as redis://host:6379, rediss://host:6379 or redis+sentinel://host:26379,host:26379/name',
  });
  return z.NEVER;
}

/** `gpu,eu` */
export function labelsOf(text: string, context: z.RefinementCtx): string[] {
  const labels = labelsSchema.safeParse(text);
  if (labels.success) return labels.data;
  const message = `must be up to ${mostLabels} labels with commas between: ${labelAbout}`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}

export function isSecretKey(value: string): boolean {
  return /^[A-Za-z0-9+/]{43}=$/.test(value) && Buffer.from(value, 'base64').length === 32;
}

/** Keys with commas between. */
export function secretKeys(value: string, context: z.RefinementCtx): Buffer[] {
  const entries = value.split(',').flatMap((entry) => (entry.trim() === '' ? [] : [entry.trim()]));
  for (const [index, entry] of entries.entries()) {
    if (isSecretKey(entry)) continue;
    context.addIssue({ code: 'custom', message: `entry ${index + 1} must be 32 bytes in base64` });
  }
  return entries.map((entry) => Buffer.from(entry, 'base64'));
}

/** How much of a disk may be taken: so many bytes, a part of it, or all. */
export type DiskQuota = { bytes: number } | { percent: number } | 'none';

const sizeUnits = { MB: 1e6, GB: 1e9, TB: 1e12 } as const;

export function diskQuota(value: string, context: z.RefinementCtx): DiskQuota {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(%|MB|GB|TB)$/i.exec(value.trim()) ?? [];
  const amount = Number(number);
  const factor = unit === undefined || unit === '%' ? undefined : sizeUnits[unit.toUpperCase() as keyof typeof sizeUnits];
  if (value.trim().toLowerCase() === 'none') return 'none';
  if (unit === '%' && amount >= 1 && amount <= 100) return { percent: amount };
  if (factor !== undefined && amount > 0) return { bytes: amount * factor };
  context.addIssue({ code: 'custom', message: 'must be a part of the disk such as 80%, a size such as 50GB, or none' });
  return 'none';
}

export function parseOwners(value: string, context: z.RefinementCtx): OwnerRef[] {
  const owners: OwnerRef[] = [];
  const entries = value.split(',').map((entry) => entry.trim());
  for (const [index, entry] of entries.entries()) {
    if (entry === '') continue;
    const slack = /^slack:([TE][A-Z0-9]+)\/([UW][A-Z0-9]+)$/.exec(entry);
    const other = /^(telegram|discord):(\d+)$/.exec(entry);
    if (slack?.[1] !== undefined && slack[2] !== undefined) {
      owners.push({ platform: 'slack', tenant: slack[1], user: slack[2] });
    } else if (other?.[2] !== undefined) {
      owners.push({ platform: other[1] === 'telegram' ? 'telegram' : 'discord', tenant: undefined, user: other[2] });
    } else {
      const message = `entry ${index + 1} must read slack:<team id>/<user id>, telegram:<id> or discord:<id>`;
      context.addIssue({ code: 'custom', message });
    }
  }
  return owners;
}
