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
    ['"  "', /✖ failed .*exit code 127\. .*: not found/],
    ['exec >&- 2>&-; echo nobody hears this', /✖ failed after .*The command ended with exit code 1\. demo/],
    // They do nothing, and end.
    ['cat', /✔ done in \d+ ms demo/],
    ['# only a comment', /✔ done in \d+ ms demo/],
    ['echo a\u0000b', /✔ done in \d+ ms ab demo/],
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
    ['for i in $(seq 30000); do echo $i > f$i; done', /✔ done in .*and 29,992 more files.* 30,000 files \+30,000 −0/],
    ['rm -rf .git', /✔ done in/],
    ['rm -rf .git; echo new > new.txt', /✔ done in .*new\.txt \+1/],
    [
      'git checkout -q --orphan other; git rm -rfq .; echo lone > lone.txt; git add .; git -c user.name=x -c user.email=x@x commit -qm x',
      /✔ done in .*lone\.txt \+1/,
    ],
    [
      `mkdir -p .git/hooks; for h in post-commit pre-commit post-checkout post-index-change reference-transaction pre-push; do printf '#!/bin/sh\\ntouch ${hook}\\n' > .git/hooks/$h; chmod +x .git/hooks/$h; done; git config core.fsmonitor 'touch ${fsmonitor}; false'; git config core.hooksPath .git/hooks; git config alias.add '!touch ${alias}'; echo x > hooked.txt`,
      /✔ done in .*hooked\.txt \+1/,
    ],
    [
      `echo '* filter=evil diff=evil' > .gitattributes; git config filter.evil.clean 'touch ${filter}; cat'; git config diff.evil.textconv 'touch ${filter}; cat'; echo y > filtered.txt`,
      /✔ done in .*filtered\.txt \+1/,
    ],
    ['ln -s /etc/passwd link; ln -s ../../../../../.. up; rm -rf src; ln -s /root src; ln -s loop loop', /✔ done in .*link \+1/],
    ['printf "gitdir: /etc\\n" > g; rm -rf .git; mv g .git; echo z > z.txt', /✔ done in .*z\.txt \+1/],
    ['rm -rf .git; mkfifo .git; mkfifo pipe; echo p > p.txt', /✔ done in .*p\.txt \+1/],
    [
      'mkdir sub && cd sub && git init -q . && echo s > s.txt && git add . && git -c user.name=x -c user.email=x@x commit -qm s',
      /✔ done in .*sub\/s\.txt \+1/,
    ],
    [
      "mkdir 'with space' && echo 1 > 'with space/<!channel> `x` *y*.txt'; printf 2 > \"$(printf 'new\\nline\\033[31m.txt')\"; printf 3 > \"$(printf 'bad\\377utf8')\"",
      /✔ done in .*3 files/,
    ],
    ['echo c > c.txt; chmod -R 000 .; true', /✔ done in .*c\.txt \+1/],
    [
      'git tag -f main; git update-ref refs/heads/result HEAD; git replace HEAD HEAD~0 2>/dev/null; git config core.bare true; echo t > t.txt',
      /✔ done in .*t\.txt \+1/,
    ],
  ]);
  expect(marks.filter((path) => existsSync(path))).toEqual([]);

  // The patch of the symbolic links names their targets, not what is behind them.
  const links = (await world.ada.file(numbers[6] ?? 0, /\.patch$/)).toString();
  expect(links).toContain('+/etc/passwd\n');
  expect(links).not.toContain('root:');
  const named = await world.ada.end(numbers[10] ?? 0);
  expect(JSON.stringify(named.message.blocks)).not.toMatch(/<!channel>/);
});

test('afterwards everything works as before', { timeout: 120_000 }, () => world.expectWell());
