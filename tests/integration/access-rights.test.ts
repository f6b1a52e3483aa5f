import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseText } from '../../src/commands/parse.ts';
import { commands } from '../../src/commands/registry.ts';
import { givablePermissions, type Permission, permissions } from '../../src/contracts/permissions.ts';
import type { Role } from '../../src/contracts/roles.ts';
import { newId } from '../../src/runtime/ids.ts';
import { giveCustomRole, takeCustomRoles } from '../support/custom-role.ts';
import { type Account, type Desk, mention, openDesk, press, slash } from '../support/desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
  for (const use of ['folder add Taken', 'team add Taken', 'role add Taken', 'bundle add Taken agents=none']) {
    await desk.act(slash('ada', use));
  }
});
afterAll(() => desk[Symbol.asyncDispose]());
// Every act looks at all that was said before: what nobody asks about any more would only make it slow.
afterEach(() => desk.database.db.outbox.deleteMany());

const people: readonly Account[] = ['nobody', 'gus', 'ben', 'mia', 'ada'];

/** For each command a use that changes nothing whoever is let through, and the weakest person who is. */
const table: Record<string, readonly (readonly [use: string, weakest: Account])[]> = {
  help: [['help', 'nobody']],
  about: [['about', 'nobody']],
  claim: [['claim WRONG', 'nobody']],
  tasks: [['tasks', 'gus']],
  show: [['show #999', 'gus']],
  logs: [['logs #999', 'gus']],
  board: [['board', 'gus']],
  queue: [['queue', 'gus']],
  pending: [['pending', 'gus']],
  status: [['status', 'gus']],
  usage: [
    ['usage', 'gus'],
    ['usage all', 'ada'],
    ['usage person=Ada', 'mia'],
  ],
  who: [['who', 'gus']],
  diff: [['diff #999', 'gus']],
  rules: [['rules', 'gus']],
  why: [['why #999', 'gus']],
  audit: [
    ['audit', 'mia'],
    ['audit #999 kind=refused', 'mia'],
  ],
  'audit export': [['audit export since=1m', 'ada']],
  'project list': [['project list', 'gus']],
  settings: [
    ['settings', 'gus'],
    ['settings verbosity=steps', 'mia'],
    ['settings policy=safe', 'mia'],
    ['settings deny=none', 'mia'],
    ['settings concurrency=1', 'mia'],
    ['settings bundle=nowhere', 'ada'],
  ],
  policy: [['policy', 'gus']],
  'policy add': [['policy add project=nowhere kind=push approvals=2', 'mia']],
  'policy remove': [['policy remove 99', 'mia']],
  'policy test': [['policy test ls', 'gus']],
  'policy history': [['policy history', 'gus']],
  'policy show': [['policy show 999', 'gus']],
  quota: [['quota', 'gus']],
  'quota add': [
    ['quota add project=nowhere runs=1/day', 'mia'],
    ['quota add workspace project=nowhere runs=1/day', 'ada'],
    ['quota add person=stranger runs=1/day', 'ada'],
  ],
  'quota remove': [
    ['quota remove runs/day', 'mia'],
    ['quota remove runs/day workspace', 'ada'],
  ],
  agents: [['agents', 'gus']],
  'account list': [['account list', 'ben']],
  'account show': [['account show nowhere', 'mia']],
  'account add': [['account add main openai url=http://127.0.0.1:9 auth=none', 'ada']],
  'account key': [['account key nowhere', 'ada']],
  'account set': [['account set nowhere auth=key', 'ada']],
  'account remove': [['account remove nowhere', 'ada']],
  'role add': [['role add Taken', 'ada']],
  'role list': [['role list', 'gus']],
  'role show': [['role show nowhere', 'gus']],
  'role change': [['role change nowhere with=agent.run', 'ada']],
  'role rename': [['role rename nowhere elsewhere', 'ada']],
  'role remove': [['role remove nowhere', 'ada']],
  run: [['run project=nowhere do it', 'ben']],
  sh: [['sh project=nowhere ls', 'ben']],
  steer: [['steer #999 do it', 'ben']],
  fork: [['fork #999 do it', 'ben']],
  mode: [['mode #999 ask', 'ben']],
  model: [['model #999 claude-sonnet-4-5', 'ben']],
  effort: [['effort #999 high', 'ben']],
  budget: [['budget #999 5', 'ben']],
  stop: [['stop #999', 'ben']],
  retry: [['retry #999', 'ben']],
  push: [['push #999', 'ben']],
  pr: [['pr #999 draft', 'ben']],
  discard: [['discard #999', 'ben']],
  rebase: [['rebase #999', 'ben']],
  revert: [['revert #999', 'ben']],
  choose: [['choose #999 2', 'ben']],
  copies: [['copies', 'mia']],
  'copies prune': [['copies prune', 'mia']],
  move: [['move #999 done', 'ben']],
  'rules revoke': [[`rules revoke ${newId('rul')}`, 'ben']],
  'project add': [
    ['project add demo https://example.com/acme/demo.git', 'mia'],
    ['project add demo /srv/other', 'ada'],
  ],
  'project test': [['project test nowhere', 'mia']],
  'project remove': [['project remove nowhere', 'mia']],
  'folder add': [['folder add Taken', 'mia']],
  'folder list': [['folder list', 'gus']],
  'folder show': [['folder show nowhere', 'gus']],
  'folder move': [['folder move nowhere nowhere', 'mia']],
  'folder remove': [['folder remove nowhere', 'mia']],
  bind: [['bind nowhere', 'mia']],
  'bundle add': [['bundle add Taken agents=none', 'ada']],
  'bundle change': [['bundle change nowhere agents=none', 'ada']],
  'bundle list': [['bundle list', 'gus']],
  'bundle show': [['bundle show nowhere', 'gus']],
  'bundle remove': [['bundle remove nowhere', 'ada']],
  'member add': [
    ['member add stranger developer', 'mia'],
    ['member add Gus guest', 'mia'],
  ],
  'member role': [
    ['member role Gus guest', 'mia'],
    ['member role Ada owner', 'ada'],
    ['member role Mia maintainer', 'ada'],
    ['member role Gus none folder=nowhere', 'mia'],
  ],
  'member remove': [
    ['member remove stranger', 'mia'],
    ['member remove Gus project=nowhere', 'mia'],
  ],
  'team add': [['team add Taken', 'mia']],
  'team list': [['team list', 'gus']],
  'team show': [['team show nowhere', 'gus']],
  'team join': [['team join nowhere Gus', 'mia']],
  'team leave': [['team leave nowhere Gus', 'mia']],
  'team link': [['team link nowhere nowhere developer', 'mia']],
  'team unlink': [['team unlink nowhere nowhere', 'mia']],
  'team remove': [['team remove nowhere', 'mia']],
  codeowners: [['codeowners', 'gus']],
  'codeowners set': [['codeowners set @acme/infra people=@stranger', 'ada']],
  'codeowners remove': [['codeowners remove @acme/nowhere', 'ada']],
  'member separate': [['member separate stranger', 'ada']],
  'owner transfer': [['owner transfer Ada', 'ada']],
  join: [['join WRONG', 'nobody']],
  invite: [
    ['invite guest', 'mia'],
    ['invite maintainer', 'ada'],
    ['invite guest project=nowhere', 'mia'],
  ],
  'invite list': [['invite list', 'mia']],
  'invite revoke': [['invite revoke nowhere', 'mia']],
  link: [['link WRONG', 'nobody']],
  unlink: [['unlink telegram', 'nobody']],
  'settings notify': [['settings notify', 'nobody']],
  'settings alerts': [['settings alerts', 'ada']],
  mirror: [
    ['mirror #999', 'gus'],
    ['mirror #999 here', 'gus'],
  ],
  signin: [['signin', 'gus']],
  'session list': [
    ['session list', 'gus'],
    ['session list all', 'ada'],
  ],
  'session end': [['session end nowhere', 'gus']],
  'token create': [['token create nowhere', 'gus']],
  'token list': [['token list', 'gus']],
  'token revoke': [['token revoke nowhere', 'gus']],
  doctor: [['doctor', 'mia']],
};

