import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LabMessage } from '../../lab/page-api.ts';
import { type BadInputWorld, openBadInputWorld } from '../support/bad-input.ts';
import type { LabClient } from '../support/lab-client.ts';
import { waitFor } from '../support/wait-for.ts';

let world: BadInputWorld;
let ada: LabClient;
const patience = { timeoutMs: 60_000 };

beforeAll(async () => {
  world = await openBadInputWorld();
  ada = world.ada;
}, 60_000);
afterAll(() => world?.close());

/** The whole output of an ended run, asked for as a person does: with the button Log. */
async function wholeLog(number: number): Promise<Buffer> {
  const end = await ada.end(number);
  await ada.press(end, 'Log');
  return await waitFor('the log of the run', () => ada.file(number, /\.log$/), patience);
}

/** Messages and branches of all that runs have committed. */
function commitsOf(dataDir: string): string {
  const mirrors = join(dataDir, 'mirrors');
  const [mirror = ''] = readdirSync(mirrors).filter((name) => name.endsWith('.git'));
  return execFileSync('git', ['--git-dir', join(mirrors, mirror), 'log', '--all', '--format=%D %B']).toString();
}

/** Everything of a message that Slack would read as markup. */
const raw = (message: LabMessage) => JSON.stringify([message.text, message.blocks]);

test('a megabyte a second is shown in few edits and kept to the last byte', { timeout: 120_000 }, async () => {
  const number = await world.start(
    `node -e 'let n = 0; const t = setInterval(() => { let s = ""; for (let i = 0; i < 10000; i++) s += String(n++).padStart(9, "0") + "\\n"; process.stdout.write(s); if (n >= 400000) clearInterval(t); }, 100)'`,
  );
  await ada.waitFor(new RegExp(`^#${number} .* running .*\\d{9}`), patience);
  const end = await ada.end(number);
  expect(end.text).toMatch(/✔ done in \d+ s Last 12 lines of 400,000, 4\.0 MB; Log has all of them\. .*000399999 /);
  const log = (await wholeLog(number)).toString();
  const lines = log.split('\n');
  expect(lines.length).toBe(400_001);
  expect(lines.findIndex((line, at) => at < 400_000 && line !== String(at).padStart(9, '0'))).toBe(-1);
  const metrics = await (await fetch(`${world.deckhand.url}/metrics`)).text();
  const edits = Number(/calls_total\{platform="slack",operation="edit",outcome="ok"\} (\d+)/.exec(metrics)?.[1]);
  // It lasted four seconds and more; a card is edited about once a second at most.
  expect(edits).toBeLessThan(30);
});

