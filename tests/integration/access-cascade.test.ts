import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../src/commands/registry.ts';
import { AppError } from '../../src/contracts/errors.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { outboxPayloadSchema } from '../../src/contracts/outbox.ts';
import { type Role, roleAtLeast } from '../../src/contracts/roles.ts';
import { newId } from '../../src/runtime/ids.ts';
import { type Desk, mention, openDesk, slash } from '../support/desk.ts';

/** Whose role comes from where. None of them has one in the workspace, but for who is barred from the project. */
const people = ['override', 'folder', 'team', 'channel', 'barred', 'none'] as const;
type Who = (typeof people)[number];

/** What they are about the project, about the folder it is in, and about the workspace. */
const standing = {
  project: {
    override: 'maintainer',
    folder: 'developer',
    team: 'guest',
    channel: 'developer',
    barred: undefined,
    none: undefined,
  },
  folder: {
    override: undefined,
    folder: 'developer',
    team: 'guest',
    channel: undefined,
    barred: 'developer',
    none: undefined,
  },
  workspace: {
    override: undefined,
    folder: undefined,
    team: undefined,
    channel: 'developer',
    barred: 'developer',
    none: undefined,
  },
  /** The strongest that they are about anything: what goes by that is then narrowed to what they may see. */
  anywhere: {
    override: 'maintainer',
    folder: 'developer',
    team: 'guest',
    channel: 'developer',
    barred: 'developer',
    none: undefined,
  },
  /** Whoever may see a project in a folder may see the folder. */
  within: {
    override: 'guest',
    folder: 'developer',
    team: 'guest',
    channel: 'guest',
    barred: 'developer',
    none: undefined,
  },
} as const satisfies Record<string, Record<Who, Role | undefined>>;

/** What commands can be told to do something to. */
interface Place {
  project: string;
  task: string;
  folder: string;
  rule: string;
}
const own: Place = { project: 'webshop', task: '#1', folder: 'Payments', rule: newId('rul') };
const other: Place = { project: 'apiserver', task: '#2', folder: 'Hidden', rule: newId('rul') };
const nothing: Place = { project: 'nowhere', task: '#999', folder: 'Missing', rule: newId('rul') };

type Row =
  | { about: 'project' | 'folder' | 'within'; use: (at: Place) => string; needs: Role }
  | { about: 'workspace' | 'anywhere'; use: string; needs: Role | 'anyone' };

const project = (use: (at: Place) => string, needs: Role): Row => ({ about: 'project', use, needs });
const folder = (use: (at: Place) => string, needs: Role): Row => ({ about: 'folder', use, needs });
const workspace = (use: string, needs: Role | 'anyone'): Row => ({ about: 'workspace', use, needs });
const anywhere = (use: string, needs: Role): Row => ({ about: 'anywhere', use, needs });
const task = (verb: string, needs: Role, more = '') => project((at) => `${verb} ${at.task}${more}`, needs);

