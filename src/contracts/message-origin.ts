import { z } from 'zod';
import { platformSchema } from './platform.ts';

/**
 * Names the message of a person at its platform, as what is said to an agent is stored by: the same when the message is edited or
 * deleted. `thread` is not part of it, for a message stands in one place only.
 */
export interface MessageOrigin {
  platform: z.infer<typeof platformSchema>;
  tenant: string;
  channel: string;
  message: string;
}

export function messageOrigin({ platform, tenant, channel, message }: MessageOrigin): string {
  return JSON.stringify([platform, tenant, channel, message]);
}

const originSchema = z.tuple([platformSchema, z.string(), z.string(), z.string()]);

/** The message that an origin names; undefined for what was no message, such as a form. */
export function readOrigin(origin: string): MessageOrigin | undefined {
  const [platform, tenant, channel, message] = originSchema.safeParse(jsonOf(origin)).data ?? [];
  if (platform === undefined || tenant === undefined || channel === undefined || message === undefined) return undefined;
  return { platform, tenant, channel, message };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
