import { z } from 'zod';
import { platformSchema } from './platform.ts';

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/);

/** Hours of every day in which nothing pings a person; over midnight when `to` is before `from`. `zone`: IANA name of a time zone. */
export const quietHoursSchema = z.object({ from: clockTime, to: clockTime, zone: z.string().min(1).max(64) });
export type QuietHours = z.infer<typeof quietHoursSchema>;

export const notifyWays = ['default', 'mention', 'direct'] as const;

/**
 * How a person wants to hear of decisions that wait for them and of ends of their tasks.
 *
 * - `default`: mentioned where a decision waits; an end shows in the thread.
 * - `mention`: mentioned in the thread for both.
 * - `direct`: a direct message for both, on `on` when the person has an account there.
 *
 * In quiet hours neither happens; at their end one direct message says what waits and what has ended.
 */
export const notifySchema = z.object({
  by: z.enum(notifyWays),
  on: platformSchema.optional(),
  quiet: quietHoursSchema.optional(),
});
export type Notify = z.infer<typeof notifySchema>;
export const defaultNotify: Notify = { by: 'default' };
