import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effectiveRole, mayGrant, mayUse } from '../../src/access/effective-role.ts';
import { configuredRole } from '../../src/access/owners.ts';
import { permissionSchema, permissions } from '../../src/contracts/permissions.ts';
import { type Role, roleSchema } from '../../src/contracts/roles.ts';

const bound = { project: 'prj_web', defaultRole: 'developer' as const };

describe('the role that counts', () => {
  it('is the own one, also when the channel would give a stronger one', () => {
    expect(effectiveRole({ own: 'guest', channel: bound, project: 'prj_web' })).toBe('guest');
  });

  it('is what the channel gives its members when there is no own one', () => {
    expect(effectiveRole({ own: undefined, channel: bound, project: 'prj_web' })).toBe('developer');
    expect(effectiveRole({ own: undefined, channel: bound, project: undefined })).toBe('developer');
  });

  it('is none for the project of another channel', () => {
    expect(effectiveRole({ own: undefined, channel: bound, project: 'prj_api' })).toBeUndefined();
    expect(effectiveRole({ own: 'developer', channel: bound, project: 'prj_api' })).toBe('developer');
  });

  it('is none where nothing is bound, whatever a left-over default says', () => {
    const channel = { project: undefined, defaultRole: 'developer' as const };
    expect(effectiveRole({ own: undefined, channel, project: undefined })).toBeUndefined();
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
  const able = (own: Role | undefined) => all.filter((role) => mayGrant(own, role));
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
