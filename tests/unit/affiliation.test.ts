import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { givenBy } from '../../src/access/effective-role.ts';
import {
  type Affiliation,
  affiliationSchema,
  externalWords,
  isExternal,
  mayBeExternal,
} from '../../src/contracts/affiliation.ts';
import { type Role, roleAtLeast, roleSchema } from '../../src/contracts/roles.ts';

const kinds = affiliationSchema.shape.kind.options;
const external = kinds.filter((kind) => kind !== 'member');
const role = fc.option(fc.constantFrom(...roleSchema.options), { nil: undefined });

function roleHere(kind: Affiliation['kind'] | undefined, channel: { defaultRole: Role | undefined; externalRole?: 'guest' }) {
  const affiliation = kind === undefined ? undefined : { kind };
  return givenBy({ project: 'prj_web', ...channel }, 'prj_web', affiliation)?.role;
}

describe('what a channel gives external people', () => {
  it('is nothing as long as the channel does not say so', () => {
    for (const kind of external) expect(roleHere(kind, { defaultRole: 'developer' })).toBeUndefined();
    expect(roleHere('member', { defaultRole: 'developer' })).toBe('developer');
    expect(roleHere(undefined, { defaultRole: 'developer' })).toBe('developer');
  });

  it('is guest at most, and never more than its members have', () => {
    fc.assert(
      fc.property(fc.constantFrom(...external), role, (kind, defaultRole) => {
        const given = roleHere(kind, { defaultRole, externalRole: 'guest' });
        expect(given).toBe(defaultRole === undefined ? undefined : 'guest');
        expect(roleAtLeast(given, 'developer')).toBe(false);
      }),
    );
  });
});

it('where the platform tells, an account that has not acted yet may turn out to be external; on Telegram none does', () => {
  expect(mayBeExternal('slack', undefined)).toBe(true);
  expect(mayBeExternal('discord', undefined)).toBe(true);
  expect(mayBeExternal('telegram', undefined)).toBe(false);
  expect(mayBeExternal('slack', { kind: 'member' })).toBe(false);
  expect(mayBeExternal('telegram', { kind: 'newcomer' })).toBe(true);
});

it('people read where somebody is from; of members, and of those nobody knows about, nothing is said', () => {
  expect(externalWords({ kind: 'organisation', organisation: 'Initech' })).toBe('external, Initech');
  expect(externalWords({ kind: 'organisation' })).toBe('external, another organisation');
  expect(kinds.filter((kind) => externalWords({ kind }) !== undefined)).toEqual(['organisation', 'guest', 'newcomer']);
  expect(kinds.filter((kind) => isExternal({ kind }))).toEqual(['organisation', 'guest', 'newcomer', 'unknown']);
});