/** Each command with a use that names what it is about, and the weakest role there that is let through. */
const table: Record<string, readonly Row[]> = {
  run: [project((at) => `run project=${at.project} do it`, 'developer')],
  sh: [project((at) => `sh project=${at.project} ls`, 'developer')],
  steer: [task('steer', 'developer', ' do it')],
  stop: [task('stop', 'developer')],
  retry: [task('retry', 'developer')],
  push: [task('push', 'developer')],
  pr: [task('pr', 'developer')],
  discard: [task('discard', 'developer')],
  choose: [task('choose', 'developer', ' 1')],
  rebase: [task('rebase', 'developer')],
  revert: [task('revert', 'developer')],
  fork: [task('fork', 'developer', ' again')],
  mode: [task('mode', 'developer', ' ask')],
  model: [task('model', 'developer', ' claude-sonnet-4-5')],
  effort: [task('effort', 'developer', ' high')],
  budget: [task('budget', 'developer', ' 5')],
  move: [task('move', 'developer', ' done')],
  mirror: [task('mirror', 'guest'), task('mirror', 'developer', ' here'), task('mirror', 'developer', ' off')],
  tasks: [project((at) => `tasks all project=${at.project}`, 'guest')],
  show: [task('show', 'guest')],
  diff: [task('diff', 'guest')],
  logs: [task('logs', 'guest')],
  board: [project((at) => `board project=${at.project}`, 'guest')],
  queue: [project((at) => `queue project=${at.project}`, 'guest')],
  pending: [project((at) => `pending project=${at.project}`, 'guest')],
  why: [task('why', 'guest')],
  rules: [task('rules', 'guest')],
  'rules revoke': [project((at) => `rules revoke ${at.rule}`, 'developer')],
  audit: [task('audit', 'maintainer'), workspace('audit', 'maintainer')],
  copies: [project((at) => `copies project=${at.project}`, 'maintainer')],
  'project list': [anywhere('project list', 'guest')],
  'project test': [project((at) => `project test ${at.project}`, 'maintainer')],
  'project remove': [project((at) => `project remove ${at.project}`, 'maintainer')],
  'folder list': [anywhere('folder list', 'guest')],
  'folder show': [{ about: 'within', use: (at) => `folder show ${at.folder}`, needs: 'guest' }],
  'folder move': [folder((at) => `folder move ${at.project} ${at.folder}`, 'maintainer')],
  'folder remove': [folder((at) => `folder remove ${at.folder}`, 'maintainer')],
  bind: [project((at) => `bind ${at.project}`, 'maintainer')],
  settings: [
    project((at) => `settings project=${at.project}`, 'guest'),
    project((at) => `settings project=${at.project} policy=safe`, 'maintainer'),
  ],
  policy: [project((at) => `policy project=${at.project}`, 'guest')],
  'policy history': [project((at) => `policy history project=${at.project}`, 'guest')],
  'policy show': [project((at) => `policy show 1 project=${at.project}`, 'guest')],
  'policy add': [project((at) => `policy add kind=push approvals=2 project=${at.project}`, 'maintainer')],
  'policy remove': [project((at) => `policy remove 9 project=${at.project}`, 'maintainer')],
  'policy test': [project((at) => `policy test ls project=${at.project}`, 'guest')],
  'quota add': [
    project((at) => `quota add runs=1/day project=${at.project}`, 'maintainer'),
    workspace('quota add workspace runs=1/day', 'owner'),
  ],
  'quota remove': [
    project((at) => `quota remove runs/day project=${at.project}`, 'maintainer'),
    workspace('quota remove runs/day workspace', 'owner'),
  ],
  'account list': [anywhere('account list', 'developer')],
  'member add': [
    project((at) => `member add <@UNEWBIE> guest project=${at.project}`, 'maintainer'),
    folder((at) => `member add <@UNEWBIE> guest folder=${at.folder}`, 'maintainer'),
    workspace('member add <@UNEWBIE> guest', 'maintainer'),
  ],
  'member role': [
    project((at) => `member role <@UNEWBIE> guest project=${at.project}`, 'maintainer'),
    workspace('member role <@UNEWBIE> guest', 'maintainer'),
  ],
  'member remove': [
    project((at) => `member remove <@UNEWBIE> project=${at.project}`, 'maintainer'),
    workspace('member remove <@UNEWBIE>', 'maintainer'),
  ],
  'bundle add': [workspace('bundle add Tight agents=none', 'owner')],
  'bundle change': [workspace('bundle change Nothing agents=none', 'owner')],
  'bundle list': [workspace('bundle list', 'guest')],
  'bundle show': [workspace('bundle show Nothing', 'guest')],
  'bundle remove': [workspace('bundle remove Nothing', 'owner')],
  'role add': [workspace('role add Reviewer with=agent.run', 'owner')],
  'role list': [anywhere('role list', 'guest')],
  'role show': [anywhere('role show Nobody', 'guest')],
  'role change': [workspace('role change Nobody with=agent.run', 'owner')],
  'role rename': [workspace('role rename Nobody Somebody', 'owner')],
  'role remove': [workspace('role remove Nobody', 'owner')],
  'team list': [workspace('team list', 'guest')],
  'team show': [workspace('team show Core', 'guest')],
  'team link': [folder((at) => `team link Core ${at.folder} guest`, 'maintainer')],
  'team unlink': [folder((at) => `team unlink Core ${at.folder}`, 'maintainer')],
  who: [project((at) => `who project=${at.project}`, 'guest'), folder((at) => `who folder=${at.folder}`, 'guest')],
  status: [workspace('status', 'guest')],
  usage: [workspace('usage', 'guest'), anywhere('usage person=Ada', 'maintainer'), workspace('usage all', 'owner')],
  agents: [workspace('agents', 'guest')],
  'copies prune': [workspace('copies prune', 'maintainer')],
  'audit export': [workspace('audit export', 'owner')],
  'project add': [workspace('project add more https://example.com/acme/more.git', 'maintainer')],
  'folder add': [workspace('folder add More', 'maintainer')],
  'settings alerts': [workspace('settings alerts', 'owner')],
  quota: [workspace('quota', 'guest')],
  codeowners: [workspace('codeowners', 'guest')],
  'codeowners set': [workspace('codeowners set @acme/infra team=Core', 'owner')],
  'codeowners remove': [workspace('codeowners remove @acme/infra', 'owner')],
  'account show': [workspace('account show main', 'maintainer')],
  'account add': [workspace('account add main openai url=http://127.0.0.1:9 auth=none', 'owner')],
  'account key': [workspace('account key main', 'owner')],
  'account set': [workspace('account set main auth=none', 'owner')],
  'account remove': [workspace('account remove main', 'owner')],
  claim: [workspace('claim WRONG', 'anyone')],
  'owner transfer': [workspace('owner transfer Mia', 'owner')],
  join: [workspace('join WRONG', 'anyone')],
  invite: [
    workspace('invite guest', 'maintainer'),
    project((at) => `invite guest project=${at.project}`, 'maintainer'),
    folder((at) => `invite guest folder=${at.folder}`, 'maintainer'),
  ],
  'invite list': [anywhere('invite list', 'maintainer')],
  'invite revoke': [anywhere('invite revoke inv_1', 'maintainer')],
  'member separate': [workspace('member separate <@UNEWBIE>', 'owner')],
  'team add': [workspace('team add More', 'maintainer')],
  'team join': [workspace('team join Core Ben', 'maintainer')],
  'team leave': [workspace('team leave Core Ben', 'maintainer')],
  'team remove': [workspace('team remove Core', 'maintainer')],
  link: [workspace('link WRONG', 'anyone')],
  unlink: [workspace('unlink telegram', 'anyone')],
  signin: [workspace('signin', 'guest')],
  'session list': [workspace('session list', 'guest'), workspace('session list all', 'owner')],
  'session end': [workspace('session end ses_1', 'guest')],
  'token create': [workspace('token create mine', 'guest'), workspace('token create service=deploy', 'maintainer')],
  'token list': [
    workspace('token list', 'guest'),
    workspace('token list services', 'maintainer'),
    workspace('token list all', 'owner'),
  ],
  'token revoke': [workspace('token revoke mine', 'guest')],
  'settings notify': [workspace('settings notify', 'anyone')],
  doctor: [workspace('doctor', 'maintainer')],
  about: [workspace('about', 'anyone')],
  help: [workspace('help', 'anyone')],
};

