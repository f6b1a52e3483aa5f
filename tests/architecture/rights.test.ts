import { expect, test } from 'vitest';
import { type Permission, permissionSchema } from '../../src/contracts/permissions.ts';
import { typescriptFiles } from '../support/source-files.ts';

/** Who may what is asked for by permission (`may` of contracts/permissions.ts). These files compare roles all the same, for a reason. */
const comparesRoles: Record<string, string> = {
  'src/contracts/roles.ts': 'says which role is stronger',
  'src/contracts/permissions.ts': 'says which role has which permission',
  'src/access/cascade.ts': 'an owner of the workspace is that everywhere, whatever is said closer',
  'src/access/not-allowed.ts': 'lists the built-in roles from the weakest that is enough',
  'src/access/owner-transfer.ts': 'hands over a role, which one has and the other has not',
  'src/approvals/demands.ts': 'the stricter of two roles that a policy asks for',
  'src/commands/member-place.ts': 'the role that is to be given cannot be that of owners',
  'src/commands/on-transfer.ts': 'the two sides of a transfer',
  'src/commands/owner-transfer.ts': 'the heir of an ownership is no owner',
  'src/commands/policy-words.ts': 'writes out the role that a policy asks for',
  'src/cli.ts': 'a word on the command line',
  'src/owner-command.ts': 'lists the owners',
  'src/store/people.ts': 'a workspace keeps an owner',
};

const comparison = /\broleAtLeast\b|[!=]==? '(?:developer|maintainer|owner)'|'(?:developer|maintainer|owner)' [!=]==?/;

test('what somebody may is asked for by permission, never by comparing roles', () => {
  const found = typescriptFiles()
    .filter(({ path, text }) => path.startsWith('src/') && comparison.test(text.replace(/^\s*(\/\/|\/?\*).*$/gm, '')))
    .map(({ path }) => path);
  expect(found.filter((path) => comparesRoles[path] === undefined)).toEqual([]);
  expect(Object.keys(comparesRoles).filter((path) => !found.includes(path))).toEqual([]);
});

test('each permission is asked for somewhere: one that opens nothing would be a promise to whoever is given it', () => {
  const asking = typescriptFiles().filter(({ path }) => /^src\/(?!contracts\/)/.test(path));
  // Decisions ask what somebody decides as: src/contracts/permissions.ts.
  const decisions: Permission[] = ['action.approve', 'action.approve-as-maintainer'];
  const asked = permissionSchema.options.filter((one) => asking.some(({ text }) => text.includes(`'${one}'`)));
  expect(permissionSchema.options.filter((one) => !asked.includes(one))).toEqual(decisions);
});
