import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLeases } from '../../src/store/lease.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { endSessions } from '../support/query.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const errors: unknown[] = [];
const leases = (url = database.url) =>
  createLeases({ url, onError: (error) => void errors.push(error), retryMs: 20, checkMs: 100, answerMs: 300, silenceMs: 1000 });
const never = new AbortController().signal;

/** Resolves to whether the lease is got within so long; gives it back at once. */
async function isFree(name: string, withinMs = 300): Promise<boolean> {
  try {
    await (await leases()(name, AbortSignal.timeout(withinMs))).release();
    return true;
  } catch {
    return false;
  }
}

function holder(name: string, ...silence: string[]): ChildProcess {
  const program = fileURLToPath(new URL('../support/hold-lease.ts', import.meta.url));
  return fork(program, [database.url, name, ...silence], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] });
}

describe('a lease', () => {
  it('is held by one at a time, and goes to the next when it is given back', async () => {
    const first = await leases()('one', never);
    let got = false;
    const second = leases()('one', never).then((lease) => {
      got = true;
      return lease;
    });
    expect(await isFree('one')).toBe(false);
    expect([got, first.lost.aborted]).toEqual([false, false]);
    await first.release();
    const next = await second;
    expect([first.lost.aborted, next.lost.aborted]).toEqual([true, false]);
    await first.release();
    expect(await isFree('one')).toBe(false);
    await next.release();
    expect(await isFree('one', 5000)).toBe(true);
  });

  it('excludes nobody under another name', async () => {
    const held = await Promise.all(['a', 'b', 'telegram:123456'].map((name) => leases()(name, never)));
    expect(held.map(({ lost }) => lost.aborted)).toEqual([false, false, false]);
    await Promise.all(held.map((lease) => lease.release()));
  });

  it('is never held by two, however many want it', async () => {
    let holders = 0;
    let most = 0;
    let turns = 0;
    await Promise.all(
      Array.from({ length: 6 }, async () => {
        const lease = await leases()('busy', never);
        holders += 1;
        turns += 1;
        most = Math.max(most, holders);
        await new Promise(setImmediate);
        holders -= 1;
        await lease.release();
      }),
    );
    expect([most, turns]).toEqual([1, 6]);
  });

  it('is waited for until the signal fires', async () => {
    const held = await leases()('wanted', never);
    const giveUp = new AbortController();
    const waiting = leases()('wanted', giveUp.signal);
    giveUp.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(leases()('wanted', giveUp.signal)).rejects.toThrow('enough');
    await held.release();
  });

  it('promise 8: goes to another when its process is killed', async () => {
    const child = holder('mortal');
    expect((await once(child, 'message'))[0]).toEqual({ term: 1 });
    expect(await isFree('mortal')).toBe(false);
    child.kill('SIGKILL');
    const lease = await leases()('mortal', AbortSignal.timeout(5000));
    expect(lease.term).toBe(2);
    await lease.release();
  });

  it('promise 8: goes to another, with a higher term, when its process is paused; awake, that one knows at once that it is late', async () => {
    const child = holder('paused', '1000');
    try {
      expect((await once(child, 'message'))[0]).toEqual({ term: 1 });
      child.kill('SIGSTOP');
      const lease = await leases()('paused', AbortSignal.timeout(10_000));
      expect([lease.term, lease.isFresh()]).toEqual([2, true]);
      child.send('may you still?');
      child.kill('SIGCONT');
      expect((await once(child, 'message'))[0]).toEqual({ fresh: false });
      await lease.release();
      expect(lease.isFresh()).toBe(false);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('is lost at once when its connection is cut, and another gets it', async () => {
    const held = await leases()('cut', never);
    await endSessions(database.url, 'deckhand-cut');
    await waitFor('the loss', () => held.lost.aborted, { timeoutMs: 3000 });
    const next = await leases()('cut', AbortSignal.timeout(5000));
    expect(next.lost.aborted).toBe(false);
    await Promise.all([held.release(), next.release()]);
  });

  it('promise 8: is lost within moments when its connection hangs, and then goes to another, though nobody has closed it', async () => {
    await using relay = await openRelay();
    relay.connect();
    const held = await leases(relay.url)('hangs', never);
    relay.hang();
    const since = performance.now();
    await waitFor('the loss', () => held.lost.aborted, { timeoutMs: 5000 });
    expect(performance.now() - since).toBeLessThan(3000);
    await (await leases()('hangs', AbortSignal.timeout(5000))).release();
    await held.release();
  });

  it('is got when the database comes back, not given up', async () => {
    await using relay = await openRelay();
    const waiting = leases(relay.url)('patient', AbortSignal.timeout(20_000));
    await eventually(() => expect(errors.length).toBeGreaterThan(2));
    relay.connect();
    const lease = await waiting;
    expect(lease.lost.aborted).toBe(false);
    await lease.release();
  });
});

interface Relay extends AsyncDisposable {
  /** The database's address through the relay. */
  url: string;
  /** New connections reach the database; before they are refused. */
  connect(): void;
  /** Nothing passes any more, and nobody is told. */
  hang(): void;
}

async function openRelay(): Promise<Relay> {
  const sockets: Socket[] = [];
  const there = new URL(database.url);
  const directory = there.searchParams.get('host');
  const far =
    directory === null ? { host: there.hostname, port: Number(there.port) } : { path: `${directory}/.s.PGSQL.${there.port}` };
  let open = false;
  const server = createServer((near) => {
    if (!open) return near.destroy();
    const behind = createConnection(far);
    sockets.push(near, behind);
    for (const socket of [near, behind]) socket.on('error', () => undefined);
    return near.pipe(behind).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const url = new URL(database.url);
  url.searchParams.delete('host');
  url.hostname = '127.0.0.1';
  url.port = String(address.port);
  return {
    url: url.href,
    connect: () => {
      open = true;
    },
    hang: () => {
      for (const socket of sockets) socket.unpipe().pause();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
