import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  anyOf,
  bothOf,
  decidesAs,
  decidesAtLeast,
  isWithin,
  may,
  type Permission,
  permissionSchema,
  permissions,
  permissionsOf,
  rightsOf,
} from '../../src/contracts/permissions.ts';
import { roleAtLeast, roleSchema } from '../../src/contracts/roles.ts';

const some = fc.subarray([...permissionSchema.options]);
const sighted = some.map((set): Permission[] => [...new Set<Permission>(['task.see', ...set])]);

it('lets each built-in role do what its weakest role says, and no more', () => {
  for (const permission of permissionSchema.options)
    for (const role of roleSchema.options) {
      expect(may({ role }, permission)).toBe(roleAtLeast(role, permissions[permission].role));
    }
});

it('gives exactly the permissions that rights are made of, and nothing to whoever may not look', () => {
  fc.assert(
    fc.property(some, (set) => {
      const expected = set.includes('task.see') ? permissionSchema.options.filter((one) => set.includes(one)) : [];
      expect(permissionsOf(rightsOf(set))).toEqual(expected);
    }),
  );
});

it('never lets a role alone say more than the rights it stands in', () => {
  fc.assert(
    fc.property(some, (set) => {
      const { role } = rightsOf(set);
      expect(isWithin(role === undefined ? {} : { role }, rightsOf(set))).toBe(true);
    }),
  );
});

it('gives nothing to a stranger, whatever stands beside the missing role', () => {
  expect(permissionsOf({ role: undefined, extra: ['command.run', 'task.see'] })).toEqual([]);
});

it('joins rights to what any of them may, and cuts them to what both may', () => {
  fc.assert(
    fc.property(sighted, sighted, (one, other) => {
      const [a, b] = [rightsOf(one), rightsOf(other)];
      for (const permission of permissionSchema.options) {
        expect(may(anyOf([a, b]), permission)).toBe(one.includes(permission) || other.includes(permission));
        expect(may(bothOf(a, b), permission)).toBe(one.includes(permission) && other.includes(permission));
      }
    }),
  );
});

it('lets built-in roles decide as what they are, and custom ones as the strongest whose decisions they have', () => {
  for (const role of roleSchema.options) expect(decidesAs({ role })).toBe(role);
  expect(decidesAs({})).toBeUndefined();
  expect(decidesAs(rightsOf(['task.see', 'change.publish']))).toBe('guest');
  expect(decidesAs(rightsOf(['task.see', 'action.approve']))).toBe('developer');
  expect(decidesAs(rightsOf(['task.see', 'action.approve-as-maintainer']))).toBe('maintainer');
  const allButOwn = permissionSchema.options.filter((one) => one !== 'workspace.own');
  expect(decidesAs(rightsOf(allButOwn))).toBe('maintainer');
  const developers = permissionSchema.options.filter((one) => permissions[one].role !== 'owner' && one !== 'action.approve');
  expect(decidesAtLeast(rightsOf(developers.filter((one) => one !== 'action.approve-as-maintainer')), 'developer')).toBe(false);
});
