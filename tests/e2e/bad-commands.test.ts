import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BadInputWorld, openBadInputWorld } from '../support/bad-input.ts';

let world: BadInputWorld;
beforeAll(async () => {
  world = await openBadInputWorld();
}, 60_000);
afterAll(() => world?.close());

test('a command that fails is told with its exit code or signal and its last lines', { timeout: 120_000 }, async () => {
  await world.expectEnds([
    ['echo out; echo err >&2; exit 3', /✖ failed after \S+ m?s The command ended with exit code 3\. out err demo .* exit code 3/],
    ['kill -SEGV $$', /✖ failed after \S+ m?s The command was ended by SIGSEGV\. demo .* signal SIGSEGV/],
    ['kill -9 $$', /✖ failed after .*The command was ended by SIGKILL\./],
    ['./README.md', /✖ failed .*exit code 126\. .*Permission denied/],
    ['no-such-program --help', /✖ failed .*exit code 127\. .*no-such-program: not found/],
    ['"unclosed', /✖ failed .*exit code 2\. .*Unterminated quoted string/],
    ['exec >&- 2>&-; echo nobody hears this', /✖ failed after .*The command ended with exit code 1\. demo/],
    // It has nothing to read, and ends.
    ['cat', /✔ done in \d+ ms demo/],
    ['echo a\u0000b # with a comment', /✔ done in \d+ ms ab demo/],
    [`echo "${'long '.repeat(4000)}" | wc -c`, /long…? .*✔ done in \d+ ms 20001 demo/],
  ]);
  expect(await world.ada.told('/deckhand sh \u00a0\u2003')).toMatch(/command is missing: what the shell runs\. .* DH-201/);
});

test('of two people who press the same button at once one is told that it is done already', { timeout: 60_000 }, async () => {
  const { ada, ben } = world;
  const number = await ada.sh('echo again; sleep 2; exit 1');
  const end = await ada.end(number);
  const toldBen = async () => (await ben.messages()).filter(({ message }) => message.visible_to !== undefined);
  const toldAda = async () => (await ada.messages()).filter(({ message }) => message.visible_to !== undefined);
  const before = (await toldBen()).length + (await toldAda()).length;
  await Promise.all([ada.press(end, 'Retry'), ben.press(end, 'Retry')]);
  expect((await ada.end(number, { after: 1 })).text).toMatch(/✖ failed after .*exit code 1\. again /);
  const answers = [...(await toldBen()), ...(await toldAda())].slice(0);
  expect(answers.length).toBe(before + 1);
  expect(
    answers.filter(({ text }) =>
      new RegExp(`#${number} is not over: its run is \\w+\\. stop #${number} ends it first`).test(text),
    ),
  ).toHaveLength(1);

  // Buttons act on the newest run, so the card of an earlier one has lost them and says where to look.
  const [first] = (await ada.thread(number)).filter(({ message }) => message.ts === end.message.ts);
  expect(first?.buttons).toEqual([]);
  expect(first?.text).toContain('Run 1 of 2; a later run follows below.');
  await expect(ada.press(end, 'Retry')).rejects.toThrow('element_not_found');
});

test('promise 11: what a command does to its working copy stays in its working copy', { timeout: 180_000 }, async () => {
  const marks = ['hook', 'fsmonitor', 'filter', 'alias'].map((name) => `/tmp/deckhand-${name}-was-here-${process.pid}`);
  const [hook, fsmonitor, filter, alias] = marks;
  const numbers = await world.expectEnds([
    ['for i in $(seq 3000); do echo $i > f$i; done', /✔ done in .*and 2,992 more files.* 3,000 files \+3,000 −0/],
    ['rm -rf .git', /✔ done in/],
    ['rm -rf .git; echo new > new.txt', /✔ done in .*new\.txt \+1/],
    [
      'git checkout -q --orphan other; git rm -rfq .; echo lone > lone.txt; git add .; git -c user.name=x -c user.email=x@x commit -qm x',
      /✔ done in .*lone\.txt \+1/,
    ],
    [
      `mkdir -p .git/hooks; for h in post-commit pre-commit post-checkout post-index-change reference-transaction pre-push; do printf '#!/bin/sh\\ntouch ${hook}\\n' > .git/hooks/$h; chmod +x .git/hooks/$h; done; git config core.fsmonitor 'touch ${fsmonitor}; false'; git config core.hooksPath .git/hooks; git config alias.add '!touch ${alias}'; echo x > hooked.txt; echo '* filter=evil diff=evil' > .gitattributes; git config filter.evil.clean 'touch ${filter}; cat'; git config diff.evil.textconv 'touch ${filter}; cat'; echo y > filtered.txt; git tag -f main; git update-ref refs/heads/result HEAD; git replace HEAD HEAD~0 2>/dev/null; git config core.bare true; true`,
      /✔ done in .*\.gitattributes \+1 .*filtered\.txt \+1 .*hooked\.txt \+1/,
    ],
    ['ln -s /etc/passwd link; ln -s ../../../../../.. up; rm -rf src; ln -s /root src; ln -s loop loop', /✔ done in .*link \+1/],
    ['printf "gitdir: /etc\\n" > g; rm -rf .git; mv g .git; echo z > z.txt', /✔ done in .*z\.txt \+1/],
    ['rm -rf .git; mkfifo .git; mkfifo pipe; echo p > p.txt', /✔ done in .*p\.txt \+1/],
    [
      "(mkdir sub && cd sub && git init -q . && echo s > s.txt && git add . && git -c user.name=x -c user.email=x@x commit -qm s); mkdir 'with space' && echo 1 > 'with space/<!channel> `x` *y*.txt'; printf 2 > \"$(printf 'new\\nline\\033[31m.txt')\"; printf 3 > \"$(printf 'bad\\377utf8')\"",
      /✔ done in .*sub\/s\.txt \+1 .*4 files/,
    ],
    ['echo c > c.txt; chmod -R 000 .; true', /✔ done in .*c\.txt \+1/],
  ]);
  expect(marks.filter((path) => existsSync(path))).toEqual([]);

  // The patch of the symbolic links names their targets, not what is behind them.
  const links = (await world.ada.file(numbers[5] ?? 0, /\.patch$/)).toString();
  expect(links).toContain('+/etc/passwd\n');
  expect(links).not.toContain('root:');
  const named = await world.ada.end(numbers[8] ?? 0);
  expect(JSON.stringify(named.message.blocks)).not.toMatch(/<!channel>/);
});

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