it('the table names every command', () => {
  expect(Object.keys(table).sort()).toEqual(commands.map(({ name }) => name).sort());
});

const rows = Object.values(table)
  .flat()
  .flatMap(([use, weakest]) => people.map((who) => [who, use, people.indexOf(who) >= people.indexOf(weakest)] as const));

describe('rights in a bound channel', () => {
  it.each(rows)('%s with %j: let through %s', async (who, use, allowed) => {
    const [said, ...more] = await desk.act(slash(who, use));
    expect(more).toEqual([]);
    // What takes long is answered later.
    expect(said?.text.includes('DH-202') ?? false).toBe(!allowed);
    if (allowed) return;
    expect(said?.only).toBeDefined();
    expect(said?.text).toMatch(/^Not allowed\. .* may not .*\. .*[Oo]wners can/);
  });
});

/** What a use takes that its command does not say by itself; `several`: nobody has that by one permission. */
const besides: Record<string, Permission | 'several'> = {
  'usage all': 'usage.workspace',
  'usage person=Ada': 'usage.people',
  'project add demo /srv/other': 'workspace.own',
  'member add stranger developer': 'several',
  'member role Ada owner': 'workspace.own',
  'member role Mia maintainer': 'workspace.own',
  'invite maintainer': 'workspace.own',
  'settings bundle=nowhere': 'workspace.own',
};

