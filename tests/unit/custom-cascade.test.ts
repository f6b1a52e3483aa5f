import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cascade,
  type Grant,
  mayChangeRole,
  mayGive,
  type RoleAbout,
  roleOfAccount,
  rolesOfAccount,
  type Sources,
} from '../../src/access/cascade.ts';
import { givenWith, readPermissions } from '../../src/contracts/custom-roles.ts';
import {
  anyOf,
  bothOf,
  type Given,
  givablePermissions,
  isSame,
  isWithin,
  may,
  type Permission,
  permissionsOf,
  rightsOf,
  together,
} from '../../src/contracts/permissions.ts';
import { placeRoleSchema, type Role, roleSchema } from '../../src/contracts/roles.ts';

const permission = fc.constantFrom(...givablePermissions);
const custom = fc
  .record({ name: fc.constantFrom('releaser', 'auditor', 'helper'), permissions: fc.array(permission, { maxLength: 8 }) })
  .map(({ name, permissions }): Given & { role: Role | undefined } =>
    givenWith({ id: '', workspace: '', name, permissions: ['task.see', ...permissions] }),
  );
const ofWorkspace = fc.oneof(
  fc.constantFrom(undefined, ...roleSchema.options).map((role) => givenWith(role)),
  custom,
);
const atPlace = fc.oneof(
  fc.constantFrom(...placeRoleSchema.options).map((role) => givenWith(role)),
  custom,
);
const grant = fc
  .record({
    from: fc.constantFrom('project' as const, 'folder' as const, 'team' as const),
    given: atPlace,
    team: fc.constantFrom('Core', 'Ops'),
  })
  .map(({ from, given, team }): Grant => {
    const role = placeRoleSchema.catch('none').parse(given.role);
    return {
      ...given,
      role,
      from,
      folder: from === 'project' ? undefined : 'Payments',
      team: from === 'team' ? team : undefined,
    };
  });
const account: fc.Arbitrary<Sources> = fc.record({ workspace: ofWorkspace, grants: fc.array(grant, { maxLength: 5 }) });

const givenIn = (one: Grant): Given => (one.role === 'none' ? {} : { ...one, role: one.role });
const everything = ({ workspace, grants }: Sources) => anyOf([workspace, ...grants.map(givenIn)]);
/** The names under which somebody has something: custom roles add up by name. */
const reasons = ({ reason }: RoleAbout) => (reason.from === 'several' ? reason.of : [reason]);

