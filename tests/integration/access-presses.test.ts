import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { givablePermissions, type Permission } from '../../src/contracts/permissions.ts';
import {
  changeVerbs,
  decisions,
  encodePress,
  guidedVerbs,
  linkVerbs,
  type PressToken,
  taskVerbs,
  transferVerbs,
} from '../../src/contracts/press.ts';
import { newId } from '../../src/runtime/ids.ts';
import { giveCustomRole, takeCustomRoles } from '../support/custom-role.ts';
import { type Account, type Desk, mention, openDesk, press, slash, submit, tokenOf } from '../support/desk.ts';
import { aQuestion, atWork, offer, offerAgents, secretOf } from '../support/desk-agent.ts';

/** What buttons and forms of a workspace can name. */
interface Named {
  task: string;
  run: string;
  secret: string;
  /** The secret of an agent's question. */
  question: string;
  request: string;
  form: string;
  link: string;
  transfer: string;
}

/** Every token of every kind: a new kind does not compile without its line here, a new verb is tried by itself. */
const tokensOf = {
  decide: ({ secret, question }) => [
    ...decisions.map((verb) => ({ kind: 'decide' as const, secret, verb })),
    { kind: 'decide', secret: question, verb: 'answer' },
    { kind: 'decide', secret: question, verb: 'deny' },
  ],
  choose: ({ question: secret }) => [
    { kind: 'choose', secret, question: 0 },
    { kind: 'choose', secret, question: 0, option: 0 },
  ],
  task: ({ task }) => taskVerbs.map((verb) => ({ kind: 'task', task, verb })),
  change: ({ run }) => changeVerbs.map((verb) => ({ kind: 'change', run, verb })),
  command: () => [
    { kind: 'command', text: 'stop #1' },
    { kind: 'command', text: 'retry #2' },
  ],
  pick: ({ request }) => [{ kind: 'pick', request }],
  guided: ({ form }) => guidedVerbs.map((verb) => ({ kind: 'guided', form, field: 0, verb })),
  link: ({ link }) => linkVerbs.map((verb) => ({ kind: 'link', link, verb })),
  transfer: ({ transfer }) => transferVerbs.map((verb) => ({ kind: 'transfer', transfer, verb })),
} satisfies { [K in PressToken['kind']]: (named: Named) => (PressToken & { kind: K })[] };

const all: readonly ((named: Named) => PressToken[])[] = Object.values(tokensOf);
const allTokens = (named: Named) => all.flatMap((of) => of(named));
const nothing: Named = {
  task: newId('tsk'),
  run: newId('run'),
  secret: 'AAAAAAAAAAAAAAAAAAAAAA',
  question: 'AAAAAAAAAAAAAAAAAAAAAA',
  request: newId('req'),
  form: newId('frm'),
  link: newId('lnk'),
  transfer: newId('otr'),
};
const indexes = allTokens(nothing).map((token, at) => ({ at, what: encodePress(token).replaceAll(/[a-z]{3}_\w+|A{22}/g, '…') }));
const away = { tenant: 'T2', channel: 'CELSEWHERE' };

/** What lets somebody change work that is under way. */
const ofWork: ReadonlySet<Permission> = new Set<Permission>([
  'agent.run',
  'agent.bypass',
  'command.run',
  'task.manage',
  'change.publish',
  'rule.revoke',
  'action.approve',
  'action.approve-as-maintainer',
]);

let desk: Desk;
let named: Named;

