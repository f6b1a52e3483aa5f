import { dollars } from '../approvals/action-text.ts';
import type { Measure, Per } from '../contracts/quotas.ts';
import { bytes, digits, duration } from '../delivery/units.ts';

/** No quota needs more of anything. */
const most = 1e15;

const thousands: Record<string, number> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };
const sizes: Record<string, number> = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 };
const times: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads how much of a measure: `50`, `2M`, `$20`, `1h30m`, `10GB`. Undefined: that is no such amount. */
export function readAmount(measure: Measure, text: string): number | undefined {
  const read = reading(measure, text.trim().toLowerCase().replaceAll(/[,_]/g, ''));
  return read !== undefined && Number.isFinite(read) && read >= 0 && read <= most ? read : undefined;
}

function reading(measure: Measure, text: string): number | undefined {
  switch (measure) {
    case 'cost': {
      const found = /^\$?(\d{1,9}(?:\.\d{1,2})?)$/.exec(text);
      return found === null ? undefined : Number(found[1]);
    }
    case 'wall': {
      if (!/^(?:\d{1,6}[smhd])+$/.test(text)) return undefined;
      return [...text.matchAll(/(\d+)([smhd])/g)].reduce((ms, [, n, unit]) => ms + Number(n) * (times[unit ?? ''] ?? 0), 0);
    }
    case 'disk': {
      const found = /^(\d{1,9}(?:\.\d{1,3})?) ?([kmgt]?b)$/.exec(text);
      return found === null ? undefined : Math.round(Number(found[1]) * (sizes[found[2] ?? ''] ?? 0));
    }
    case 'runs':
    case 'requests':
    case 'tokens':
    case 'concurrent': {
      const found = /^(\d{1,12}(?:\.\d{1,3})?)([kmg]?)$/.exec(text);
      const value = found === null ? Number.NaN : Number(found[1]) * (thousands[found[2] ?? ''] ?? 0);
      return Math.abs(value - Math.round(value)) < 1e-6 ? Math.round(value) : undefined;
    }
  }
}

/** An example of each, as it is typed. */
export const amountExamples: Record<Measure, string> = {
  runs: '50/day',
  requests: '1000/day',
  tokens: '2M/day',
  cost: '$20/month',
  wall: '8h/week',
  concurrent: '3',
  disk: '10GB',
};

/** How much of a measure, for people, without its name: `50`, `1.2M`, `$20.00`, `1h 30m`, `10 GB`. */
export function amountText(measure: Measure, amount: number): string {
  switch (measure) {
    case 'cost':
      return dollars(amount);
    case 'wall':
      return amount === 0 ? '0 s' : duration(amount);
    case 'disk':
      return bytes(amount);
    case 'tokens':
      return short(amount);
    case 'runs':
    case 'requests':
    case 'concurrent':
      return digits(amount);
  }
}

/** 812, 41k, 1.2M, 3G. */
function short(amount: number): string {
  const [size, unit] = amount >= 1e9 ? [1e9, 'G'] : amount >= 1e6 ? [1e6, 'M'] : amount >= 1e4 ? [1e3, 'k'] : [1, ''];
  const value = amount / size;
  const shown = unit === '' || value >= 99.5 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toFixed(1)));
  return `${shown}${unit}`;
}

const nouns: Record<Measure, string> = {
  runs: 'runs',
  requests: 'requests to models',
  tokens: 'tokens',
  cost: '',
  wall: 'of work',
  concurrent: 'runs at once',
  disk: 'kept',
};

const pers: Record<Per, string> = { hour: 'an hour', day: 'a day', week: 'a week', month: 'a month', once: '' };

/** "50 runs a day", "$20.00 a month", "10 GB kept". */
export function limitText({ measure, per, limit }: { measure: Measure; per: Per; limit: number }): string {
  const noun = limit === 1 ? nouns[measure].replace(/^(run|request|token)s/, '$1') : nouns[measure];
  return [amountText(measure, limit), noun, pers[per]].filter((word) => word !== '').join(' ');
}

/** "26 of 50 runs a day". */
export function usedText(quota: { measure: Measure; per: Per; limit: number }, used: number, extra = 0): string {
  return `${amountText(quota.measure, used)} of ${limitText({ ...quota, limit: quota.limit + extra })}`;
}
