import type { Period } from '../contracts/quotas.ts';

const dayMs = 24 * 60 * 60_000;

/** When the period began that this moment is in. In UTC; weeks begin on Monday. src/store/quotas.ts says the same to the database. */
export function periodStart(per: Period, at: Date): Date {
  const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()];
  switch (per) {
    case 'hour':
      return new Date(Date.UTC(year, month, day, at.getUTCHours()));
    case 'day':
      return new Date(Date.UTC(year, month, day));
    case 'week':
      return new Date(Date.UTC(year, month, day - ((at.getUTCDay() + 6) % 7)));
    case 'month':
      return new Date(Date.UTC(year, month, 1));
  }
}

/** When the next period begins. */
export function periodEnd(per: Period, at: Date): Date {
  const start = periodStart(per, at);
  switch (per) {
    case 'hour':
      return new Date(start.getTime() + dayMs / 24);
    case 'day':
      return new Date(start.getTime() + dayMs);
    case 'week':
      return new Date(start.getTime() + 7 * dayMs);
    case 'month':
      return new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1, 1));
  }
}
