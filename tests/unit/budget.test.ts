import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Operation, RateBudget } from '../../src/contracts/chat-adapter.ts';
import { type Priority, priorities } from '../../src/contracts/outbox.ts';
import { allowance, type Call, createLedger } from '../../src/delivery/budget.ts';

const budgets: RateBudget[] = [
  { operations: ['send'], scope: 'conversation', calls: 3, windowMs: 3000 },
  { operations: ['send', 'edit'], scope: 'tenant', calls: 20, windowMs: 10_000 },
  { operations: ['edit'], scope: 'message', calls: 1, windowMs: 1000 },
];
const edit = (message: string, conversation = 'C1'): Call => ({ operation: 'edit', tenant: 'T1', conversation, message });
const send = (conversation = 'C1'): Call => ({ operation: 'send', tenant: 'T1', conversation });

/** Makes the calls as early as allowed, in the order given, each taking `tookMs`; returns when the platform may have seen each. */
function play(calls: readonly { call: Call; priority: Priority; tookMs: number; waitMs: number }[]) {
  const ledger = createLedger(budgets);
  const made: { call: Call; from: number; to: number }[] = [];
  let now = 0;
  for (const { call, priority, tookMs, waitMs } of calls) {
    now = Math.max(now + waitMs, ledger.availableAt(call, priority, now + waitMs));
    const end = ledger.begin(call, now);
    end(now + tookMs);
    made.push({ call, from: now, to: now + tookMs });
    now += tookMs;
  }
  return made;
}

