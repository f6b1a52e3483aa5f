import { type UsageRow, usageParts } from '../store/usage.ts';
import { nameOf } from './usage-figures.ts';

const figures = ['requests', 'unpriced', 'input', 'output', 'cacheRead', 'cacheWrite', 'costUsd'] as const;
const headings = [
  'requests',
  'requests_without_price',
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'cost_usd',
];

/** One line for each day and all its parts. What a program that opens it could take for a formula begins with an apostrophe. */
export function usageCsv(rows: readonly UsageRow[]): string {
  const lines = rows.map((row) => [
    row.day,
    ...usageParts.map((part) => cell(nameOf(row, part))),
    ...figures.map((figure) => String(row[figure])),
  ]);
  return `${[['day', ...usageParts, ...headings], ...lines].map((line) => line.join(',')).join('\r\n')}\r\n`;
}

/** The same as a list of objects. */
export function usageJson(rows: readonly UsageRow[]): string {
  const objects = rows.map((row) => ({
    day: row.day,
    ...Object.fromEntries(usageParts.map((part) => [part, nameOf(row, part)])),
    ...Object.fromEntries(figures.map((figure, at) => [headings[at], row[figure]])),
  }));
  return `${JSON.stringify(objects, null, 1)}\n`;
}

function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
