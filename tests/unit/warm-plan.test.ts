import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultSandboxLimits } from '../../runner/sandbox/port.ts';
import {
  type Demand,
  keptMs,
  keyOf,
  type Member,
  type PlanInput,
  planWarm,
  quietMs,
  scarceBytes,
  shapeOf,
} from '../../runner/sandbox/warm-plan.ts';

const commands = shapeOf({ limits: defaultSandboxLimits });
const agents = shapeOf({ limits: defaultSandboxLimits, image: 'agents', gateway: '/gateway/run_1' });
const now = 1_000_000_000;
const demand = (change: Partial<Demand> = {}): Demand => ({ shape: commands, usedAt: now - quietMs, expected: [], ...change });
const ready = (slot: string, change: Partial<Member> = {}): Member => ({
  slot,
  key: keyOf(commands),
  state: 'ready',
  imageId: 'sha256:1',
  ...change,
});
const plan = (change: Partial<PlanInput>) =>
  planWarm({ demands: [demand()], members: [], size: 1, now, availableBytes: 8 * scarceBytes, ...change });

describe('which sandboxes wait for runs', () => {
  it('keeps as many as are wanted of each kind in use, when the run before has begun', () => {
    expect(plan({ size: 2 })).toEqual({ make: [commands, commands], remove: [] });
    expect(plan({ members: [ready('a')] })).toEqual({ make: [], remove: [] });
    expect(plan({ members: [ready('a', { state: 'making' })] })).toEqual({ make: [], remove: [] });
    expect(plan({ demands: [demand(), demand({ shape: agents })], members: [ready('a')] }).make).toEqual([agents]);
  });

  it('leaves the machine to a run that has just begun', () => {
    expect(plan({ demands: [demand({ usedAt: now - quietMs + 1 })] })).toEqual({ make: [], remove: [] });
  });

  it('makes one for each run that has announced itself, also where none is kept', () => {
    const expected = [now + 1, now + 1];
    expect(plan({ size: 0, demands: [demand({ usedAt: 0, expected })] }).make).toEqual([commands, commands]);
    expect(plan({ size: 1, demands: [demand({ usedAt: now, expected })], members: [ready('a')] }).make).toEqual([commands]);
    expect(plan({ size: 0, demands: [demand({ expected: [now] })] }).make).toEqual([]);
  });

  it('gives up those that nobody has asked for in a long time', () => {
    expect(plan({ demands: [demand({ usedAt: now - keptMs })], members: [ready('a')] })).toEqual({ make: [], remove: ['a'] });
  });

  it('keeps none when memory is short, and those of runs that have announced themselves', () => {
    const availableBytes = scarceBytes - 1;
    expect(plan({ availableBytes, members: [ready('a')] })).toEqual({ make: [], remove: ['a'] });
    expect(plan({ availableBytes, demands: [demand({ expected: [now + 1] })], members: [ready('a')] }).remove).toEqual([]);
  });

  it('replaces those of an image that has changed', () => {
    expect(plan({ demands: [demand({ imageId: 'sha256:2' })], members: [ready('a')] })).toEqual({
      make: [commands],
      remove: ['a'],
    });
    expect(plan({ demands: [demand({ imageId: 'sha256:1' })], members: [ready('a')] })).toEqual({ make: [], remove: [] });
  });

  it('counts only runs that want exactly the same', () => {
    const others = [
      { limits: { ...defaultSandboxLimits, memoryBytes: 1 } },
      { limits: { ...defaultSandboxLimits, diskBytes: 1 } },
      { limits: { ...defaultSandboxLimits, fileBytes: 1 } },
      { limits: { ...defaultSandboxLimits, outputBytes: 1 } },
      { limits: { ...defaultSandboxLimits, cpus: 3 } },
      { limits: { ...defaultSandboxLimits, pids: 3 } },
      { limits: defaultSandboxLimits, image: 'agents' as const },
      { limits: defaultSandboxLimits, ownImage: 'team:1' },
      { limits: defaultSandboxLimits, gateway: '/gateway/run_1' },
    ].map((one) => keyOf(shapeOf(one)));
    expect(new Set([...others, keyOf(commands)]).size).toBe(others.length + 1);
    // The time is told when it starts.
    expect(keyOf(shapeOf({ limits: { ...defaultSandboxLimits, timeMs: 1 } }))).toBe(keyOf(commands));
    expect(keyOf(shapeOf({ limits: defaultSandboxLimits, image: 'commands' }))).toBe(keyOf(commands));
  });

  it('never keeps more than wanted, nor removes what is being made, and has nothing to do after it was done', () => {
    const members = fc.array(fc.record({ state: fc.constantFrom('making' as const, 'ready' as const) }), { maxLength: 6 });
    const cases = fc.record({ members, size: fc.nat(4), awaited: fc.nat(4), age: fc.integer({ min: 0, max: 2 * keptMs }) });
    fc.assert(
      fc.property(cases, ({ members: states, size, awaited, age }) => {
        const before = states.map(({ state }, n) => ready(String(n), { state }));
        const demands = [demand({ usedAt: now - age, expected: Array.from({ length: awaited }, () => now + 1) })];
        const { make, remove } = plan({ size, demands, members: before });
        const left = before.filter(({ slot }) => !remove.includes(slot));
        expect(before.filter(({ slot, state }) => remove.includes(slot) && state === 'making')).toEqual([]);
        expect(make.length === 0 || left.length + make.length <= size + awaited).toBe(true);
        const after = [...left, ...make.map((_, n) => ready(`new-${n}`, { state: 'making' }))];
        expect(plan({ size, demands, members: after })).toEqual({ make: [], remove: [] });
      }),
    );
  });
});
