import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { usageCsv, usageJson } from '../../src/commands/usage-export.ts';
import { dayOf, daysFrom, mostNamed, namedFigures, totalOf, usageChart } from '../../src/commands/usage-figures.ts';
import { chartSchema } from '../../src/contracts/view.ts';
import { chartSvg } from '../../src/delivery/chart.ts';
import type { UsageRow } from '../../src/store/usage.ts';

const until = '2026-11-22';
const dayMs = 86_400_000;
const tokens = fc.nat(10_000_000);
const rowOf = (days: number) =>
  fc
    .record({
      ago: fc.nat(days - 1),
      id: fc.nat(12),
      input: tokens,
      output: tokens,
      cacheRead: tokens,
      cacheWrite: tokens,
      requests: fc.integer({ min: 1, max: 900 }),
      costUsd: fc.double({ min: 0, max: 400, noNaN: true }),
    })
    .map(({ ago, id, ...figures }): UsageRow => {
      const day = dayOf(new Date(Date.parse(until) - ago * dayMs));
      return { day, parts: { agent: { id: String(id), name: `agent ${id}` } }, unpriced: 0, ...figures };
    });

describe('what was used', () => {
  it('is the same sum in the total, in the list and in both halves of the picture, however many days and names there are', () => {
    const drawn = fc
      .integer({ min: 1, max: 366 })
      .chain((days) => fc.tuple(fc.constant(days), fc.array(rowOf(days), { maxLength: 60 })));
    fc.assert(
      fc.property(drawn, ([days, rows]) => {
        const total = totalOf(rows);
        const named = namedFigures(rows, 'agent');
        expect(named.length).toBeLessThanOrEqual(mostNamed + 1);
        const since = dayOf(new Date(Date.parse(until) - (days - 1) * dayMs));
        expect(daysFrom(since, until)).toHaveLength(days);
        const chart = usageChart(rows, { part: 'agent', since, until, title: 't', limits: {} });
        expect(chartSchema.parse(chart)).toEqual(chart);
        expect(chart.parts[0]).toBe(since);
        const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
        expect(sum(named.map((one) => one.tokens))).toBe(total.tokens);
        expect(sum(chart.series.flatMap((one) => one.tokens))).toBe(total.tokens);
        expect(sum(chart.series.flatMap((one) => one.costUsd))).toBeCloseTo(total.costUsd, 6);
        expect(sum(named.map((one) => one.costUsd))).toBeCloseTo(total.costUsd, 6);
        expect(chart.series.map(({ name }) => name)).toEqual(named.map(({ name }) => name));
      }),
      { numRuns: 60 },
    );
  });

  it('promise 11: has names that are letters in the picture and in the file, and nothing else', () => {
    const evil = '=HYPERLINK("http://x","y"),<b>&\u202e';
    const row = { day: until, requests: 1, unpriced: 0, input: 1, output: 1, cacheRead: 0, cacheWrite: 0, costUsd: 1 };
    const parts = { agent: { id: 'a', name: evil }, project: { id: 'p', name: '@web' }, model: { id: 'm', name: 'gpt-6' } };
    const rows: UsageRow[] = [{ ...row, parts }];
    const chart = usageChart(rows, { part: 'agent', since: until, until, title: evil, limits: { costUsd: 0.5, tokens: 1e9 } });
    const svg = chartSvg(chart);
    expect(svg).not.toContain('<b>');
    expect(svg).not.toContain('\u202e');
    expect(svg).toContain('limit $0.50');
    expect(svg).toContain('stroke-dasharray');
    expect(usageCsv(rows).split('\r\n')).toEqual([
      'day,project,person,channel,agent,model,requests,requests_without_price,input_tokens,output_tokens,cache_read_tokens,cache_write_tokens,cost_usd',
      `${until},'@web,somebody,a channel without a name,"'=HYPERLINK(""http://x"",""y""),<b>&\u202e",gpt-6,1,0,1,1,0,0,1`,
      '',
    ]);
    expect(JSON.parse(usageJson(rows))).toMatchObject([{ day: until, agent: evil, cost_usd: 1, model: 'gpt-6' }]);
  });
});
