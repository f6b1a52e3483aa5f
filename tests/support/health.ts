import { expect } from 'vitest';
import type { DeckhandProcess } from './deckhand-process.ts';
import type { LabClient } from './lab-client.ts';
import { leftOfRuns } from './machine-traces.ts';
import { eventually } from './wait-for.ts';

/** What `/metrics` says waits, by name; what does not wait is left out. */
export async function waiting(deckhand: DeckhandProcess): Promise<Record<string, number>> {
  const text = await (await fetch(`${deckhand.url}/metrics`)).text();
  const found = [...text.matchAll(/^deckhand_waiting\{what="(\w+)"\} (\d+)$/gm)];
  return Object.fromEntries(found.map(([, what = '', count]) => [what, Number(count)]).filter(([, count]) => count !== 0));
}

/**
 * After whatever went before: Deckhand is ready, runs a command, nothing waits anywhere, nothing of any run is left on the machine,
 * and nothing was logged as an error. `ada` must be able to run `echo` without asking.
 */
export async function expectHealthy(deckhand: DeckhandProcess, ada: LabClient): Promise<void> {
  await eventually(async () => expect(await waiting(deckhand)).toEqual({}), { timeoutMs: 60_000, everyMs: 200 });
  const number = await ada.sh('echo ok');
  expect((await ada.end(number)).text).toMatch(/done in .* ok /);
  await eventually(
    async () => {
      expect(await waiting(deckhand)).toEqual({});
      expect(await leftOfRuns(deckhand.dataDir)).toEqual([]);
    },
    { timeoutMs: 30_000, everyMs: 200 },
  );
  const ready = await fetch(`${deckhand.url}/readyz`);
  expect([ready.status, await ready.text()]).toEqual([200, expect.stringContaining('"status":"ready"')]);
  expect(deckhand.log.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
}
