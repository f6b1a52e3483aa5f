import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isQuiet, isTimeZone, lastQuiet } from '../../src/delivery/quiet-hours.ts';

const at = (text: string) => new Date(text);
const night = { from: '22:00', to: '07:00', zone: 'Europe/Berlin' };

describe('quiet hours', () => {
  it.each([
    ['2026-07-01T19:59:00Z', false],
    ['2026-07-01T20:00:00Z', true],
    ['2026-07-02T04:59:00Z', true],
    ['2026-07-02T05:00:00Z', false],
    ['2026-01-01T20:59:00Z', false],
    ['2026-01-01T21:00:00Z', true],
  ])('at %s over midnight, in the time of the zone: %s', (moment, quiet) => {
    expect(isQuiet(night, at(moment))).toBe(quiet);
  });

  it('within a day they are only that span, and without any nothing is quiet', () => {
    const noon = { from: '12:00', to: '13:00', zone: 'UTC' };
    expect(['11:59', '12:00', '12:59', '13:00'].map((time) => isQuiet(noon, at(`2026-03-03T${time}:00Z`)))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(isQuiet(undefined, at('2026-03-03T12:30:00Z'))).toBe(false);
  });

  it('names the span that ended last', () => {
    expect(lastQuiet(night, at('2026-07-02T05:00:00Z'))).toEqual({
      start: at('2026-07-01T20:00:00Z'),
      end: at('2026-07-02T05:00:00Z'),
    });
    expect(lastQuiet(night, at('2026-07-02T04:59:59Z')).end).toEqual(at('2026-07-01T05:00:00Z'));
  });

  it('keeps to the clock on the wall when clocks are changed in the night', () => {
    expect(lastQuiet(night, at('2026-03-29T12:00:00Z'))).toEqual({
      start: at('2026-03-28T21:00:00Z'),
      end: at('2026-03-29T05:00:00Z'),
    });
    expect(lastQuiet(night, at('2026-10-25T12:00:00Z'))).toEqual({
      start: at('2026-10-24T20:00:00Z'),
      end: at('2026-10-25T06:00:00Z'),
    });
  });

  it('whatever the hours, the zone and the moment: the last span is over, less than two days ago, and begins before it ends', () => {
    const time = fc.tuple(fc.nat(23), fc.nat(59)).map(([h, m]) => `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`);
    const zone = fc.constantFrom(
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'Asia/Kolkata',
      'Australia/Lord_Howe',
      'Pacific/Apia',
    );
    const moment = fc.date({ min: at('2020-01-01'), max: at('2030-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(time, time, zone, moment, (from, to, name, now) => {
        fc.pre(from !== to);
        const { start, end } = lastQuiet({ from, to, zone: name }, now);
        expect(end.getTime()).toBeLessThanOrEqual(now.getTime());
        expect(start.getTime()).toBeLessThan(end.getTime());
        expect(now.getTime() - end.getTime()).toBeLessThan(2 * 86_400_000);
      }),
    );
  });

  it('knows time zones by name', () => {
    expect(['Europe/Berlin', 'UTC', 'Mars/Olympus', ''].map(isTimeZone)).toEqual([true, true, false, false]);
  });
});