/** A waiting request, a run at work, a change, and whatever else buttons can be about, in the workspace of the desk. */
beforeAll(async () => {
  desk = await openDesk();
  const runner = await offerAgents(desk, offer('claude'));
  const { db } = desk.database;
  await desk.act(slash('ada', 'settings policy=ask'));
  await desk.act(mention('ben', 'sh touch file', { message: '1.000' }));
  await desk.act(mention('ben', 'fix the login', { message: '2.000' }));
  const turn = await atWork(desk, runner);
  const { runs } = desk.engine;
  await runs.pinBase(turn.run, runner, { branch: 'main', commit: 'b'.repeat(40) });
  await runs.finishing(turn.run, runner);
  await runs.finish(turn.run, runner, {
    outcome: 'succeeded',
    message: 'It is done.',
    durationMs: 1,
    commit: 'a'.repeat(40),
    tree: 'c'.repeat(40),
    files: [{ path: 'src/session.ts', added: 1, removed: 1 }],
    artifacts: [],
  });
  await desk.act(mention('ben', 'run mode=ask fix the logout', { message: '2.500' }));
  const asking = await atWork(desk, runner);
  await asking.step({ asks: [{ type: 'question', ask: 'q', questions: [aQuestion('base', ['main', 'next'], { free: true })] }] });
  const question = await secretOf(desk, asking.run);
  await desk.act(slash('ada', 'project add api https://example.com/acme/api.git'));
  const [asked] = await desk.act(mention('ada', 'sh ls', { direct: true, message: '3.000' }));
  const { secret } = await db.interaction.findFirstOrThrow({ where: { kind: 'approval' } });
  const pick = /^p:(.+)$/.exec(tokenOf(asked, 'Project'))?.[1] ?? expect.unreachable();
  named = { ...nothing, task: turn.task, run: turn.run, secret, question, request: pick };
  await db.tenant.create({
    data: {
      platform: 'slack',
      tenant: away.tenant,
      name: 'Other',
      botUser: 'B',
      workspaceId: (await db.workspace.create({ data: { id: newId('wsp'), name: 'Other' } })).id,
    },
  });
  for (const who of ['ada', 'mia'] as const) await desk.act(slash(who, 'help', away));
  await db.user.updateMany({ where: { workspaceId: { not: desk.workspace } }, data: { role: 'owner' } });
});
afterAll(() => desk[Symbol.asyncDispose]());

/** All that is stored about the work of the desk's workspace. In one statement: it is looked at before and after every press. */
async function work(): Promise<unknown> {
  const tables = ['Task', 'Run', 'Interaction', 'Publication', 'Rule', 'RunMail', 'PendingRequest'];
  const parts = tables.map(
    (table) => `'${table}', (SELECT json_agg(t ORDER BY to_jsonb(t)::text) FROM "${table}" t WHERE t."workspaceId" = $1)`,
  );
  const sql = `SELECT json_build_object(${parts.join(', ')}) AS work`;
  const [row] = await desk.database.db.$queryRawUnsafe<{ work: unknown }[]>(sql, desk.workspace);
  return row?.work;
}

const answer = async (who: Account, token: PressToken, how: 'press' | 'form', where = {}) => {
  const text = encodePress(token);
  const values = { reason: ['because'], text: ['more'], answer: ['yes'], q0: ['0'] };
  const event = how === 'press' ? press(who, text, { values: ['demo'], ...where }) : submit(who, text, values, where);
  return (await desk.act(event)).map((said) => said.text);
};

it('there is work that presses could change: what follows compares it before and after', async () => {
  const before = await work();
  expect(before).toMatchObject({ Task: { length: 3 }, Interaction: { length: 2 }, PendingRequest: { length: 1 } });
  await desk.act(slash('ada', 'stop #1'));
  expect(await work()).not.toEqual(before);
  await desk.act(mention('ben', 'sh touch file', { message: '9.000' }));
  const { secret } = await desk.database.db.interaction.findFirstOrThrow({ where: { state: 'pending', kind: 'approval' } });
  named = { ...named, secret };
});

describe.each(['press', 'form'] as const)('promise 12: a %s of an owner of another workspace', (how) => {
  it.each(indexes)('$what says what it says about nothing, and changes nothing', async ({ at }) => {
    const before = await work();
    const [real, none] = [allTokens(named)[at], allTokens(nothing)[at]];
    if (real === undefined || none === undefined) return expect.unreachable();
    expect(await answer('ada', real, how, away)).toEqual(await answer('ada', none, how, away));
    expect(await work()).toEqual(before);
  });
});

describe('promise 7: somebody with a custom role of everything but work and decisions', () => {
  beforeAll(() =>
    giveCustomRole(
      desk,
      'nobody',
      givablePermissions.filter((one) => !ofWork.has(one)),
    ),
  );
  afterAll(() => takeCustomRoles(desk));

  it.each(indexes)('presses $what and fills in its form without changing any work', async ({ at }) => {
    const before = await work();
    const token = allTokens(named)[at] ?? expect.unreachable();
    await answer('nobody', token, 'press');
    await answer('nobody', token, 'form');
    expect(await work()).toEqual(before);
  });
});

describe.each(['nobody', 'gus'] as const)('promise 7: %s', (who) => {
  it.each(indexes)('presses $what and fills in its form without changing any work', async ({ at }) => {
    const before = await work();
    const token = allTokens(named)[at] ?? expect.unreachable();
    const said = [...(await answer(who, token, 'press')), ...(await answer(who, token, 'form'))];
    expect(await work()).toEqual(before);
    if (who === 'nobody') expect(said.join('\n')).toMatch(/DH-\d{3}/);
  });
});
