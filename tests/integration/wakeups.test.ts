import { afterAll, beforeAll, expect, test } from 'vitest';
import { createWakeups } from '../../src/store/wakeups.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { endSessions, query } from '../support/query.ts';
import { eventually } from '../support/wait-for.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ empty: true });
});
afterAll(() => database.close());

const notify = (wake: string) => query(database.url, "SELECT pg_notify('deckhand_wake', $1)::text", [wake]);

function openWakeups() {
  const errors: unknown[] = [];
  const woken: string[] = [];
  const wakeups = createWakeups({ url: database.url, onError: (error) => void errors.push(error) });
  wakeups.subscribe('run', undefined, (id) => void woken.push(`any ${id}`));
  const leave = wakeups.subscribe('run', 'run_2', (id) => void woken.push(`only ${id}`));
  return { ...wakeups, woken, errors, leave };
}

test('wake-ups reach those who listen to their topic and id, and after a cut everybody looks once', async () => {
  const wakeups = openWakeups();
  await wakeups.start();
  try {
    for (const wake of ['outbox:run_1', 'run:run_1', 'run:run_2']) await notify(wake);
    await eventually(() => expect(wakeups.woken).toEqual(['any run_1', 'any run_2', 'only run_2']));
    wakeups.woken.length = 0;
    await endSessions(database.url, 'deckhand wake-ups');
    await eventually(() => expect(wakeups.woken).toEqual(['any ', 'only run_2']));
    expect(wakeups.errors).toHaveLength(1);
    wakeups.leave();
    await notify('run:run_2');
    await eventually(() => expect(wakeups.woken).toEqual(['any ', 'only run_2', 'any run_2']));
  } finally {
    await wakeups.stop();
  }
});

test('a stop in the middle of connecting leaves no connection', async () => {
  const wakeups = openWakeups();
  const starting = wakeups.start();
  await wakeups.stop();
  await starting;
  const sessions = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'deckhand%'";
  await eventually(async () => expect(await query(database.url, sessions)).toEqual([]));
});