test('output of any shape ends on a card that people can read and in a log that has all of it', {
  timeout: 180_000,
}, async () => {
  const invalid = await world.start(
    `node -e 'process.stdout.write(Buffer.from([0xff,0xfe,0x20,0x6f,0x6b,0x20,0xc3,0x28,0x20,0xe2,0x82,0x0a,0x00,0x07,0x08,0x61,0x0a]))'`,
  );
  const endless = await world.start('node -e \'process.stdout.write("abcdefghij".repeat(500000))\'');
  const wide = await world.start('node -e \'for (let n = 0; n < 2500; n++) console.log(String(n).padStart(2000, "-"))\'');
  const drops = await world.start('i=0; while [ $i -lt 3000 ]; do printf .; i=$((i+1)); done; echo; echo last');
  const bars = await world.start(
    String.raw`node -e 'for (let n = 0; n <= 1000; n++) process.stdout.write("\r\x1b[2K\x1b[32mprogress " + n + "\x1b[0m"); console.log("\x1b]0;title\x07")'`,
  );
  const both = await world.start('for i in $(seq 2000); do echo out $i; echo err $i >&2; done');

  expect((await ada.end(invalid)).text).toMatch(/✔ done in .*�� ok �\( /);
  expect((await ada.end(endless)).text).toMatch(/✔ done in .*abcdefghij/);
  expect((await ada.end(wide)).text).toMatch(/✔ done in .*of 2,500, 5\.0 MB; Log has all of them\./);
  expect((await ada.end(drops)).text).toMatch(/✔ done in .*\.\.\.… last /);
  const shown = (await ada.end(bars)).text;
  expect(shown).toMatch(/✔ done in .* progress 1000 demo/);
  expect(shown).not.toMatch(/progress 99|\\u001b|\[32m|title/);
  expect((await ada.end(both)).text).toMatch(/✔ done in .*of 4,000, /);

  expect((await wholeLog(endless)).toString()).toBe('abcdefghij'.repeat(500_000));
  await ada.waitFor(new RegExp(`^#${endless} run 1 · succeeded .* the last line `), patience);
  const wideLines = (await wholeLog(wide)).toString().trimEnd().split('\n');
  expect(wideLines.map(Number.parseInt).length).toBe(2500);
  expect(wideLines.every((line, at) => line === String(at).padStart(2000, '-'))).toBe(true);
  const mixed = (await wholeLog(both)).toString().trimEnd().split('\n');
  for (const stream of ['out', 'err']) {
    const own = mixed.filter((line) => line.startsWith(stream));
    expect(own).toEqual(Array.from({ length: 2000 }, (_, at) => `${stream} ${at + 1}`));
  }
});

test('promise 11: what a command does to its working copy stays in its working copy', { timeout: 180_000 }, async () => {
  const marks = ['hook', 'fsmonitor', 'filter', 'alias'].map((name) => `/tmp/deckhand-${name}-was-here-${process.pid}`);
  const [hook, fsmonitor, filter, alias] = marks;
  const numbers = await world.expectEnds([
    ['for i in $(seq 3000); do echo $i > f$i; done', /✔ done in .*and 2,992 more files.* 3,000 files \+3,000 −0/],
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
  ]);
  expect(marks.filter((path) => existsSync(path))).toEqual([]);

  // The patch of the symbolic links names their targets, not what is behind them.
  const links = await waitFor('the patch', async () => (await ada.file(numbers[4] ?? 0, /\.patch$/)).toString(), patience);
  expect(links).toContain('+/etc/passwd\n');
  expect(links).not.toContain('root:');
  const named = await ada.end(numbers[7] ?? 0);
  expect(JSON.stringify(named.message.blocks)).not.toMatch(/<!channel>/);
});

/** Ignores every request to end, and leaves another behind that does so too. */
const deaf = 'trap "" TERM INT HUP; (trap "" TERM; setsid sleep 300) & echo read""y; while :; do sleep 1; done';

test('a command that does not end, or not alone, is held to its limits, told which, and what it took is given back', {
  timeout: 180_000,
}, async () => {
  const { ben, settings, start } = world;
  await settings('timeout=3s');
  const endless = await start(deaf);
  await ada.waitFor(new RegExp(`^#${endless} .* (running|ready|timed out)`), { timeoutMs: 30_000 });
  await settings('timeout=30m');

  await world.expectEnds(
    [
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

test('promise 11: output cannot format, mention, link or close the block it is shown in', { timeout: 90_000 }, async () => {
  const number = await world.start(
    String.raw`printf '\74!channel> \74!here> \74@U0000000BEN> \74#C00000DEMO> @ben @channel\n*bold* _it_ ~no~ :tada:\n\140\140\140\nout of the block\n\140\140\140\n\74https://evil.example.com|click> https://evil.example.com &lt;&amp;\n'; exit 1`,
  );
  const end = await ada.end(number);
  expect(end.text).toContain('<!channel> <!here> <@U0000000BEN>');
  for (const { message } of await ada.thread(number)) {
    if (!message.is_bot) continue;
    expect(message.text).not.toMatch(/<!|<@U0000000BEN>|<#|<https:\/\/evil/);
    const types = [...raw(message).matchAll(/"type":"(user|usergroup|broadcast|channel|emoji|link|date)"/g)].map(
      ([, type]) => type,
    );
    expect(types.filter((type) => type !== 'date')).toEqual([]);
    expect(raw(message)).not.toMatch(/"type":"mrkdwn","text":"[^"]*(<!(?!date\^)|<@U0000000BEN>|<#C|<https:\/\/evil)/);
  }
});

test('secrets that a command prints, writes to files or is given are blanked out everywhere people look', {
  timeout: 90_000,
}, async () => {
  const secrets = ['ghp_0123456789abcdefghijABCDEFGHIJ012345', 'AKIAIOSFODNN7EXAMPLE', 'xoxb-1234567890-abcdefghijklmnop'];
  const [github = '', aws = '', slack = ''] = secrets.map((secret) => `${secret.slice(0, 8)}""${secret.slice(8)}`);
  const number = await world.start(
    `echo ${github}; echo ${aws} >&2; printf '%s' ${slack}; echo; echo token=${github} > leaked.txt; exit 1`,
  );
  // Typed with the command itself: the message of a slash command shows to nobody, so its card must not tell it either.
  const typed = await world.start(`echo x > typed.txt; : token=${secrets[0]} ${'and more '.repeat(20)} ${secrets[1]}`);
  const end = await ada.end(number);
  expect(end.text).toContain('[redacted github token]');
  expect((await ada.end(typed)).text).toMatch(/token=\[redacted github token\] .*✔ done in .*typed\.txt \+1 /);
  const log = (await wholeLog(number)).toString();
  const patch = (await ada.file(number, /\.patch$/)).toString();
  expect(patch).toContain('+token=[redacted');
  await ada.slash(`/deckhand show #${typed}`);
  await ada.waitFor(new RegExp(`^#${typed} .*token=\\[redacted github token\\] .* Result: The command succeeded\\.`), patience);
  const seen = JSON.stringify(await ada.state());
  const commits = commitsOf(world.deckhand.dataDir);
  expect(commits).toContain('token=[redacted github token]');
  for (const secret of secrets)
    for (const text of [seen, log, patch, commits, world.deckhand.log.join('\n')]) expect(text).not.toContain(secret);
});

test('afterwards everything works as before', { timeout: 120_000 }, () => world.expectWell());
