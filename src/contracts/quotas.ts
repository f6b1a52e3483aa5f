import { z } from 'zod';

/** What a quota is about. */
export const quotaScopeSchema = z.enum(['workspace', 'channel', 'project', 'person']);
export type QuotaScope = z.infer<typeof quotaScopeSchema>;

/**
 * What is measured. `runs`: attempts that begin. `requests`: requests to models. `tokens`: what models read and wrote, without what they had in
 * their cache. `cost`: US dollars. `wall`: milliseconds that runs are at work, without the time that they wait for people. `concurrent`: runs at
 * the same time. `disk`: bytes that are kept.
 */
export const measureSchema = z.enum(['runs', 'requests', 'tokens', 'cost', 'wall', 'concurrent', 'disk']);
export type Measure = z.infer<typeof measureSchema>;

/** Periods begin in UTC; a week begins on Monday. `once`: what is there at a time, not what happens in a period. */
export const perSchema = z.enum(['hour', 'day', 'week', 'month', 'once']);
export type Per = z.infer<typeof perSchema>;
export type Period = Exclude<Per, 'once'>;

/** Measures of what is there at a time. All others are of a period. */
export const measuresAtOnce = ['concurrent', 'disk'] as const satisfies Measure[];

/** A measure of what happens in a period. */
export type Counted = Exclude<Measure, (typeof measuresAtOnce)[number]>;

/** What is kept belongs to projects: neither people nor channels have any. */
export function scopesFor(measure: Measure): readonly QuotaScope[] {
  return measure === 'disk' ? ['workspace', 'project'] : quotaScopeSchema.options;
}

/** How much of something may be used where. */
export interface Quota {
  id: string;
  workspace: string;
  scope: QuotaScope;
  /** Id of the workspace, channel, project or person. */
  subject: string;
  measure: Measure;
  per: Per;
  limit: number;
}

/** A quota with what has counted against it in the period that goes on. */
export interface Standing {
  quota: Quota;
  used: number;
  /** What people have allowed beyond the limit in this period. */
  extra: number;
  /** Beginning of the period; null: `once`. */
  since: Date | null;
}

/** From this part of a quota on people are warned. */
export const warnedFrom = 0.8;