describe('a rate budget', () => {
  it('promise 5: is never exceeded in any window, whatever is called when and however long it takes to arrive', () => {
    const anyCall = fc.record({
      call: fc.record({
        operation: fc.constantFrom<Operation>('send', 'edit'),
        tenant: fc.constantFrom('T1', 'T2'),
        conversation: fc.constantFrom('C1', 'C2'),
        message: fc.constantFrom('m1', 'm2', 'm3'),
      }),
      priority: fc.constantFrom<Priority>(0, 1, 2, 3, 4),
      tookMs: fc.integer({ min: 0, max: 400 }),
      waitMs: fc.constantFrom(0, 0, 0, 50, 2000),
    });
    fc.assert(
      fc.property(fc.array(anyCall, { maxLength: 60 }), (calls) => {
        const made = play(
          calls.map((one) => ({ ...one, call: one.call.operation === 'send' ? { ...one.call, message: undefined } : one.call })),
        );
        for (const budget of budgets) {
          const scopes = Map.groupBy(
            made.filter(({ call }) => budget.operations.includes(call.operation)),
            ({ call }) =>
              [
                call.tenant,
                budget.scope === 'tenant' ? '' : call.conversation,
                budget.scope === 'message' ? call.message : '',
              ].join('|'),
          );
          for (const all of scopes.values()) {
            // Worst case: the first call arrived at its very end, the last one at its very start.
            for (let at = 0; at + budget.calls < all.length; at += 1) {
              const first = all[at];
              const overflow = all[at + budget.calls];
              if (first !== undefined && overflow !== undefined)
                expect(overflow.from - first.to).toBeGreaterThanOrEqual(budget.windowMs);
            }
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('keeps some for decisions and finals that progress cannot take', () => {
    const ledger = createLedger(budgets);
    let progress = 0;
    let now = 0;
    for (let at = now; at < 9000; at = ledger.availableAt(edit(`m${progress}`), priorities.progress, now)) {
      now = at;
      ledger.begin(edit(`m${progress}`), now)(now);
      progress += 1;
    }
    expect(progress).toBe(allowance(20, priorities.progress));
    expect(ledger.availableAt(edit('mx'), priorities.progress, now)).toBe(10_000);
    expect(ledger.availableAt(edit('mx'), priorities.final, now)).toBe(now);
    expect(ledger.availableAt(send(), priorities.decision, now)).toBe(now);
  });

  it('spends a long window evenly on progress once half of it is used', () => {
    const ledger = createLedger(budgets);
    const times: number[] = [];
    let now = 0;
    for (let n = 0; n < 16; n += 1) {
      now = Math.max(now, ledger.availableAt(edit(`m${n}`), priorities.progress, now));
      ledger.begin(edit(`m${n}`), now)(now);
      times.push(now);
    }
    expect(times.slice(0, 8)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    const gaps = times.slice(8).map((time, n) => time - (times[n + 7] ?? 0));
    for (const gap of gaps) expect(gap).toBe(625);
  });

  it('counts a call that is under way until it has ended', () => {
    const ledger = createLedger(budgets);
    const end = ledger.begin(edit('m1'), 0);
    expect(ledger.availableAt(edit('m1'), priorities.final, 5000)).toBe(Number.POSITIVE_INFINITY);
    end(5000);
    expect(ledger.availableAt(edit('m1'), priorities.final, 5000)).toBe(6000);
  });

  it('promise 5: counts a message that opens a thread as often as the platform does', () => {
    const ledger = createLedger([{ operations: ['send', 'edit'], scope: 'tenant', calls: 5, windowMs: 1000, opening: 2 }]);
    const opening = { ...send(), opens: true };
    for (let n = 0; n < 2; n += 1) {
      expect(ledger.availableAt(opening, priorities.final, 0)).toBe(0);
      ledger.begin(opening, 0)(n);
    }
    expect(ledger.availableAt(opening, priorities.final, 10)).toBe(1000);
    expect(ledger.availableAt(send(), priorities.final, 10)).toBe(10);
    ledger.begin(send(), 10)(10);
    expect(ledger.availableAt(opening, priorities.final, 20)).toBe(1000);
    expect(ledger.availableAt(opening, priorities.final, 1001)).toBe(1001);
  });

  it('remembers what an earlier life of the process used', () => {
    const ledger = createLedger(budgets);
    for (let n = 0; n < 20; n += 1) ledger.recall(edit(`m${n}`), -500);
    expect(ledger.availableAt(edit('other'), priorities.final, 0)).toBe(9500);
  });
});

describe('a pause the platform asked for', () => {
  it('holds for the conversation, whatever the priority, and for what shares the budget', () => {
    const ledger = createLedger(budgets);
    ledger.pause(send('C1'), 7000, 1000);
    expect(ledger.availableAt(send('C1'), priorities.decision, 1000)).toBe(7000);
    expect(ledger.availableAt(edit('m1', 'C1'), priorities.final, 1000)).toBe(7000);
    expect(ledger.availableAt(send('C2'), priorities.progress, 1000)).toBe(1000);
  });

  it('holds for the tenant when two conversations are told to wait', () => {
    const ledger = createLedger(budgets);
    ledger.pause(send('C1'), 7000, 1000);
    ledger.pause(send('C2'), 9000, 1500);
    expect(ledger.availableAt(send('C3'), priorities.final, 2000)).toBe(9000);
    expect(ledger.availableAt({ ...send('C3'), tenant: 'T2' }, priorities.final, 2000)).toBe(2000);
  });

  it('holds for the tenant where no budget names a conversation', () => {
    const ledger = createLedger([{ operations: ['edit'], scope: 'tenant', calls: 50, windowMs: 60_000 }]);
    ledger.pause(edit('m1', 'C1'), 5000, 0);
    expect(ledger.availableAt(edit('m2', 'C2'), priorities.final, 0)).toBe(5000);
    ledger.pause({ operation: 'react', tenant: 'T1', conversation: 'C1' }, 5000, 0);
    expect(ledger.availableAt({ operation: 'react', tenant: 'T1', conversation: 'C2' }, priorities.reply, 0)).toBe(5000);
    expect(ledger.availableAt(send(), priorities.reply, 0)).toBe(0);
  });
});
