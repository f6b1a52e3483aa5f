import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCommandMenu } from '../../src/commands/menu.ts';
import { parseText } from '../../src/commands/parse.ts';
import { commands } from '../../src/commands/registry.ts';
import type { CommandMenu } from '../../src/contracts/command-menu.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import { createDatabase } from '../../src/store/database.ts';
import { type Account, accounts, type Desk, openDesk, slash } from '../support/desk.ts';
import { offer, offerAgents } from '../support/desk-agent.ts';

let desk: Desk;
let menu: CommandMenu;
const errors: unknown[] = [];

beforeAll(async () => {
  desk = await openDesk();
  menu = createCommandMenu({ database: desk.database, onError: (error) => void errors.push(error), lookMs: 10_000 });
  await desk.act(slash('ada', 'project add api https://example.com/acme/api.git'));
  await desk.act(slash('ben', 'sh npm run first'));
  await desk.act(slash('ben', 'sh project=api make second'));
  await desk.act(slash('nobody', 'help'));
  await desk.act(slash('ada', 'account add main anthropic'));
});
afterAll(() => desk[Symbol.asyncDispose]());

const demo: Conversation = { platform: 'slack', tenant: 'T1', channel: 'CDEMO', kind: 'channel' };
async function typed(who: Account, text: string, conversation = demo): Promise<string[]> {
  return (await menu.complete({ text, conversation, user: accounts[who] })).map(({ value }) => value);
}

describe('the menu of commands', () => {
  it('has every command, in words that every platform takes', () => {
    expect(menu.commands.map(({ name }) => name).sort()).toEqual(commands.map(({ name }) => name).sort());
    for (const { name, summary, positional, options } of menu.commands) {
      expect(name).toMatch(/^[a-z]+( [a-z]+)?$/);
      for (const one of [...positional, ...options]) expect(one.name).toMatch(/^[a-z][a-z0-9_]*$/);
      for (const text of [summary, ...[...positional, ...options].map(({ about }) => about)]) {
        expect(text).not.toContain('`');
        expect(text.length).toBeLessThanOrEqual(100);
      }
    }
  });

  it('says how the arguments of a command are written', () => {
    expect(menu.commands.find(({ name }) => name === 'sh')).toMatchObject({
      positional: [{ name: 'command', required: true, rest: true }],
      options: [
        { name: 'project', required: false, rest: false },
        { name: 'runs_on', required: false, rest: false },
      ],
      direct: true,
    });
    expect(menu.commands.filter(({ direct }) => !direct).map(({ name }) => name)).toEqual(['bind']);
    const settings = menu.commands.find(({ name }) => name === 'settings');
    expect(settings?.options.find(({ name }) => name === 'not_requester')?.values).toEqual(['on', 'off']);
    expect(parseText('settings not_requester=on', commands)).toMatchObject({ type: 'command', args: { 'not-requester': true } });
  });
});

