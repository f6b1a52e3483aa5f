import type { PublishWhat } from '../../src/contracts/publication.ts';
import type { PublishControl, PublishSpec } from '../../src/contracts/publish-control.ts';
import type { RunResult } from '../../src/contracts/run-event.ts';
import type { Person, PublishOutcome } from '../../src/tasks/task-engine.ts';
import type { TestEngine, TestWorld } from './test-engine.ts';

export const commitOne = '1'.repeat(40);
export const commitTwo = '2'.repeat(40);
export const treeOne = 'a'.repeat(40);

/** A run that has ended with a change. */
export async function changed(
  deckhand: TestEngine,
  world: TestWorld,
  runner: string,
  result: Partial<RunResult> = {},
  command = 'npm run fix',
): Promise<{ task: string; number: number; run: string }> {
  const created = await deckhand.create(world, command);
  await endWithChange(deckhand, created.run, runner, result);
  return created;
}

export async function endWithChange(
  deckhand: TestEngine,
  run: string,
  runner: string,
  result: Partial<RunResult> = {},
): Promise<void> {
  await deckhand.execute(run, runner);
  await deckhand.runs.pinBase(run, runner, { branch: 'main', commit: '0'.repeat(40) });
  const files = [{ path: 'src/session.ts', added: 28, removed: 5 }];
  await deckhand.finish(run, runner, { commit: commitOne, tree: treeOne, repository: 'acme/web', files, ...result });
}

/** What people and runners do about changes; `host` is that of the runners. */
export function publishing(deckhand: TestEngine, host: string) {
  const control: PublishControl = deckhand.engine.publishing;
  return {
    control,
    /** What a runner is given; undefined: nothing. */
    take: (runner: string, except: readonly string[] = []) => control.claim(host, runner, except),
    push: (run: string, by: Person, what: PublishWhat = 'push'): Promise<PublishOutcome> =>
      deckhand.tx((tx) => deckhand.engine.tasks.publish(tx, { run, what, by, on: 'slack' })),
    discard: (run: string, by: Person) => deckhand.tx((tx) => deckhand.engine.tasks.discard(tx, run, by)),
    async claim(runner: string, except: readonly string[] = []): Promise<PublishSpec> {
      const spec = await control.claim(host, runner, except);
      if (spec === undefined) throw new Error('nothing to publish');
      return spec;
    },
    stateOf: async (publication: string) =>
      (await deckhand.db.publication.findUniqueOrThrow({ where: { id: publication } })).state,
    async told(run: string) {
      return (await deckhand.events(run)).flatMap((event) => (event.type === 'publication' ? [event] : []));
    },
  };
}
