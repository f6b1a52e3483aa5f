import { describe, expect, it } from 'vitest';
import { clockMark, worthShowing } from '../../src/delivery/card-clock.ts';
import { progressInterval } from '../../src/delivery/projected-run.ts';
import { about, bytes, coarse, count, duration, ordinal } from '../../src/delivery/units.ts';

const minute = 60_000;

describe('what a card shows though nothing was logged', () => {
  it('the clock moves on ever more rarely, so that a day of silence costs some fifty edits', () => {
    expect([0, 0.9, 1, 2, 4.9, 5, 10, 20, 30, 59, 60, 90].map((minutes) => clockMark(minutes * minute))).toEqual([
      0, 0, 1, 2, 2, 3, 4, 5, 6, 6, 7, 8,
    ]);
    expect(clockMark(24 * 60 * minute)).toBeLessThan(60);
  });

  it('a place far back in the queue is shown again when it has halved, one in front at every step', () => {
    const shown: number[] = [];
    for (let place = 200; place >= 1; place -= 1) if (worthShowing(place, shown.at(-1) ?? 0)) shown.push(place);
    expect(shown).toEqual([200, 100, 50, 25, 12, 6, 5, 4, 3, 2, 1]);
  });

  it('output is gathered for a second alone and for up to ten with many runs', () => {
    expect([1, 20, 100, 200, 1000].map(progressInterval)).toEqual([1000, 1000, 5000, 10_000, 10_000]);
  });
});

describe('numbers on cards', () => {
  it('carry units', () => {
    expect([0, 999, 1000, 59_999, 60_000, 372_000, 7_500_000, 90_000_000].map(duration)).toEqual([
      '0 ms',
      '999 ms',
      '1 s',
      '59 s',
      '1m',
      '6m 12s',
      '2h 5m',
      '1d 1h',
    ]);
    expect([11_000, 100_000, 1_200_000].map(coarse)).toEqual(['10 s', '1m 40s', '20m']);
    expect([10_000, 170_000, 7_200_000].map(about)).toEqual(['less than a minute', 'about 3 min', 'about 2 h']);
    expect([812, 4200, 17_000_000, 999_999_999].map(bytes)).toEqual(['812 B', '4.2 kB', '17 MB', '1.0 GB']);
    expect([1, 2, 3, 4, 11, 12, 21, 101, 111].map(ordinal)).toEqual([
      '1st',
      '2nd',
      '3rd',
      '4th',
      '11th',
      '12th',
      '21st',
      '101st',
      '111th',
    ]);
    expect([count(1, 'file'), count(1204, 'line')]).toEqual(['1 file', '1,204 lines']);
  });
});