describe('completions from what there is', () => {
  it('names the models of agents that can work', async () => {
    const models = (...names: string[]) => ({ names, from: 'server' as const, usual: null });
    await offerAgents(
      desk,
      offer('claude', { models: models('claude-opus-5', 'claude-haiku-5-5') }),
      offer('codex', { available: false, models: models('gpt-6-luna') }),
    );
    expect(await typed('ben', 'model #1 ')).toEqual(['model #1 default', 'model #1 claude-opus-5', 'model #1 claude-haiku-5-5']);
    expect(await typed('ben', 'run model=claude-o')).toEqual(['run model=claude-opus-5']);
    expect(await typed('ben', 'effort d')).toEqual(['effort default']);
  });

  it('names tasks by number or title, projects and people', async () => {
    expect(await typed('ben', 'show ')).toEqual(['show #2', 'show #1']);
    expect(await typed('ben', 'show 1')).toEqual(['show #1']);
    expect(await typed('ben', 'stop sec')).toEqual(['stop #2']);
    expect(await typed('ben', 'move #1 d')).toEqual(['move #1 done']);
    expect(await typed('ben', 'sh project=d')).toEqual(['sh project=demo']);
    expect(await typed('ben', 'member role g')).toEqual(['member role Gus']);
    expect(await typed('ada', 'settings people+=be')).toEqual(['settings people+=Ben']);
    const [first] = await menu.complete({ text: 'show ', conversation: demo, user: accounts.ben });
    expect(first?.hint).toBe('make second · queued');
  });

  it('names accounts of agents to those who can use them', async () => {
    expect(await typed('ben', 'run account=m')).toEqual(['run account=main']);
    expect(await typed('ada', 'account key ')).toEqual(['account key main']);
    expect(await typed('gus', 'run account=m')).toEqual([]);
  });

  it('names custom roles beside the built-in ones wherever a role is given, and permissions one after the other', async () => {
    await desk.act(slash('ada', 'role add release-manager with=change.publish'));
    const roles = (await typed('ada', 'member role Gus ')).filter((text) => !text.endsWith('='));
    expect(roles).toEqual(
      ['guest', 'developer', 'maintainer', 'owner', 'none', 'release-manager'].map((role) => `member role Gus ${role}`),
    );
    expect(await typed('ada', 'settings role=re')).toEqual(['settings role=release-manager']);
    expect(await typed('ada', 'invite rel')).toEqual(['invite release-manager']);
    expect(await typed('gus', 'role show r')).toEqual(['role show release-manager']);
    expect(await typed('ada', 'role add x with=change.publish,agent')).toEqual([
      'role add x with=change.publish,agent.run',
      'role add x with=change.publish,agent.bypass',
    ]);
    // Discord shows a list that cannot grow for an argument with values: none where there are other names than these.
    const role = menu.commands.find(({ name }) => name === 'member role')?.positional.find(({ name }) => name === 'role');
    expect(role?.values).toEqual([]);
  });

  it('names people without a role to those who give roles only', async () => {
    expect(await typed('ada', 'member add UNO')).toEqual(['member add "Slack account UNOBODY"']);
    expect(await typed('ben', 'member add UNO')).toEqual([]);
  });

  it('shows nobody more than they may see: a stranger nothing, a member of the channel its project', async () => {
    expect(await typed('nobody', 'show ')).toEqual([]);
    expect(await typed('nobody', 'bind ')).not.toContain('bind api');
    await desk.act(slash('ada', 'settings role=guest'));
    expect(await typed('nobody', 'show ')).toEqual(['show #1']);
    expect(await typed('nobody', 'bind d')).toEqual(['bind demo']);
    expect(await typed('nobody', 'bind a')).toEqual([]);
    expect(await typed('nobody', 'show ', { ...demo, channel: 'COTHER' })).toEqual([]);
    await desk.act(slash('ada', 'settings role=none'));
  });

  it('promise 12: shows nothing of another workspace, and makes nobody known', async () => {
    const before = [await desk.database.db.user.count(), await desk.database.db.channel.count()];
    expect(await typed('ada', 'show ', { ...demo, tenant: 'T2' })).toEqual([]);
    expect(await menu.complete({ text: 'show ', conversation: { ...demo, channel: 'CNEW' }, user: 'UNEW' })).toEqual([]);
    expect([await desk.database.db.user.count(), await desk.database.db.channel.count()]).toEqual(before);
  });

  it('completes commands also when the database does not answer', async () => {
    const dead = createDatabase({ url: 'postgresql://nobody@127.0.0.1:1/none', connections: 1, onEffectError: () => undefined });
    const blind = createCommandMenu({ database: dead, onError: (error) => void errors.push(error) });
    const started = performance.now();
    const found = await blind.complete({ text: 'move #1 d', conversation: demo, user: accounts.ada });
    expect(found.map(({ value }) => value)).toEqual(['move #1 done']);
    expect(performance.now() - started).toBeLessThan(1000);
    await dead.close();
  });
});
