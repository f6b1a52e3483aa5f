import { expect } from 'vitest';
import { type DeckhandProcess, startDeckhand } from './deckhand-process.ts';
import { expectHealthy } from './health.ts';
import { newInstallation } from './installation.ts';
import { LabClient, type Told } from './lab-client.ts';
import { eventually } from './wait-for.ts';

/** Conversations take turns: each has its own budget of messages a second. */
const channels = ['demo', 'ops', 'dm'];
const patience = { timeoutMs: 60_000 };
const ended = /(✔ done|✖ failed|✖ timed out|✖ interrupted|○ cancelled)( in| after)?/;

/** A command and how the card at its end reads. */
export type Expected = readonly [command: string, end: RegExp];

/** The whole program on real containers, with conversations in which everything runs without asking. */
export interface BadInputWorld {
  deckhand: DeckhandProcess;
  ada: LabClient;
  ben: LabClient;
  /** Changes settings of the project and waits until the answer shows them. */
  settings(change: string): Promise<void>;
  /**
   * Runs all commands, side by side as far as there are places, and compares how each ends. `meanwhile` happens when all have been
   * accepted. Resolves with the numbers of the tasks.
   */
  expectEnds(expected: readonly Expected[], meanwhile?: () => Promise<void>): Promise<number[]>;
  start(command: string): Promise<number>;
  /** A normal command passes, every part works, every card is final, nothing is left of any run. */
  expectWell(): Promise<void>;
  close(): Promise<void>;
}

export async function openBadInputWorld(): Promise<BadInputWorld> {
  const installation = await newInstallation();
  const deckhand = await startDeckhand(installation.path, { ...installation.settings, SANDBOX: 'docker' });
  const ada = new LabClient(deckhand.url, 'ada');
  const ben = new LabClient(deckhand.url, 'ben');
  let turn = 0;

  async function settings(change: string): Promise<void> {
    const shown = async () => (await ada.messages()).filter(({ text }) => text.startsWith('Settings of')).length;
    const before = await shown();
    await ada.slash(`/deckhand settings ${change}`);
    await eventually(async () => expect(await shown()).toBeGreaterThan(before), patience);
  }

  function start(command: string): Promise<number> {
    turn += 1;
    return ada.sh(command, channels[turn % channels.length]);
  }

  await ada.slash('/deckhand bind demo role=developer', 'ops');
  await settings('policy=yolo concurrency=4');

  return {
    deckhand,
    ada,
    ben,
    settings,
    start,
    async expectEnds(expected, meanwhile) {
      const numbers: number[] = [];
      for (const [command] of expected) numbers.push(await start(command));
      await meanwhile?.();
      for (const [index, [command, end]] of expected.entries()) {
        const told = await ada.end(numbers[index] ?? 0, { timeoutMs: 120_000 });
        expect([command, told.text]).toEqual([command, expect.stringMatching(end)]);
        expect(told.text).not.toMatch(/undefined|\{\w+\}|\[object/);
      }
      return numbers;
    },
    async expectWell() {
      await expectHealthy(deckhand, ada);
      expect(await ada.told('/deckhand doctor')).toMatch(/^Every part works /);
      await eventually(async () => expect((await liveCards(ada)).filter(({ text }) => !ended.test(text))).toEqual([]), patience);
      expect((await liveCards(ada)).flatMap(({ buttons }) => buttons)).toEqual([]);
    },
    async close() {
      await deckhand.end('SIGTERM');
      await installation.remove();
    },
  };
}

/** The cards that are edited while their tasks run. */
async function liveCards(person: LabClient): Promise<Told[]> {
  const all = await person.messages();
  return all.filter(
    ({ text, message: { ts, thread_ts: thread, visible_to: one } }) =>
      /^#\d+ /.test(text) && (thread ?? ts) === ts && one === undefined,
  );
}
