import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mayGive } from '../../src/access/cascade.ts';
import { givenBy, mayUse } from '../../src/access/effective-role.ts';
import { configuredRole } from '../../src/access/owners.ts';
import { permissionSchema, permissions } from '../../src/contracts/permissions.ts';
import { type Role, roleSchema } from '../../src/contracts/roles.ts';

const bound = { project: 'prj_web', defaultRole: 'developer' as const };

describe('what a channel gives', () => {
  it('is its default role for the project that it is bound to, with what a custom one adds', () => {
    expect(givenBy(bound, 'prj_web')).toEqual({ role: 'developer' });
    const custom = { ...bound, defaultRole: 'guest' as const, extra: ['change.publish' as const], named: ['releaser'] };
    expect(givenBy(custom, 'prj_web')).toEqual({ role: 'guest', extra: ['change.publish'], named: ['releaser'] });
  });

  it('is nothing about another project', () => {
    expect(givenBy(bound, 'prj_api')).toBeUndefined();
  });

  it('is nothing where nothing is bound, whatever a left-over default says', () => {
    expect(givenBy({ project: undefined, defaultRole: 'developer' as const }, 'prj_web')).toBeUndefined();
  });
});

it('a stranger may use only what is for anyone; every role may use what weaker ones may', () => {
  const strongest = roleSchema.options.length - 1;
  expect(mayUse({}, 'anyone')).toBe(true);
  expect(mayUse({}, 'task.see')).toBe(false);
  fc.assert(
    fc.property(fc.nat(strongest), fc.nat(strongest), (has, needs) => {
      const [role, least] = [roleSchema.options[has], roleSchema.options[needs]];
      for (const needed of permissionSchema.options.filter((one) => permissions[one].role === least)) {
        expect(mayUse({ role }, needed)).toBe(has >= needs);
      }
    }),
  );
});

it('owners give and take every role, maintainers those below their own, others none', () => {
  const all: (Role | undefined)[] = [undefined, ...roleSchema.options];
  const able = (own: Role | undefined) => all.filter((role) => mayGive({ role: own }, { role }));
  expect(able('owner')).toEqual(all);
  expect(able('maintainer')).toEqual([undefined, 'guest', 'developer']);
  expect(able('developer')).toEqual([]);
  expect(able(undefined)).toEqual([]);
});

it('configuration makes exactly the named accounts owners', () => {
  const owners = [
    { platform: 'slack', tenant: 'T1', user: 'U1' },
    { platform: 'telegram', user: '7' },
  ] as const;
  expect(configuredRole(owners, { platform: 'slack', tenant: 'T1', user: 'U1' })).toBe('owner');
  expect(configuredRole(owners, { platform: 'slack', tenant: 'T2', user: 'U1' })).toBeUndefined();
  expect(configuredRole(owners, { platform: 'discord', tenant: 'T1', user: 'U1' })).toBeUndefined();
  expect(configuredRole(owners, { platform: 'telegram', tenant: 'bot', user: '7' })).toBe('owner');
});
