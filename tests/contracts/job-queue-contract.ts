import { afterEach, describe, expect, it } from 'vitest';
import { type JobQueue, JobRefused, type JobWorker } from '../../src/contracts/jobs.ts';
import { eventually } from '../support/wait-for.ts';

export interface JobQueueSubject {
  name: string;
  /** A queue of its own on every call with a new name; the same name reaches the same queue. */
  open(name: string, options: { lockMs: number }): Promise<JobQueue>;
}

/** What every backend of the job queue must do. */
export function jobQueueContract(subject: JobQueueSubject): void {
  describe(`${subject.name} as job queue`, () => {
    const open: { queue: JobQueue; workers: JobWorker[] }[] = [];
    let count = 0;

    async function openQueue(name = `contract-${++count}`, lockMs = 30_000) {
      const queue = await subject.open(name, { lockMs });
      const entry = { queue, workers: [] as JobWorker[] };
      open.push(entry);
      return {
        name,
        queue,
        async work(...args: Parameters<JobQueue['work']>) {
          const worker = await queue.work(...args);
          entry.workers.push(worker);
          return worker;
        },
      };
    }

    afterEach(async () => {
      for (const { queue, workers } of open.splice(0)) {
        await Promise.all(workers.map((worker) => worker.stop(0)));
        await queue.close();
      }
    });

    it('hands a published job to a worker', async () => {
      const { queue, work } = await openQueue();
      const seen: string[] = [];
      await work({ 'run.execute': async ({ run }) => void seen.push(run) }, { concurrency: 1 });
      await queue.publish('run.execute', { run: 'run_1' }, { id: 'run_1' });
      await eventually(() => expect(seen).toEqual(['run_1']));
    });

    it('keeps a job until a worker comes', async () => {
      const { queue, work } = await openQueue();
      await queue.publish('run.execute', { run: 'run_1' }, { id: 'run_1' });
      expect(await queue.counts()).toMatchObject({ waiting: 1, active: 0 });
      const seen: string[] = [];
      await work({ 'run.execute': async ({ run }) => void seen.push(run) }, { concurrency: 1 });
      await eventually(() => expect(seen).toEqual(['run_1']));
    });

    it('keeps one job of an id while it waits or is active, and takes it anew once it is done', async () => {
      const { queue, work } = await openQueue();
      await queue.publish('run.execute', { run: 'run_1' }, { id: 'run_1' });
      await queue.publish('run.execute', { run: 'run_1' }, { id: 'run_1' });
      expect(await queue.counts()).toMatchObject({ waiting: 1 });
      let runs = 0;
      const release: (() => void)[] = [];
      const handler = async () => {
        runs += 1;
        await new Promise<void>((resolve) => void release.push(resolve));
      };
      await work({ 'run.execute': handler }, { concurrency: 2 });
      await eventually(() => expect(release).toHaveLength(1));
      await queue.publish('run.execute', { run: 'run_1' }, { id: 'run_1' });
      expect(await queue.counts()).toMatchObject({ waiting: 0, active: 1 });
      release.shift()?.();
      await eventually(async () => expect(await queue.counts()).toEqual({ waiting: 0, delayed: 0, active: 0 }));
      expect(runs).toBe(1);
      await queue.publish('run.execute', { run: 'run_1' }, { id: 'run_1' });
      await eventually(() => expect(release).toHaveLength(1));
      release.shift()?.();
      expect(runs).toBe(2);
    });

    it('runs at most as many jobs at once as it is told, in order of publication', async () => {
      const { queue, work } = await openQueue();
      for (let n = 1; n <= 6; n += 1) await queue.publish('run.execute', { run: `run_${n}` }, { id: `run_${n}` });
      const started: string[] = [];
      const release: (() => void)[] = [];
      await work(
        {
          'run.execute': async ({ run }) => {
            started.push(run);
            await new Promise<void>((resolve) => void release.push(resolve));
          },
        },
        { concurrency: 2 },
      );
      for (let n = 2; n <= 6; n += 1) {
        await eventually(() => expect(started).toHaveLength(n));
        expect(await queue.counts()).toMatchObject({ active: 2 });
        release.shift()?.();
      }
      release.shift()?.();
      expect(started).toEqual(['run_1', 'run_2', 'run_3', 'run_4', 'run_5', 'run_6']);
    });

    it('runs a lower priority number first', async () => {
      const { queue, work } = await openQueue();
      await queue.publish('run.execute', { run: 'late' }, { id: 'late', priority: 5 });
      await queue.publish('run.execute', { run: 'first' }, { id: 'first', priority: 1 });
      const seen: string[] = [];
      await work({ 'run.execute': async ({ run }) => void seen.push(run) }, { concurrency: 1 });
      await eventually(() => expect(seen).toEqual(['first', 'late']));
    });

    it('holds a delayed job back', async () => {
      const { queue, work } = await openQueue();
      const seen: string[] = [];
      await work({ 'run.execute': async ({ run }) => void seen.push(run) }, { concurrency: 1 });
      const before = Date.now();
      await queue.publish('run.execute', { run: 'later' }, { id: 'later', delayMs: 300 });
      await eventually(() => expect(seen).toEqual(['later']));
      expect(Date.now() - before).toBeGreaterThanOrEqual(300);
    });

    it('tries a failed job again, and a refused one not', async () => {
      const { queue, work } = await openQueue();
      const tries: Record<string, number> = {};
      await work(
        {
          'run.execute': async ({ run }) => {
            tries[run] = (tries[run] ?? 0) + 1;
            if (run === 'refused') throw new JobRefused('never again');
            if (tries[run] === 1) throw new Error('the first try fails');
          },
        },
        { concurrency: 2 },
      );
      await queue.publish('run.execute', { run: 'refused' }, { id: 'refused' });
      await queue.publish('run.execute', { run: 'flaky' }, { id: 'flaky' });
      await eventually(() => expect(tries).toEqual({ refused: 1, flaky: 2 }));
      await eventually(async () => expect(await queue.counts()).toEqual({ waiting: 0, delayed: 0, active: 0 }));
    });

    it('hands what is for a host to who works there, and to nobody else', async () => {
      const { queue, work } = await openQueue();
      const seen: string[] = [];
      const at = (host: string | undefined) =>
        work({ 'run.execute': async ({ run }) => void seen.push(`${host} ${run}`) }, { concurrency: 1, host });
      await queue.publish('run.execute', { run: 'run_1' }, { id: 'run_1', host: 'host-a' });
      expect(await queue.counts()).toMatchObject({ waiting: 1 });
      await at('host-b');
      await at(undefined);
      await queue.publish('run.execute', { run: 'run_2' }, { id: 'run_2', host: 'host-b' });
      await queue.publish('run.execute', { run: 'run_3' }, { id: 'run_3' });
      await eventually(() => expect([...seen].sort()).toEqual(['host-b run_2', 'undefined run_3']));
      expect(await queue.counts()).toMatchObject({ waiting: 1 });
      await at('host-a');
      await eventually(() => expect(seen).toHaveLength(3));
      expect(seen.at(-1)).toBe('host-a run_1');
    });

    it('counts what waits, is for later and runs at all hosts, also what another process has published for them', async () => {
      const { name, queue, work } = await openQueue();
      const other = await openQueue(name);
      await queue.publish('run.execute', { run: 'run_1' }, { id: 'run_1', host: 'host-a' });
      await queue.publish('run.execute', { run: 'run_2' }, { id: 'run_2', host: 'host-b', priority: 3 });
      await queue.publish('run.execute', { run: 'run_3' }, { id: 'run_3', host: 'host-b', delayMs: 600_000 });
      await queue.publish('project.sync', { project: 'prj_1' }, { id: 'prj_1' });
      expect(await other.queue.counts()).toEqual({ waiting: 3, delayed: 1, active: 0 });
      expect(await queue.counts()).toEqual({ waiting: 3, delayed: 1, active: 0 });
      const held = Promise.withResolvers<void>();
      await work({ 'run.execute': () => held.promise }, { concurrency: 1, host: 'host-a' });
      await eventually(async () => expect(await other.queue.counts()).toEqual({ waiting: 2, delayed: 1, active: 1 }));
      held.resolve();
    });

    it('rejects data that do not fit the job', async () => {
      const { queue } = await openQueue();
      await expect(queue.publish('run.execute', {} as { run: string }, { id: 'x' })).rejects.toThrow();
    });

    it('stops by aborting the signal after the grace time, and gives the job to another worker', async () => {
      const first = await openQueue();
      const aborted: unknown[] = [];
      const worker = await first.work(
        {
          'run.execute': (_data, signal) =>
            new Promise<void>((_resolve, reject) => {
              signal.addEventListener('abort', () => {
                aborted.push(signal.reason);
                reject(new Error('given up'));
              });
            }),
        },
        { concurrency: 1 },
      );
      await first.queue.publish('run.execute', { run: 'run_1' }, { id: 'run_1' });
      await eventually(async () => expect(await first.queue.counts()).toMatchObject({ active: 1 }));
      await worker.stop(10);
      expect(aborted).toHaveLength(1);
      const seen: string[] = [];
      const second = await openQueue(first.name);
      await second.work({ 'run.execute': async ({ run }) => void seen.push(run) }, { concurrency: 1 });
      await eventually(() => expect(seen).toEqual(['run_1']));
    });

    it('does not let a project.sync wait behind runs', async () => {
      const { queue, work } = await openQueue();
      const seen: string[] = [];
      const held = Promise.withResolvers<void>();
      await work(
        {
          'run.execute': () => held.promise,
          'project.sync': async ({ project }) => void seen.push(project),
        },
        { concurrency: 1 },
      );
      await queue.publish('run.execute', { run: 'long' }, { id: 'long' });
      await eventually(async () => expect(await queue.counts()).toMatchObject({ active: 1 }));
      await queue.publish('project.sync', { project: 'prj_1' }, { id: 'prj_1' });
      await eventually(() => expect(seen).toEqual(['prj_1']));
      held.resolve();
    });
  });
}
