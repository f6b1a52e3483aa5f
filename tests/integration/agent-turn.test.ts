import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AgentKind } from '../../src/contracts/agent.ts';
import { type AgentWorld, createAgentWorld } from '../support/agent-world.ts';
import { git } from '../support/git-repository.ts';
import { ofType } from '../support/runner-world.ts';
import { waitFor } from '../support/wait-for.ts';

/** A picture of one dot. */
const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const agents: AgentKind[] = ['claude', 'claude-code', 'codex'];

describe('a turn of an agent in a container', () => {
  let world: AgentWorld;
  let project: string;
  beforeAll(async () => {
    world = await createAgentWorld('docker');
    project = await world.demoProject();
    await world.startAgentRunner();
  });
  afterAll(() => world.close());

  it('attempts side by side leave commits of their own; the next turn goes on from the one that is chosen', async () => {
    const asked = { workspace: world.ada.workspace, project, requester: world.ada, prompt: 'fix the failing test' };
    const settings = { agent: 'claude', mode: 'bypass' } as const;
    const place = { channel: world.channel, thread: null, originKey: 'attempts' };
    const { task } = await world.database.transaction((tx) =>
      world.engine.tasks.createAgentTask(tx, { ...asked, ...place, settings, attempts: [{}, {}] }),
    );
    const runs = await world.database.db.run.findMany({ where: { taskId: task }, orderBy: { attempt: 'asc' } });
    const commits: string[] = [];
    for (const { id } of runs) {
      const result = await world.resultOf(id, 60_000);
      expect(result, result.message).toMatchObject({ outcome: 'succeeded', files: [{ path: 'src/basket.js' }] });
      const kept = await git(world.mirror(project), 'rev-parse', `refs/deckhand/tasks/${task}/runs/${id}/head`);
      expect(kept).toBe(result.commit);
      commits.push(kept);
    }
    const headOf = () => git(world.mirror(project), 'for-each-ref', `refs/deckhand/tasks/${task}/head`);
    expect([runs.length, new Set(commits).size, await headOf()]).toEqual([2, 2, '']);
    const [, second] = runs;
    if (second === undefined) throw new Error('there are two');
    await world.database.transaction((tx) => world.engine.tasks.choose(tx, second.id, world.ada));
    const turn = { task, text: 'fix the failing test', by: world.ada, originKey: 'goes on' };
    const { run } = await world.database.transaction((tx) => world.engine.tasks.followUp(tx, turn));
    const result = await world.resultOf(run, 60_000);
    expect(result.outcome).toBe('succeeded');
    expect(await headOf()).toContain(result.commit ?? commits[1]);
    expect(await git(world.mirror(project), 'merge-base', commits[1] ?? '', result.commit ?? commits[1] ?? '')).toBe(commits[1]);
  }, 120_000);

  it('shows people a file, which is no part of the changes', async () => {
    const { run } = await world.ask('claude-code', 'bypass', 'draw a chart', project);
    const result = await world.resultOf(run, 60_000);
    expect(result).toMatchObject({ outcome: 'succeeded', files: [] });
    const chart = result.artifacts.find(({ kind }) => kind === 'file');
    expect(chart?.name).toBe('chart.png');
    const bytes = Buffer.from((await world.artifacts.read(chart?.id ?? '')) ?? []);
    expect(bytes.subarray(1, 4).toString('latin1')).toBe('PNG');
    const log = result.artifacts.find(({ kind }) => kind === 'log');
    expect(Buffer.from((await world.artifacts.read(log?.id ?? '')) ?? []).toString()).toContain(
      'The chart is in the file `chart.png`.',
    );
  }, 90_000);

  /** Asks for something with files, as chat does, and has them fetched. */
  async function askWith(agent: AgentKind, prompt: string, files: Record<string, Buffer>) {
    const source = { conversation: { platform: 'slack', tenant: 'T1', channel: 'C1', kind: 'channel' }, message: '1.0' } as const;
    const made = await world.database.transaction((tx) =>
      world.engine.tasks.createAgentTask(tx, {
        workspace: world.ada.workspace,
        project,
        requester: world.ada,
        prompt,
        settings: { agent, mode: 'bypass' },
        channel: world.channel,
        thread: null,
        originKey: `with files ${agent}`,
        files: Object.keys(files).map((name) => ({
          source: { ...source, id: name },
          name,
          by: 'Gus',
          trust: 'guest',
          came: 'before',
        })),
      }),
    );
    await fetched(made.run, files);
    return made;
  }

  async function fetched(run: string, files: Record<string, Buffer>) {
    const rows = await world.database.db.attachedFile.findMany({ where: { runId: run, state: 'pending' } });
    for (const { id, name } of rows) {
      const bytes = files[name] ?? Buffer.alloc(0);
      await world.artifacts.writeGiven(run, `given/${id}`, bytes);
      const artifact = (
        await world.artifacts.record({ workspace: world.ada.workspace, run }, 'given', `given/${id}`, bytes.length)
      ).id;
      const mime = name.endsWith('.png') ? 'image/png' : 'text/plain';
      const outcome = { artifact, mime, bytes: bytes.length, sha256: 'of its bytes' };
      await world.database.transaction((tx) => world.engine.tasks.settleFile(tx, id, outcome));
    }
  }

  it.each(agents)(
    '%s fixes the failing test with files that people gave in its working copy, pictures before its eyes; only its change is committed on the branch of the task',
    async (agent) => {
      const files = { 'log.txt': Buffer.from('it fails in line 7\n'), 'screen.png': picture };
      const { run, task } = await askWith(agent, `fix the failing test, wish of ${agent}!`, files);
      const seen = await waitFor(
        'the files',
        async () => {
          const helper = {
            argv: ['/bin/sh', '-c', 'cat .deckhand/in/log.txt && wc -c < .deckhand/in/screen.png'],
            timeMs: 5000,
            outputBytes: 4096,
          } as const;
          const { stdout, exitCode } = await world.sandbox.exec(run, helper);
          if (exitCode !== 0) throw new Error('not there yet');
          return Buffer.from(stdout).toString();
        },
        { timeoutMs: 30_000, everyMs: 20 },
      );
      expect(seen).toBe(`it fails in line 7\n${picture.length}\n`);
      const result = await world.resultOf(run, 60_000);
      expect(result).toMatchObject({ outcome: 'succeeded', files: [{ path: 'src/basket.js' }] });
      expect(await git(world.mirror(project), 'rev-parse', `refs/deckhand/tasks/${task}/head`)).toBe(result.commit);
      const events = await world.eventsOf(run);
      expect(
        ofType(events, 'assistant')
          .map(({ text }) => text)
          .join(''),
      ).toContain('All tests pass now.');
      expect(ofType(events, 'usage').length).toBeGreaterThan(2);
      expect(
        ofType(events, 'checklist')
          .at(-1)
          ?.items.every(({ state }) => state === 'done'),
      ).toBe(true);
      const asked = JSON.stringify(
        world.model
          .requests()
          .map(({ body }) => body)
          .filter((body) => JSON.stringify(body).includes(`wish of ${agent}!`)),
      );
      expect(asked).toContain('| .deckhand/in/log.txt, text/plain, 19 bytes, with what was said before, from Gus (guest)');
      // Claude Code reads pictures by its own tool, when it wants to.
      if (agent !== 'claude-code') expect(asked).toContain(picture.toString('base64').slice(0, 60));
    },
    90_000,
  );

  it('has files of a message in its working copy when it reads the message', async () => {
    const { run, task } = await world.ask('claude', 'bypass', 'work slowly in 40 steps of 1 s', project);
    await waitFor('its first step', async () => ofType(await world.eventsOf(run), 'tool')[0], { timeoutMs: 30_000 });
    const source = {
      conversation: { platform: 'slack', tenant: 'T1', channel: 'C1', kind: 'channel' },
      message: '2.0',
      id: 'f',
    } as const;
    const origin = '["slack","T1","C1","2.0"]';
    const files = [{ source, name: '../shot.txt', by: 'Ada', trust: 'owner', came: 'message' }] as const;
    const said = { task, text: '', when: 'next', by: world.ada, origin, files } as const;
    await world.database.transaction((tx) => world.engine.tasks.steer(tx, said));
    await fetched(run, { '../shot.txt': Buffer.from('as it looks\n') });
    const message = await waitFor('it to be read', async () => ofType(await world.eventsOf(run), 'message_settled')[0], {
      timeoutMs: 30_000,
    });
    expect(message).toMatchObject({ how: 'read' });
    const helper = { argv: ['/bin/sh', '-c', 'cat .deckhand/in/shot.txt'], timeMs: 5000, outputBytes: 4096 } as const;
    const { stdout } = await world.sandbox.exec(run, helper);
    expect(Buffer.from(stdout).toString()).toBe('as it looks\n');
    await world.resultOf(run, 60_000);
    expect(JSON.stringify(world.model.requests().at(-1)?.body)).toContain(
      '| .deckhand/in/shot.txt, text/plain, 12 bytes, just now, from Ada (owner)',
    );
  }, 90_000);

  it('answers a side question beside the turn', async () => {
    const { run, task } = await world.ask('claude', 'ask', 'fix the failing test', project);
    const request = await world.pending(run);
    const asked = { task, text: 'what are you doing?', when: 'btw', by: world.ada, origin: 'message-1' } as const;
    await world.database.transaction((tx) => world.engine.tasks.steer(tx, asked));
    const aside = await waitFor('the answer', async () => ofType(await world.eventsOf(run), 'aside')[0], { timeoutMs: 20_000 });
    expect(aside.text).toContain('[scripted]');
    expect(await world.pending(run)).toMatchObject({ id: request.id });
    await world.stop(task);
    expect(await world.resultOf(run)).toMatchObject({ outcome: 'cancelled' });
  }, 60_000);
});
