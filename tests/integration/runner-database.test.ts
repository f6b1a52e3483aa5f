import { afterAll, beforeAll, expect, it } from 'vitest';
import { git } from '../support/git-repository.ts';
import { createRunnerWorld, ofType, type RunnerWorld } from '../support/runner-world.ts';

let world: RunnerWorld;
beforeAll(async () => {
  world = await createRunnerWorld('local');
});
afterAll(() => world.close());

/** The same function, which the database does not answer the first times. */
function deaf<A extends unknown[], R>(times: number, act: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
  let left = times;
  return async (...args) => {
    left -= 1;
    if (left >= 0) throw new Error('the database system is starting up');
    return await act(...args);
  };
}

it('promise 8: a database that is away while results are kept costs a run neither its changes nor its files', async () => {
  const record = deaf(2, world.artifacts.record);
  await world.startRunner({ artifacts: { ...world.artifacts, record } });
  for (const [command, outcome] of [
    ['echo text; echo new >new.txt', 'succeeded'],
    ['echo text; echo new >new.txt; exit 3', 'failed'],
  ] as const) {
    const project = await world.project();
    const { run, task } = await world.sh(command, project);
    const result = await world.resultOf(run);
    expect(result).toMatchObject({ outcome, files: [{ path: 'new.txt' }] });
    expect(result.artifacts.map(({ kind }) => kind).sort()).toEqual(['log', 'patch']);
    expect(await git(world.mirror(project), 'rev-parse', `refs/deckhand/tasks/${task}/head`)).toBe(result.commit);
    expect(ofType(await world.eventsOf(run), 'note')).toEqual([]);
  }
});