/** What says that something is not there, and what says that somebody may not. */
const hiding = /DH-20[45]|DH-242|There is no such rule/;
const refusing = /DH-202/;

let desk: Desk;
/** The messages that there are before anybody tries anything. */
let standingMessages: ReadonlyMap<string, number>;

class NotKept extends Error {
  said: string;
  constructor(said: string) {
    super('rolled back');
    this.said = said;
  }
}

function by(who: string, event: InboundEvent, channel: string): InboundEvent {
  return {
    ...event,
    conversation: { ...event.conversation, channel },
    actor: { user: `U${who.toUpperCase()}`, name: who, bot: false, affiliation: { kind: 'member' } },
  };
}

const channelOf = (who: Who) => (who === 'channel' ? 'CGIVES' : 'CPLAIN');

/** What people would be told. Nothing of it is kept, so that everybody may try everything. */
async function tried(event: InboundEvent): Promise<string> {
  try {
    return await desk.database.transaction(async (tx) => {
      await desk.bus.handle(tx, event);
      const rows = await tx.db.outbox.findMany({ orderBy: { id: 'asc' } });
      const fresh = rows.filter(({ id, version }) => standingMessages.get(id) !== version);
      const texts = fresh.map((row) => {
        const payload = outboxPayloadSchema.parse(row.payload);
        return 'view' in payload ? JSON.stringify(payload.view) : payload.type;
      });
      throw new NotKept(texts.join('\n'));
    });
  } catch (error) {
    if (error instanceof NotKept) return error.said;
    if (error instanceof AppError) return `${error.code} ${JSON.stringify(error.params)}`;
    throw error;
  }
}

const tries = (who: Who, use: string) => tried(by(who, slash('nobody', use), channelOf(who)));
/** With what was named taken for what is nowhere. */
const unnamed = (text: string, at: Place) =>
  text
    .replaceAll(at.project, nothing.project)
    .replaceAll(at.task, nothing.task)
    .replaceAll(at.folder, nothing.folder)
    .replaceAll(at.rule, nothing.rule);

