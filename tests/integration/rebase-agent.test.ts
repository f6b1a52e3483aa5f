import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Scenario } from '../../lab/model/action.ts';
import { type AgentWorld, createAgentWorld } from '../support/agent-world.ts';
import { git } from '../support/git-repository.ts';

const change: Scenario = {
  name: 'say mine',
  example: 'say mine',
  matches: (prompt) => /^say mine/.test(prompt),
  *play() {
    yield { say: 'I write it.', actions: [{ do: 'run', command: 'echo mine > README.md', why: 'to change it' }] };
    return 'It says mine.';
  },
};
const merge =
  'git merge --quiet origin/main; git diff --name-only --diff-filter=U; echo both > README.md; git commit --quiet --all --message Merged';
const asked: string[] = [];
const resolve: Scenario = {
  name: 'resolve',
  example: 'The base branch has moved on',
  matches: (prompt) => prompt.includes('The base branch has moved on'),
  *play({ prompt }) {
    asked.push(prompt);
    const seen = yield { say: 'I merge it.', actions: [{ do: 'run', command: merge, why: 'to resolve it' }] };
    return `It was in conflict: ${seen.outcomes[0]?.text ?? 'nothing'}`;
  },
};

let world: AgentWorld;
beforeAll(async () => {
  world = await createAgentWorld('docker', { scenarios: [change, resolve] });
});
afterAll(() => world.close());

test('an agent that is asked to resolve a conflict has the newest base to merge, and its change begins there then', {
  timeout: 120_000,
}, async () => {
  const project = await world.project();
  const made = await world.ask('claude', 'bypass', 'say mine', project);
  await world.startAgentRunner();
  const first = await world.resultOf(made.run);
  expect(first).toMatchObject({ outcome: 'succeeded', files: [{ path: 'README.md' }] });
  const newest = await world.source.commit({ 'README.md': 'theirs\n', 'more.txt': 'more\n' }, 'Meanwhile');

  const bring = (how: 'rebase' | 'resolve') =>
    world.database.transaction((tx) => world.engine.tasks.rebase(tx, { run: made.run, how, by: world.ada, originKey: how }));
  expect(await world.resultOf((await bring('rebase')).run)).toMatchObject({ cause: 'conflict', conflicts: ['README.md'] });
  const { run } = await bring('resolve');
  const result = await world.resultOf(run);
  expect(asked.at(-1)).toContain('- "README.md"');
  expect(result).toMatchObject({
    outcome: 'succeeded',
    base: { branch: 'main', commit: newest },
    files: [{ path: 'README.md', added: 1, removed: 1 }],
  });
  expect(await git(world.mirror(project), 'log', '-1', '--format=%P', result.commit ?? '')).toBe(`${first.commit} ${newest}`);
  const task = await world.database.db.task.findUniqueOrThrow({ where: { id: made.task } });
  expect(task).toMatchObject({ head: result.commit, baseCommit: newest });
});
