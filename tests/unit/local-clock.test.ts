import { expect, it } from 'vitest';
import { bootClock, type Moment, msBetween, thisMoment } from '../../runner/sandbox/local-clock.ts';
import { ranFor } from '../../runner/sandbox/local-watch.ts';

const minute = 60_000;
const noon = Date.UTC(2026, 0, 1, 12);
const at = (day: number, ms: number, id = 'boot-1'): Moment => ({ day, boot: { id, ms } });

it('counts by the clock of the boot, wherever that of the day was set meanwhile', () => {
  expect(msBetween(at(noon, 5000), at(noon + 15 * minute, 8000))).toBe(3000);
  expect(msBetween(at(noon, 5000), at(noon - 15 * minute, 8000))).toBe(3000);
});

it('counts by the clock of the day over a restart of the machine, and where there is no other', () => {
  expect(msBetween(at(noon, 5000), at(noon + minute, 9000, 'boot-2'))).toBe(minute);
  expect(msBetween({ day: noon }, at(noon + minute, 9000))).toBe(minute);
  expect(msBetween(at(noon, 9000), { day: noon - minute })).toBe(0);
});

it('a command ran for seconds although the clock was set by a quarter of an hour, its pauses left out', async () => {
  const files = (pauses: { since: Moment | null; totalMs: number }) => ({
    started: async () => at(noon, 5000),
    pauses: async () => pauses,
  });
  const later = at(noon + 15 * minute, 9000);
  expect(await ranFor(files({ since: null, totalMs: 1000 }), later)).toBe(3000);
  expect(await ranFor(files({ since: at(noon - 15 * minute, 7000), totalMs: 500 }), later)).toBe(1500);
});

it('reads what the launcher wrote, and nothing from half of it', () => {
  expect(bootClock('boot-1 12.34 99.9\n')).toEqual({ id: 'boot-1', ms: 12_340 });
  for (const line of [undefined, '', 'boot-1', 'boot-1 soon']) expect(bootClock(line)).toBeUndefined();
});

it('goes on with the time, by the clock of the boot where the system tells it', () => {
  const before = thisMoment();
  expect(before.boot === undefined).toBe(process.platform !== 'linux');
  expect(msBetween(before, thisMoment())).toBeLessThan(minute);
});