function neededBy(use: string): Permission | 'anyone' | 'several' {
  const parsed = parseText(use, commands);
  if (parsed.type !== 'command') return expect.unreachable(`${use} is ${parsed.type}`);
  return besides[use] ?? parsed.command.permissionFor?.(parsed.args) ?? parsed.command.permission;
}

const uses = Object.values(table)
  .flat()
  .map(([use, weakest]) => [use, neededBy(use), weakest] as const);

describe('rights by a custom role', () => {
  const give = (given: readonly Permission[]) => giveCustomRole(desk, 'nobody', given);
  const refused = async (use: string) => (await desk.act(slash('nobody', use))).some(({ text }) => text.includes('DH-202'));
  const taking = uses.flatMap(([use, needed]) => (needed === 'anyone' || needed === 'task.see' ? [] : [[use, needed] as const]));

  afterAll(() => takeCustomRoles(desk));

  it.each(uses)('%j takes %s, which is what the built-in roles from that of %s on have', (use, needed, weakest) => {
    const roles: Record<Account, Role | undefined> = {
      nobody: undefined,
      pia: undefined,
      gus: 'guest',
      ben: 'developer',
      mia: 'maintainer',
      ada: 'owner',
    };
    if (use in besides && needed === 'several') return;
    expect(needed === 'anyone' || needed === 'several' ? undefined : permissions[needed].role).toBe(roles[weakest]);
  });

  it.each(taking)('lets %j through with %s alone, and with everything else not', async (use, needed) => {
    if (needed !== 'several' && needed !== 'workspace.own') {
      await give(['task.see', needed]);
      expect(await refused(use), 'with it').toBe(false);
    }
    await give(givablePermissions.filter((one) => one !== (needed === 'several' ? 'member.manage' : needed)));
    expect(await refused(use), 'without it').toBe(true);
  });
});

