import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BadInputWorld, openBadInputWorld } from '../support/bad-input.ts';

let world: BadInputWorld;
beforeAll(async () => {
  world = await openBadInputWorld();
}, 60_000);
afterAll(() => world?.close());

/** Ignores every request to end, and leaves another behind that does so too. */
const deaf = 'trap "" TERM INT HUP; (trap "" TERM; setsid sleep 300) & echo read""y; while :; do sleep 1; done';

test('a command that takes all it can get is held to its limits, told which, and what it took is given back', {
  timeout: 180_000,
}, async () => {
  const { ada, ben, settings, start } = world;
  await settings('timeout=3s');
  const endless = await start(deaf);
  await ada.waitFor(new RegExp(`^#${endless} .* (running|ready|timed out)`), { timeoutMs: 30_000 });
  await settings('timeout=30m');

  await world.expectEnds(
    [
      [
        'node -e "const all = []; for (;;) all.push(Buffer.alloc(200e6, 1))"',
        /✖ failed after .* The command needed more than 2 GiB of memory\. Run it with less at once.* DH-303 .*exit code 137/,
      ],
      [
        'echo "fill*" > .gitignore; for i in 1 2; do fallocate -l 1900M fill$i; done; dd if=/dev/zero of=fill3 bs=1M',
        /✖ failed after .* The working copy is full: it may hold 4 GiB, the repository included\. .* DH-304 .*No space left on device/,
      ],
      [
        'yes 0123456789abcdef',
        /✖ failed after .*The command wrote more than 64 MiB of output and was stopped\. Write less.* DH-302 Last 20 lines of /,
      ],
      [
        'bomb() { bomb | bomb & }; bomb; sleep 1; echo over',
        /Cannot fork .*The command reached the limit of 256 processes and threads at once; further ones could not start\./,
      ],
      // What it leaves behind ends with it.
      ['(trap "" TERM HUP; exec setsid sleep 300) & echo left one behind', /✔ done in \S+ m?s left one behind /],
    ],
    async () => {
      const stubborn = await ada.sh(deaf);
      const card = await ada.waitFor(new RegExp(`^#${stubborn} .* ready`), { button: 'Stop', timeoutMs: 90_000 });
      await Promise.all([ada.press(card, 'Stop'), ben.press(card, 'Stop'), ada.press(card, 'Stop')]);
      expect((await ada.end(stubborn)).text).toMatch(/○ cancelled after \d+ s The command was stopped by (Ada|Ben)\. ready /);
      expect(await ada.told(`/deckhand stop #${stubborn}`)).toMatch(/is not running\. retry #\d+ runs it again\. DH-300/);
      expect((await ada.thread(stubborn)).filter(({ text }) => text.includes('The command was stopped by '))).toHaveLength(1);
    },
  );
  expect((await ada.end(endless)).text).toMatch(
    /✖ timed out after \d+ s The command ran longer than 3 s and was stopped\. Run it with less to do, or let a maintainer raise the time limit of the project: settings timeout=2h .* DH-301 ready /,
  );
});

test('afterwards everything works as before', { timeout: 120_000 }, () => world.expectWell());
