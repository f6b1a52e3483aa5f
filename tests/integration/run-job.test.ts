import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { git } from '../support/git-repository.ts';
import { createRunnerWorld, ofType, outputText, type RunnerWorld } from '../support/runner-world.ts';
import { waitFor } from '../support/wait-for.ts';

describe.each(['local', 'docker'] as const)('a run on %s', (kind) => {
  let world: RunnerWorld;
  let project: string;
  beforeAll(async () => {
    world = await createRunnerWorld(kind);
    project = await world.project();
    await world.startRunner();
  });
  afterAll(() => world.close());

  it('streams its output, brings its changes to the mirror and ends once', async () => {
    const { run, task, number } = await world.sh(
      'echo hi; echo oops >&2; echo changed >> README.md; echo new > new.txt',
      project,
    );
    const result = await world.resultOf(run);
    const events = await world.eventsOf(run);
    expect(result).toMatchObject({
      outcome: 'succeeded',
      message: 'The command succeeded.',
      exitCode: 0,
      files: [
        { path: 'README.md', added: 1, removed: 0 },
        { path: 'new.txt', added: 1, removed: 0 },
      ],
    });
    expect(outputText(events, 'stdout')).toBe('hi\n');
    expect(outputText(events, 'stderr')).toBe('oops\n');
    expect(ofType(events, 'terminal').length).toBe(1);
    expect(ofType(events, 'stage').map(({ stage }) => stage)).toEqual([
      'repository',
      'workspace',
      'sandbox',
      'command',
      'results',
    ]);
    expect(ofType(events, 'git')).toEqual(
      [
        {
          type: 'git',
          branch: `deckhand/${number}-echo-hi-echo-oops-2-echo-changed`,
          baseBranch: 'main',
          baseCommit: world.first,
        },
      ].map((event) => ({ ...event, branch: expect.stringMatching(new RegExp(`^deckhand/${number}-`)) })),
    );
    expect(ofType(events, 'sandbox')[0]).toMatchObject({ kind, isolated: kind === 'docker' });
    expect(await git(world.mirror(project), 'rev-parse', `refs/deckhand/tasks/${task}/head`)).toBe(result.commit);
    const names = result.artifacts.map(({ name }) => name).sort();
    expect(names).toEqual([`${number}.log`, `${number}.patch`]);
    for (const { id, bytes } of result.artifacts) expect((await world.artifacts.read(id))?.length).toBe(bytes);
    await waitFor('the sandbox to be removed', async () => (await world.sandbox.list()).length === 0);
  });
});