describe('what a channel gives its members', () => {
  it('lets somebody without a role work on the project of the channel, and on no other', async () => {
    await desk.act(slash('ada', 'project add api https://example.com/acme/api.git'));
    await desk.act(slash('ada', 'bind demo role=developer'));
    await desk.act(mention('ben', 'sh project=api make'));
    const [own] = await desk.act(slash('nobody', 'stop #999'));
    expect(own?.text).toContain('DH-204');
    // The same answers as about what does not exist.
    for (const [use, answer] of [
      ['sh project=api ls', 'DH-205'],
      ['show #1', 'DH-204'],
      ['stop #1', 'DH-204'],
      ['tasks project=api', 'DH-205'],
      ['settings project=api', 'DH-205'],
    ] as const) {
      const [said] = await desk.act(slash('nobody', use));
      expect(said?.text, use).toContain(answer);
      expect(said?.text, use).not.toMatch(/Did you mean `api`/);
    }
    const [all] = await desk.act(slash('nobody', 'tasks all project=all'));
    expect(all?.text).not.toContain('make');
    const [list] = await desk.act(slash('nobody', 'project list'));
    expect(list?.text).toContain('demo');
    expect(list?.text).not.toContain('api');
  });

  it('does not reach into a direct conversation', async () => {
    const [said] = await desk.act(mention('nobody', 'tasks', { direct: true }));
    expect(said?.text).toContain('DH-202');
  });

  it('is weaker than an own role: a guest stays a guest', async () => {
    const [said] = await desk.act(slash('gus', 'sh ls'));
    expect(said?.text).toContain('DH-202');
  });
});

describe('a channel that is bound to nothing', () => {
  const elsewhere = { channel: 'CFREE' };
  const everywhere = ['help', 'about', 'claim WRONG'];
  const withRole = ['who', 'doctor', 'project list', 'member add stranger developer', 'bind nowhere', 'project remove nowhere'];

  it('answers help, about and claim to everybody', async () => {
    for (const use of everywhere) {
      const [said] = await desk.act(slash('nobody', use, elsewhere));
      expect(said?.text, use).not.toContain('DH-20');
    }
  });

  it('lets people with a role of their own set it up, and nobody else', async () => {
    for (const use of withRole) {
      expect((await desk.act(slash('nobody', use, elsewhere)))[0]?.text, use).toContain('DH-203');
      expect((await desk.act(slash('ada', use, elsewhere)))[0]?.text ?? '', use).not.toContain('DH-203');
    }
  });

  it('runs and shows nothing, whoever asks, and offers who may bind it the choice', async () => {
    for (const use of ['sh ls', 'tasks', 'show #1', 'stop #1', 'board', 'settings', 'pending']) {
      const [said] = await desk.act(slash('ada', use, elsewhere));
      expect(said?.text, use).toContain('DH-203');
    }
    const [refused] = await desk.act(slash('mia', 'sh ls', elsewhere));
    const blocks = refused?.payload.type === 'ephemeral' ? refused.payload.view.blocks : [];
    expect(blocks.find(({ type }) => type === 'select')).toMatchObject({ placeholder: 'Bind this channel to…' });
    const [plain] = await desk.act(slash('ben', 'sh ls', elsewhere));
    expect(plain?.payload.type === 'ephemeral' && plain.payload.view.blocks.some(({ type }) => type === 'select')).toBe(false);
    expect(await desk.database.db.task.count({ where: { command: 'ls' } })).toBe(0);
  });

  it('binds the channel it was offered for, also where the offer was shown in a direct conversation', async () => {
    const [refused] = await desk.act(slash('mia', 'sh ls', elsewhere));
    const blocks = refused?.payload.type === 'ephemeral' ? refused.payload.view.blocks : [];
    const select = blocks.find((block) => block.type === 'select');
    const token = select?.type === 'select' ? select.token : '';
    const [denied] = await desk.act(press('ben', token, { direct: true, values: ['demo'] }));
    expect(denied?.text).toContain('DH-202');
    const [bound] = await desk.act(press('mia', token, { direct: true, values: ['demo'] }));
    expect(bound?.text).toContain('The channel is bound to demo');
    const channel = await desk.database.db.channel.findFirstOrThrow({ where: { externalId: elsewhere.channel } });
    expect(channel.projectId).toBe(desk.demo.id);
  });
});
