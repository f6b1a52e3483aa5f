import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { within } from '../../src/access/who-acts.ts';
import { type AccessBundle, beyond, bundleOf, ceilingOf, hostsWithin, storedAmong } from '../../src/contracts/access-bundle.ts';
import { hostFits } from '../../src/contracts/hosts.ts';
import { may, type Permission, permissionSchema, rightsOf } from '../../src/contracts/permissions.ts';

const everything: AccessBundle = {
  id: 'bdl_1',
  workspace: 'wsp_1',
  name: 'support',
  permissions: 'all',
  agents: 'all',
  accounts: 'all',
  hosts: 'all',
};
const some = fc.subarray([...permissionSchema.options]);
const host = fc
  .tuple(fc.boolean(), fc.array(fc.constantFrom('a', 'b', 'api'), { minLength: 1, maxLength: 3 }))
  .map(([wild, names]) => `${wild ? '*.' : ''}${names.join('.')}.example`);

describe('what somebody may in a channel with an access bundle', () => {
  it('is what both their rights and the bundle allow, whoever they are, and looking always', () => {
    fc.assert(
      fc.property(some, fc.option(some, { nil: 'all' as const }), (own, permissions) => {
        const rights = rightsOf(['task.see', ...own]);
        const here = within({ name: 'support', bundle: { ...everything, permissions } }, rights);
        const allowed = (one: Permission) => one === 'task.see' || permissions === 'all' || permissions.includes(one);
        for (const one of permissionSchema.options)
          expect([one, may(here, one)]).toEqual([one, may(rights, one) && allowed(one)]);
      }),
    );
  });

  it('is nothing for a stranger', () => {
    expect(within({ name: 'support', bundle: everything }, { role: undefined })).toEqual({ role: undefined });
  });

  it('says what is kept back, and nothing where nothing is', () => {
    const bundle: AccessBundle = { ...everything, permissions: ['command.run'] };
    expect(within({ name: 'support', bundle }, { role: 'owner' })).toEqual({
      role: 'guest',
      extra: ['command.run'],
      limit: {
        bundle: 'support',
        place: '#support',
        ceiling: ceilingOf(bundle),
        elsewhere: { role: 'owner', extra: undefined },
      },
    });
    expect(within({ name: 'support', bundle }, { role: 'guest', named: ['onlooker'] })).toEqual({
      role: 'guest',
      named: ['onlooker'],
    });
    expect(within({ name: 'demo', bundle: undefined }, { role: 'owner' })).toEqual({ role: 'owner' });
  });
});

describe('what work begun there may use', () => {
  it('is the agents and accounts that are named, the model servers of the runner under a name of their own', () => {
    const bundle: AccessBundle = { ...everything, agents: ['claude'], accounts: ['Main', 'runner'] };
    expect(beyond(bundle, { agent: 'claude', account: 'main' })).toBeUndefined();
    expect(beyond(bundle, { agent: 'claude', account: null })).toBeUndefined();
    expect(beyond(bundle, { agent: 'codex', account: null })).toEqual({ kind: 'agent', name: 'codex' });
    expect(beyond(bundle, { agent: 'claude', account: 'spare' })).toEqual({ kind: 'account', name: 'spare' });
    expect(beyond({ ...bundle, accounts: ['main'] }, { agent: 'claude', account: null })).toMatchObject({ name: 'runner' });
    expect(beyond({ ...bundle, agents: [] }, { agent: 'claude', account: null })).toMatchObject({ kind: 'agent' });
    expect(beyond(everything, { agent: 'codex', account: 'spare' })).toBeUndefined();
  });

  it('are exactly the hosts that both the project and the bundle let programs reach', () => {
    const name = host.filter((one) => !one.startsWith('*'));
    const fits = (entries: readonly string[], one: string) => entries.some((entry) => hostFits(entry, one));
    fc.assert(
      fc.property(fc.array(host, { maxLength: 4 }), fc.array(host, { maxLength: 4 }), name, (project, allowed, asked) => {
        expect(fits(hostsWithin(project, allowed), asked)).toBe(fits(project, asked) && fits(allowed, asked));
      }),
    );
    expect(hostsWithin(['npm', 'files.example.org'], ['registry.npmjs.org', '*.example.org'])).toEqual([
      'registry.npmjs.org',
      'files.example.org',
    ]);
    expect(hostsWithin(['npm'], [])).toEqual([]);
    expect(hostsWithin(['pypi'], 'all')).toEqual(['pypi.org', 'files.pythonhosted.org']);
  });
});

it('what another version has stored and this one does not know allows nothing', () => {
  const row = { id: 'bdl_1', workspaceId: 'wsp_1', name: 'support', accounts: storedAmong('all'), hosts: [] };
  const bundle = bundleOf({ ...row, permissions: ['command.run', 'moon.fly'], agents: ['claude', 'later'] });
  expect(bundle).toMatchObject({ permissions: ['command.run'], agents: ['claude'], accounts: 'all', hosts: [] });
});
