import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/runtime/ids.ts';
import { type Account, type Desk, openDesk, press, slash, tokenOf } from '../support/desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
  const { db } = desk.database;
  const people = await db.user.findMany({ where: { workspaceId: desk.workspace } });
  const userOf = (name: string) => people.find((one) => one.name === name)?.id ?? expect.unreachable();
  const day = new Date(new Date().toISOString().slice(0, 10));
  const project = newId('prj');
  const demo = await db.project.findUniqueOrThrow({ where: { id: desk.demo.id } });
  const { policy, limits } = demo;
  await db.project.create({
    data: {
      id: project,
      workspaceId: desk.workspace,
      name: 'api',
      sourceKind: 'path',
      source: '/srv/api',
      policy: policy as object,
      limits: limits as object,
    },
  });
  const row = {
    workspaceId: desk.workspace,
    day,
    channelId: '',
    agent: 'codex',
    model: 'gpt-6-sol',
    requests: 2,
    input: 1000n,
    output: 500n,
  };
  await db.usageDay.createMany({
    data: [
      { ...row, projectId: desk.demo.id, userId: userOf('Ben'), costUsd: 1.5 },
      { ...row, projectId: desk.demo.id, userId: userOf('Ada'), costUsd: 2 },
      { ...row, projectId: project, userId: userOf('Ada'), costUsd: 4, agent: 'claude-code', unpriced: 1 },
      { ...row, workspaceId: newId('wsp'), projectId: desk.demo.id, userId: userOf('Ada'), costUsd: 100 },
    ],
  });
});
afterAll(() => desk[Symbol.asyncDispose]());

const ask = async (who: Account, line: string, where: Parameters<typeof slash>[2] = {}) =>
  (await desk.act(slash(who, line, where)))[0];
const filesOf = (said: Awaited<ReturnType<typeof ask>>) =>
  said?.payload.type === 'ephemeral' || said?.payload.type === 'message' ? (said.payload.view.files ?? []) : [];

describe('usage', () => {
  it('shows everybody their own, maintainers their project, owners all; and says whose it is', async () => {
    expect((await ask('ben', 'usage'))?.text).toMatch(/^Your usage of demo, last 7 days\n\$1\.50 · 1\.5k tokens · 2 requests/);
    expect((await ask('mia', 'usage'))?.text).toMatch(/^Usage of demo, last 7 days\n\$3\.50 · 3k tokens · 4 requests/);
    expect((await ask('ada', 'usage all'))?.text).toMatch(
      /^Usage of everybody, last 7 days\nat least \$7\.50 · 4\.5k tokens · 6 requests/,
    );
    expect((await ask('mia', 'usage all'))?.text).toContain('DH-202');
    expect((await ask('ben', 'usage person=Ada'))?.text).toContain('DH-202');
    expect((await ask('mia', 'usage person=Ada'))?.text).toMatch(/^Usage of Ada of demo, last 7 days\n\$2\.00/);
    expect((await ask('gus', 'usage'))?.text).toContain('No agent has asked a model');
    expect((await ask('ada', 'usage all model=gpt-7'))?.text).toContain('No agent has asked a model');
  });

  it('comes as figures to be drawn, told apart by what a button says', async () => {
    const said = await ask('ada', 'usage all');
    const [pressed] = await desk.act(press('ada', tokenOf(said, 'By project')));
    expect(pressed?.text).toMatch(/project +cost +tokens +requests/);
    const [file] = filesOf(pressed);
    if (file?.from !== 'chart' || !('of' in file.chart)) throw new Error('no figures');
    expect(file.chart.series.map(({ name, costUsd }) => [name, costUsd.at(-1)])).toEqual([
      ['api', 4],
      ['demo', 3.5],
    ]);
  });

  it('promise 12: gives a file of every line of this workspace', async () => {
    const said = await ask('ada', 'usage export');
    const [file] = filesOf(await ask('ada', 'usage export', {}));
    expect(said?.text).toContain('2 lines in usage-');
    if (file?.from !== 'text') throw new Error('no file');
    expect(file.text.split('\r\n')[1]).toMatch(/,demo,Ada,no channel,codex,gpt-6-sol,2,0,1000,500,0,0,2$/);
  });
});
