/** One measured number, in the unit people read it in. */
export interface Figure {
  name: string;
  value: number;
  unit: 'ms' | 's' | 'kB' | 'MB' | 'MB/s' | '/s' | '%' | 'cores' | '';
  /** What it should stay below, or be. Missing one is shown; it is no failure of the benchmark. */
  target?: { below: number } | { atMost: number } | { is: number } | undefined;
}

/** What one scenario found. */
export interface Outcome {
  figures: Figure[];
  /** What one must know to read the figures. */
  notes: string[];
  /** Promises that did not hold: lost rows, calls over limits, missing cards. These fail the benchmark. */
  broken: string[];
}

export function meetsTarget({ value, target }: Figure): boolean | undefined {
  if (target === undefined) return undefined;
  if ('below' in target) return value < target.below;
  return 'atMost' in target ? value <= target.atMost : value === target.is;
}

/** Nearest-rank percentile; NaN of nothing. */
export function percentile(values: readonly number[], rank: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil((rank / 100) * sorted.length) - 1)] ?? Number.NaN;
}

/** p50, p99 and the largest of some durations in milliseconds. `targets` by rank; 100 is the largest. */
export function durations(
  name: string,
  values: readonly number[],
  targets: { p50?: number; p99?: number } = {},
): [Figure, Figure, Figure] {
  const figure = (what: string, value: number, below?: number): Figure => ({
    name: `${name}, ${what}`,
    value,
    unit: 'ms',
    target: below === undefined ? undefined : { below },
  });
  return [
    figure('p50', percentile(values, 50), targets.p50),
    figure('p99', percentile(values, 99), targets.p99),
    figure('largest', percentile(values, 100)),
  ];
}

/** `12.3`, `1,234`: as many digits as say something. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