beforeAll(async () => {
  desk = await openDesk();
  const { db } = desk.database;
  for (const who of [...people, 'newbie']) await desk.act(by(who, slash('nobody', 'help'), 'CPLAIN'));
  for (const use of [
    'project add webshop https://example.com/acme/webshop.git',
    'project add apiserver https://example.com/acme/apiserver.git',
    'folder add Payments',
    'folder add Hidden',
    'folder move webshop Payments',
    'folder move apiserver Hidden',
    'team add Core',
    'team join Core <@UTEAM>',
    'team link Core Payments guest',
    'member role <@UOVERRIDE> maintainer project=webshop',
    'member role <@UFOLDER> developer folder=Payments',
    'member role <@UBARRED> developer',
    'member role <@UBARRED> none project=webshop',
  ]) {
    const said = (await desk.act(slash('ada', use)))[0]?.text ?? '';
    expect(said, use).not.toContain('DH-');
  }
  await desk.act(slash('ada', 'bind webshop', { channel: 'CPLAIN' }));
  await desk.act(slash('ada', 'bind webshop role=developer', { channel: 'CGIVES' }));
  await desk.act(mention('ada', 'sh project=webshop echo own'));
  await desk.act(mention('ada', 'sh project=apiserver echo apiserver'));
  const tasks = await db.task.findMany({ orderBy: { number: 'asc' } });
  expect(tasks.map(({ number }) => number)).toEqual([1, 2]);
  for (const [index, { rule }] of [own, other].entries()) {
    const { id: taskId, requesterId: createdById } = tasks[index] ?? expect.unreachable();
    await db.rule.create({ data: { id: rule, workspaceId: desk.workspace, taskId, kind: 'command', match: 'ls', createdById } });
  }
  const foreign = newId('wsp');
  await db.workspace.create({ data: { id: foreign, name: 'Other' } });
  await db.tenant.create({ data: { platform: 'slack', tenant: 'T2', name: 'Other', botUser: 'B', workspaceId: foreign } });
  const elsewhere = { tenant: 'T2', channel: 'CELSEWHERE' };
  await desk.act(slash('ada', 'help', elsewhere));
  await db.user.updateMany({ where: { workspaceId: foreign }, data: { role: 'owner' } });
  await desk.act(slash('ada', 'project add otherworld https://example.com/other/world.git', elsewhere));
  await desk.act(slash('ada', 'bind otherworld', elsewhere));
  const rows = await db.outbox.findMany({ select: { id: true, version: true } });
  standingMessages = new Map(rows.map(({ id, version }) => [id, version]));
});
afterAll(() => desk[Symbol.asyncDispose]());

it('the table names every command', () => {
  expect(Object.keys(table).sort()).toEqual(commands.map(({ name }) => name).sort());
});

describe.each(Object.entries(table).map(([command, rows]) => ({ command, rows })))('$command', ({ rows }) => {
  it('goes by what each person is about what it names, wherever that comes from', async () => {
    const found: Record<string, string> = {};
    const expected: Record<string, string> = {};
    await Promise.all(
      rows.flatMap((row) =>
        people.map(async (who) => {
          const use = typeof row.use === 'string' ? row.use : row.use(own);
          const said = await tries(who, use);
          // What is about the workspace and any guest may is open to whoever is something somewhere.
          const place = row.about === 'workspace' && row.needs === 'guest' ? 'anywhere' : row.about;
          const role = standing[place][who];
          const may = row.needs === 'anyone' || roleAtLeast(role, row.needs);
          const key = `${who}: ${use}`;
          expected[key] = may ? 'let through' : 'refused';
          found[key] = refusing.test(said) || hiding.test(said) ? 'refused' : 'let through';
          // Nobody but who is barred from the project may see the other one.
          if (who !== 'barred') expect(said, key).not.toMatch(/apiserver|Hidden|otherworld/);
          if (found[key] !== expected[key]) found[key] += ` ${said.slice(0, 300)}`;
        }),
      ),
    );
    expect(found).toEqual(expected);
  });

  const named = rows.flatMap((row) => (typeof row.use === 'string' ? [] : [row.use]));
  if (named.length === 0) return;
  it('promise 12: says of what somebody may not see what it says of nothing', async () => {
    // They are nothing about the other project for the same reason: those with the most and the least of one, and without any.
    const apart = ['override', 'team', 'none'] as const;
    await Promise.all(
      named.flatMap((use) =>
        apart.map(async (who) => {
          const [real, none] = [await tries(who, use(other)), await tries(who, use(nothing))];
          expect(unnamed(real, other), `${who}: ${use(other)}`).toBe(none);
        }),
      ),
    );
  });

  it('promise 12: says the same to an owner of another workspace', async () => {
    const away = { tenant: 'T2', channel: 'CELSEWHERE' };
    for (const use of named) {
      const [real, none] = [await tried(slash('ada', use(own), away)), await tried(slash('ada', use(nothing), away))];
      expect(unnamed(real, own), use(own)).toBe(none);
    }
  });
});