describe('custom roles in the cascade', () => {
  it('never give anybody a permission that no grant, role or channel gives', () => {
    fc.assert(
      fc.property(
        fc.array(account, { minLength: 1, maxLength: 3 }),
        fc.option(custom, { nil: undefined }),
        (accounts, channel) => {
          const about = cascade(accounts, channel);
          expect(isWithin(about, anyOf([...accounts.map(everything), channel ?? {}]))).toBe(true);
        },
      ),
    );
  });

  it('count where a built-in role would: the closest alone, nothing of what comes after it', () => {
    fc.assert(
      fc.property(account, atPlace, custom, (one, said, channel) => {
        fc.pre(one.workspace.role !== 'owner');
        const rest = one.grants.filter(({ from }) => from !== 'project');
        const role = placeRoleSchema.catch('none').parse(said.role);
        const about = cascade(
          [{ ...one, grants: [...rest, { ...said, role, from: 'project', folder: undefined, team: undefined }] }],
          channel,
        );
        expect(isSame(about, said)).toBe(true);
        expect(about.named).toEqual(said.named);
      }),
    );
  });

  it('of several teams add up to exactly what any of them gives, and each reason that is named gives something', () => {
    fc.assert(
      fc.property(fc.array(atPlace, { minLength: 1, maxLength: 4 }), (given) => {
        const grants = given.map(
          (one, at): Grant => ({
            ...one,
            role: placeRoleSchema.catch('none').parse(one.role),
            from: 'team',
            folder: 'Payments',
            team: `team ${at}`,
          }),
        );
        const about = roleOfAccount({ workspace: {}, grants });
        expect(about !== undefined && isSame(about, anyOf(given))).toBe(true);
        if (about !== undefined && reasons(about).length > 1) {
          for (const left of reasons(about)) {
            const others = reasons(about).filter((one) => one !== left);
            const names = others.flatMap((one) => (one.from === 'team' ? one.team : []));
            expect(
              isSame(anyOf(grants.filter(({ team }) => names.includes(team ?? '')).map(givenIn)), about) && others[0] === left,
            ).toBe(false);
          }
        }
      }),
    );
  });

  it('are those of the first that says something, by the order in which roles count', () => {
    const of = (from: Grant['from'], custom?: string) => ({ from, custom });
    const all = [of('team', 'a'), of('folder', 'b'), of('team', 'c'), of('project', 'd')];
    expect(rolesOfAccount(all, 'w')).toEqual(['d']);
    expect(rolesOfAccount(all.slice(0, 3), 'w')).toEqual(['b']);
    expect(rolesOfAccount([of('team', 'a'), of('team'), of('team', 'c'), of('team', 'a')], 'w')).toEqual(['a', 'c']);
    expect(rolesOfAccount([], 'w')).toEqual(['w']);
    // A built-in role, or none at all, by name at the project hides what follows.
    expect(rolesOfAccount([of('project'), of('folder', 'b')], 'w')).toEqual([]);
    expect(rolesOfAccount([], undefined)).toEqual([]);
  });

  it('of linked accounts allow what one of them may alone, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(account, { minLength: 1, maxLength: 4 }), (accounts) => {
        const alone = accounts.map((one) => cascade([one], undefined));
        expect(isSame(cascade(accounts, undefined), anyOf(alone))).toBe(true);
      }),
    );
  });

  it('leave whoever knows only built-in roles with no more than there is', () => {
    fc.assert(
      fc.property(fc.array(account, { minLength: 1, maxLength: 3 }), (accounts) => {
        const about = cascade(accounts, undefined);
        expect(isWithin({ role: about.role }, about)).toBe(true);
      }),
    );
  });

  it('are named where they are in what somebody has, and only there', () => {
    const releaser = givenWith({ id: '', workspace: '', name: 'releaser', permissions: ['task.see', 'change.publish'] });
    const auditor = givenWith({ id: '', workspace: '', name: 'auditor', permissions: ['task.see', 'audit.read'] });
    const names = (...all: Given[]) => together(all).given.named;
    expect(names(releaser, { role: 'developer' })).toBeUndefined();
    expect(names(auditor, { role: 'developer' })).toEqual(['developer', 'auditor']);
    expect(names(releaser, auditor)).toEqual(['releaser', 'auditor']);
    expect(names(releaser, {})).toEqual(['releaser']);
    expect(names({}, {})).toBeUndefined();
  });
});

it('nobody but owners gives or takes what they have not themselves, or what may change members', () => {
  fc.assert(
    fc.property(ofWorkspace, ofWorkspace, ofWorkspace, (own, from, to) => {
      const allowed = mayChangeRole(own, from, to);
      if (own.role === 'owner') expect(allowed).toBe(true);
      else if (allowed) {
        expect(may(own, 'member.manage')).toBe(true);
        for (const one of [from, to]) expect(isWithin(one, own) && !may(one, 'member.manage')).toBe(true);
      }
      expect(allowed).toBe(mayGive(own, from) && mayGive(own, to));
    }),
  );
});

it('a permission of another version, and that of owners, gives nothing', () => {
  const given = readPermissions(['task.see', 'cake.eat', 'workspace.own', 'audit.read']);
  expect(given).toEqual(['task.see', 'audit.read']);
  expect(may(rightsOf(given), 'workspace.own')).toBe(false);
});

it('a role that channels give and external people get is what both hold', () => {
  fc.assert(
    fc.property(fc.array(permission), (set) => {
      const given = rightsOf(['task.see', ...set]);
      const both = bothOf(given, { role: 'guest' });
      expect(permissionsOf(both)).toEqual<Permission[]>(['task.see']);
    }),
  );
});
