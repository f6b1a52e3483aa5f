import { describe, expect, it } from 'vitest';
import { type Priority, priorities } from '../../src/contracts/outbox.ts';
import { type Call, createLedger } from '../../src/delivery/budget.ts';
import { type Turn, takeTurns } from '../../src/delivery/turns.ts';

const ledger = createLedger([]);

function turn(place: string, priority: Priority, change: Partial<Turn> = {}): Turn {
  const call: Call = { operation: 'send', tenant: 'T1', conversation: 'C1' };
  return { since: 0, priority, urgent: false, call, ledger, notBefore: 0, lane: undefined, place, group: 'slack|T1', ...change };
}

function take(waiting: readonly Turn[], options: { now?: number; busyLanes?: string[]; room?: number } = {}) {
  const { now = 100, busyLanes = [], room = 100 } = options;
  const { taken, wakeAt } = takeTurns(waiting, { now, busyLanes: new Set(busyLanes), room: () => room });
  return { places: taken.map((one) => one.turn.place), wakeAt };
}

describe('whose turn it is', () => {
  it('what is urgent, then decisions, finals, replies, cards and progress, and the oldest of each', () => {
    const waiting = [
      turn('progress', priorities.progress),
      turn('card', priorities.card),
      turn('reply, later', priorities.reply, { since: 20 }),
      turn('reply, earlier', priorities.reply, { since: 10 }),
      turn('final', priorities.final),
      turn('decision', priorities.decision),
      turn('form', priorities.reply, { urgent: true }),
    ];
    expect(take(waiting).places).toEqual(['form', 'decision', 'final', 'reply, earlier', 'reply, later', 'card', 'progress']);
    expect(take(waiting, { room: 2 }).places).toEqual(['form', 'decision']);
  });

  it('messages of one thread go one by one in their order, as urgently as the most urgent of them', () => {
    const waiting = [
      turn('2 decision', priorities.decision, { lane: 'thread' }),
      turn('1 card', priorities.card, { lane: 'thread' }),
      turn('0 reply elsewhere', priorities.reply),
    ];
    expect(take(waiting).places).toEqual(['1 card', '0 reply elsewhere']);
    expect(take(waiting, { busyLanes: ['thread'] }).places).toEqual(['0 reply elsewhere']);
  });

  it('a message that must wait holds up its own thread only', () => {
    const waiting = [
      turn('1', priorities.final, { lane: 'a', notBefore: 500 }),
      turn('2', priorities.decision, { lane: 'a' }),
      turn('3', priorities.progress, { lane: 'b' }),
    ];
    expect(take(waiting)).toEqual({ places: ['3'], wakeAt: 500 });
  });

  it('counts what it takes against the budget and says when there is more', () => {
    const tight = createLedger([{ operations: ['send'], scope: 'tenant', calls: 2, windowMs: 1000 }]);
    const waiting = ['1', '2', '3'].map((place) => turn(place, priorities.final, { ledger: tight }));
    const { taken, wakeAt } = takeTurns(waiting, { now: 100, busyLanes: new Set(), room: () => 10 });
    expect(taken.map((one) => one.turn.place)).toEqual(['1', '2']);
    expect(wakeAt).toBe(Number.POSITIVE_INFINITY);
    for (const { end } of taken) end(150);
    expect(take(waiting.slice(2), { now: 200 })).toEqual({ places: [], wakeAt: 1150 });
    expect(take(waiting.slice(2), { now: 1150 }).places).toEqual(['3']);
  });

  it('asks once for a thousand that wait for what their tenant has used up', () => {
    const used = createLedger([
      { operations: ['edit'], scope: 'tenant', calls: 1, windowMs: 1000 },
      { operations: ['edit'], scope: 'message', calls: 1, windowMs: 3000 },
    ]);
    used.begin({ operation: 'edit', tenant: 'T1', conversation: 'C1', message: 'other' }, 0)(0);
    let asked = 0;
    const counted: typeof used = {
      ...used,
      availableIn(...call) {
        asked += 1;
        return used.availableIn(...call);
      },
    };
    const waiting = Array.from({ length: 1000 }, (_, n) =>
      turn(String(n), priorities.final, {
        ledger: counted,
        call: { operation: 'edit', tenant: 'T1', conversation: `C${n % 50}`, message: `m${n}` },
      }),
    );
    expect(take(waiting, { now: 100 })).toEqual({ places: [], wakeAt: 1000 });
    expect(asked).toBe(1);
    expect(take(waiting, { now: 1000, room: 8 }).places).toEqual(['0']);
  });
});
