import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cascade, type Grant, mayChangeRole, roleOfAccount, type Sources } from '../../src/access/cascade.ts';
import { placeRoleSchema, type Role, roleAtLeast, roleSchema, strongestRole, teamRoleSchema } from '../../src/contracts/roles.ts';

const project = (role: Grant['role']): Grant => ({ from: 'project', role, folder: undefined, team: undefined });
const folder = (role: Grant['role']): Grant => ({ from: 'folder', role, folder: 'Payments', team: undefined });
const team = (role: Grant['role'], name = 'Core'): Grant => ({ from: 'team', role, folder: 'Payments', team: name });

const role = fc.option(fc.constantFrom(...roleSchema.options), { nil: undefined });
const placeRole = fc.constantFrom(...placeRoleSchema.options);
const grants = fc
  .record({
    project: fc.option(placeRole.map(project), { nil: undefined }),
    folder: fc.option(placeRole.map(folder), { nil: undefined }),
    teams: fc.array(
      fc.constantFrom(...teamRoleSchema.options).map((one) => team(one)),
      { maxLength: 3 },
    ),
  })
  .map((found) => [...found.teams, found.folder, found.project].filter((grant) => grant !== undefined));
const account = fc.record({ workspace: role.map((one) => ({ role: one })), grants });
const asRole = (one: Grant['role']): Role | undefined => (one === 'none' ? undefined : one);

describe('the role about a project', () => {
  it('is that of the closest that says something: project, folder, teams, workspace, channel, else nothing', () => {
    const all = [project('guest'), folder('developer'), team('maintainer')];
    const about = (left: readonly Grant[], workspace?: Role, channel?: Role) =>
      cascade([{ workspace: { role: workspace }, grants: left }], { role: channel });
    expect(about(all, 'maintainer', 'developer')).toEqual({ role: 'guest', reason: { from: 'project' } });
    expect(about(all.slice(1), 'maintainer', 'developer')).toEqual({
      role: 'developer',
      reason: { from: 'folder', folder: 'Payments' },
    });
    expect(about(all.slice(2), 'guest', 'developer')).toEqual({
      role: 'maintainer',
      reason: { from: 'team', team: 'Core', folder: 'Payments' },
    });
    expect(about([], 'guest', 'developer')).toEqual({ role: 'guest', reason: { from: 'workspace' } });
    expect(about([], undefined, 'developer')).toEqual({ role: 'developer', reason: { from: 'channel' } });
    expect(about([])).toEqual({ role: undefined, reason: { from: 'nothing' } });
  });

  it('is owner for an owner of the workspace, whatever else is said', () => {
    fc.assert(
      fc.property(grants, role, (said, channel) => {
        expect(cascade([{ workspace: { role: 'owner' }, grants: said }], { role: channel }).role).toBe('owner');
      }),
    );
  });

  it('is never owner for anybody else', () => {
    fc.assert(
      fc.property(account, (one) => {
        fc.pre(one.workspace.role !== 'owner');
        expect(cascade([one], { role: 'developer' }).role).not.toBe('owner');
      }),
    );
  });

  it('is none where a membership says none, also in a channel that gives its members a role', () => {
    fc.assert(
      fc.property(account, role, (one, channel) => {
        fc.pre(one.workspace.role !== 'owner');
        const rest = one.grants.filter(({ from }) => from !== 'project');
        expect(cascade([{ ...one, grants: [...rest, project('none')] }], { role: channel }).role).toBeUndefined();
      }),
    );
  });

  it('is exactly what a membership on the project says, down and up', () => {
    fc.assert(
      fc.property(account, placeRole, role, (one, said, channel) => {
        fc.pre(one.workspace.role !== 'owner');
        const rest = one.grants.filter(({ from }) => from !== 'project');
        expect(cascade([{ ...one, grants: [...rest, project(said)] }], { role: channel }).role).toBe(asRole(said));
      }),
    );
  });

  it('is the strongest of several teams, and adding a team never makes less of it while nothing closer counts', () => {
    const teams = fc.array(fc.constantFrom(...teamRoleSchema.options), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(teams, fc.constantFrom(...teamRoleSchema.options), (given, more) => {
        const before = roleOfAccount({ workspace: {}, grants: given.map((one) => team(one)) })?.role;
        const after = roleOfAccount({ workspace: {}, grants: [...given, more].map((one) => team(one)) })?.role;
        expect(before).toBe(strongestRole(given));
        expect(roleAtLeast(after, before ?? 'guest')).toBe(true);
      }),
    );
  });

  it('does not depend on the order in which things are said', () => {
    fc.assert(
      fc.property(account, role, (one, channel) => {
        const turned: Sources = { ...one, grants: one.grants.toReversed() };
        expect(cascade([turned], { role: channel }).role).toBe(cascade([one], { role: channel }).role);
      }),
    );
  });
});

describe('linked accounts', () => {
  it('may together what the strongest of them may alone, and no more', () => {
    fc.assert(
      fc.property(fc.array(account, { minLength: 1, maxLength: 4 }), (accounts) => {
        const alone = accounts.map((one) => cascade([one], undefined).role);
        expect(cascade(accounts, undefined).role).toBe(strongestRole(alone));
      }),
    );
  });

  it('have what a channel gives only where none of them is spoken of, so that a bar on one holds', () => {
    const barred: Sources = { workspace: {}, grants: [project('none')] };
    const unknown: Sources = { workspace: {}, grants: [] };
    expect(cascade([barred, unknown], { role: 'developer' }).role).toBeUndefined();
    expect(cascade([unknown, unknown], { role: 'developer' }).role).toBe('developer');
  });
});

it('owners change every role, maintainers those below their own into those below their own, others none', () => {
  const all: (Role | undefined)[] = [undefined, ...roleSchema.options];
  fc.assert(
    fc.property(role, fc.constantFrom(...all), fc.constantFrom(...all), (own, from, to) => {
      const may = mayChangeRole({ role: own }, { role: from }, { role: to });
      if (own === 'owner') expect(may).toBe(true);
      else if (own !== 'maintainer') expect(may).toBe(false);
      else expect(may).toBe(!roleAtLeast(from, 'maintainer') && !roleAtLeast(to, 'maintainer'));
    }),
  );
});
