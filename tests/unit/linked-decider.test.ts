import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mayDecide } from '../../src/approvals/approvers.ts';
import { roleAtLeast, roleSchema, strongestRole, weakerRole } from '../../src/contracts/roles.ts';

const approvers = { role: 'developer', people: ['usr_guest'], notRequester: false } as const;

describe('promise 7: what linked accounts may decide', () => {
  const linked = {
    rows: [
      { user: 'usr_dev', role: 'developer' },
      { user: 'usr_guest', role: 'guest' },
    ],
    kin: ['usr_dev', 'usr_guest', 'usr_once'],
  } as const;
  const person = { user: 'usr_dev', role: 'developer', linked } as const;

  it('is no more than one of them may alone: a name of one and a role of the other are not enough', () => {
    expect(mayDecide({ ...approvers, people: [...approvers.people] }, 'usr_x', person)).toBe(false);
    expect(mayDecide({ ...approvers, people: ['usr_dev'] }, 'usr_x', person)).toBe(true);
    expect(mayDecide({ ...approvers, people: [] }, 'usr_x', person)).toBe(true);
  });

  it('is never what one of them asked for, nor one that once was', () => {
    for (const requester of linked.kin) {
      expect(mayDecide({ role: 'guest', people: [], notRequester: true }, requester, person)).toBe(false);
    }
    expect(mayDecide({ role: 'guest', people: [], notRequester: true }, 'usr_x', person)).toBe(true);
  });

  it('never grows by linking, whatever the roles and the policy', () => {
    const role = fc.option(fc.constantFrom(...roleSchema.options), { nil: undefined });
    const rows = fc.uniqueArray(fc.record({ user: fc.constantFrom('a', 'b', 'c'), role }), {
      selector: ({ user }) => user,
      minLength: 1,
    });
    const policy = fc.record({
      role: fc.constantFrom(...roleSchema.options),
      people: fc.subarray(['a', 'b', 'c']),
      notRequester: fc.boolean(),
    });
    fc.assert(
      fc.property(rows, policy, fc.constantFrom('a', 'b', 'c', 'x'), (parts, rule, requester) => {
        const first = parts[0]?.user ?? '';
        const all = { user: first, role: strongestRole(parts.map((part) => part.role)) };
        const kin = parts.map(({ user }) => user);
        const together = mayDecide(rule, requester, { ...all, linked: { rows: parts, kin } });
        const alone = parts.some((part) => mayDecide(rule, requester, part));
        expect(!together || alone).toBe(true);
      }),
    );
  });
});

describe('roles put together', () => {
  it('the strongest is one of them and at least each; the weaker is at most both', () => {
    const role = fc.option(fc.constantFrom(...roleSchema.options), { nil: undefined });
    fc.assert(
      fc.property(fc.array(role), role, role, (roles, one, other) => {
        const best = strongestRole(roles);
        for (const each of roles) if (each !== undefined) expect(roleAtLeast(best, each)).toBe(true);
        expect(best === undefined || roles.includes(best)).toBe(true);
        const weaker = weakerRole(one, other);
        expect([one, other]).toContain(weaker);
        if (weaker !== undefined) expect(roleAtLeast(one, weaker) && roleAtLeast(other, weaker)).toBe(true);
      }),
    );
  });
});
