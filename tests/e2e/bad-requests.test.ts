import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DeckhandProcess, startDeckhand } from '../support/deckhand-process.ts';
import { expectHealthy } from '../support/health.ts';
import { type Installation, newInstallation } from '../support/installation.ts';
import { LabClient } from '../support/lab-client.ts';
import { eventually } from '../support/wait-for.ts';

let installation: Installation;
let deckhand: DeckhandProcess;
let ada: LabClient;
let ben: LabClient;
let gus: LabClient;
const patience = { timeoutMs: 30_000 };

beforeAll(async () => {
  installation = await newInstallation();
  deckhand = await startDeckhand(installation.path, { ...installation.settings, SANDBOX: 'local' });
  ada = new LabClient(deckhand.url, 'ada');
  ben = new LabClient(deckhand.url, 'ben');
  gus = new LabClient(deckhand.url, 'gus');
  await settings('policy=yolo');
}, 60_000);

afterAll(async () => {
  await deckhand?.end('SIGTERM');
  await installation?.remove();
});

/** Changes settings and waits until the answer shows them. */
async function settings(change: string): Promise<void> {
  const shown = async () => (await ada.messages()).filter(({ text }) => text.startsWith('Settings of')).length;
  const before = await shown();
  await ada.slash(`/deckhand settings ${change}`);
  await eventually(async () => expect(await shown()).toBeGreaterThan(before), patience);
}

test('what is no command or does not fit is answered to the person alone: what was wrong and a right example', async () => {
  const answers: [line: string, answer: RegExp][] = [
    ['/deckhand frobnicate', /There is no command frobnicate \. help lists all commands\. DH-200/],
    ['/deckhand stpo #1', /There is no command stpo \. Did you mean stop \?/],
    ['/deckhand sh', /command is missing: what the shell runs\. For example: sh npm test DH-201/],
    ['/deckhand stop', /stop needs a task here, because this is not the thread of one\. Name it: stop #142 \. DH-207/],
    ['/deckhand stop #99', /There is no task #99\. tasks lists the tasks of this channel\. DH-204/],
    ['/deckhand logs seven', /seven is not a task number\. For example: logs #142 DH-201/],
    ['/deckhand settings timeout=banana', /banana is not a length of time.* For example: settings .*timeout=20m.* DH-201/],
    [
      '/deckhand settings allow+="npm test',
      /The quote in allow\+="npm test is not closed\. For example: settings .*allow\+="npm test"/,
    ],
    ['/deckhand settings polcy=yolo', /settings has no option polcy \. Did you mean policy \?/],
    ['/deckhand sh project=nope echo x', /There is no project nope \. project list shows the projects/],
    ['/deckhand bind nope', /There is no project nope \./],
    ['/deckhand project remove nope', /There is no project nope \./],
    ['/deckhand member role @nobody guest', /Nobody named nobody has written to Deckhand yet\..* DH-210/],
    ['/deckhand member role @ada guest', /Ada is the only owner\./],
    ['/deckhand claim 123-456', /Deckhand has an owner already\./],
  ];
  for (const [line, answer] of answers) expect([line, await ada.told(line)]).toEqual([line, expect.stringMatching(answer)]);
  expect(await gus.told('/deckhand sh echo hi')).toMatch(
    /Gus may not run commands\. Developers, maintainers and owners can: Ada, Ben\. DH-202/,
  );
  expect(await ben.told('/deckhand settings policy=yolo')).toMatch(
    /Ben may not change settings\. Maintainers and owners can: Ada\./,
  );
  expect(await ada.told('/deckhand sh echo x', 'ops')).toMatch(
    /This channel has no project.* A maintainer binds it with bind <project>/,
  );
});

test('a command that fails is told with its exit code or signal and its last lines', { timeout: 120_000 }, async () => {
  await settings('concurrency=4');
  const ends: [command: string, end: RegExp][] = [
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
  ];
  const numbers: number[] = [];
  // Conversations take turns: each has its own budget of messages a second.
  for (const [index, [command]] of ends.entries()) numbers.push(await ada.sh(command, index % 2 === 0 ? 'demo' : 'dm'));
  for (const [index, [command, end]] of ends.entries()) {
    const told = await ada.end(numbers[index] ?? 0, { timeoutMs: 60_000 });
    expect([command, told.text]).toEqual([command, expect.stringMatching(end)]);
    expect(told.text).not.toMatch(/undefined|\{\w+\}|\[object/);
  }
  expect(await ada.told('/deckhand sh \u00a0\u2003')).toMatch(/command is missing: what the shell runs\. .* DH-201/);
});

test('of two people who press the same button at once one is told that it is done already', { timeout: 60_000 }, async () => {
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

test('a message that is nearly a command is no work for an agent', async () => {
  await ada.say('@Deckhand bord please');
  await ada.waitFor(/There is no command bord[\s\S]*Did you mean board[\s\S]*DH-200/, patience);
});

test('a repository that cannot be used is told on the card of the project, with the reason and what to do', {
  timeout: 120_000,
}, async () => {
  const at = (name: string) => join(installation.path, name);
  const git = (dir: string, ...args: string[]) =>
    execFileSync('git', ['-C', dir, '-c', 'user.name=T', '-c', 'user.email=t@example.com', ...args], { stdio: 'ignore' });
  for (const name of ['plain', 'empty', 'broken', 'whole']) mkdirSync(at(name));
  writeFileSync(at('a-file'), 'no directory');
  for (const name of ['empty', 'broken', 'whole']) git(at(name), 'init', '-q', '-b', 'main');
  for (const name of ['broken', 'whole']) git(at(name), 'commit', '-q', '--allow-empty', '-m', 'first');
  writeFileSync(at('broken/.git/refs/heads/main'), '0123456789012345678901234567890123456789\n');

  const cards: [source: string, card: RegExp][] = [
    ['https://127.0.0.1:9/x.git', /not reachable .*127\.0\.0\.1:9\/x\.git does not answer: Failed to connect.*DH-500/],
    ['https://no-such-host.invalid/x.git', /not reachable .*does not answer: its host name is not known\. .*DH-500/],
    ['ssh://git@127.0.0.1:9/x.git', /not reachable .*does not answer.*DH-500/],
    [at('nothing'), /not reachable .*the directory does not exist on this machine\. .*DH-501/],
    [at('a-file'), /not reachable .*is not a git repository.*DH-501/],
    [at('plain'), /not reachable .*is not a git repository.* Check the address.*DH-501/],
    [at('empty'), /not reachable .*has no commit yet.* Make a first commit.*DH-503/],
    [at('broken'), /not reachable .*(cannot be read|is not a git repository).*DH-50\d/],
  ];
  for (const [index, [source]] of cards.entries()) await ada.slash(`/deckhand project add p${index} ${source}`);
  for (const [index, [source, card]] of cards.entries()) {
    const told = await ada.waitFor(new RegExp(`^Project p${index} ✖`), patience);
    expect([source, told.text]).toEqual([source, expect.stringMatching(card)]);
    expect(told.text).not.toMatch(/fatal:|undefined|\{\w+\}/);
  }

  const refused: [source: string, answer: RegExp][] = [
    ['not-a-url', /it is neither a URL, nor user@host:path, nor the full path of a directory\..* DH-505/],
    ['file:///etc', /file:\/\/ is not one of https, ssh, git and http/],
    ['"ext::sh -c id"', /is not used as the address of a repository/],
    ['ext::id', /is not used as the address of a repository/],
    ['--upload-pack=/bin/sh', /DH-(201|505)/],
    ['https://user:secret@example.com/x.git', /DH-218/],
  ];
  for (const [source, answer] of refused) {
    const told = await ada.told(`/deckhand project add bad ${source}`);
    expect([source, told]).toEqual([source, expect.stringMatching(answer)]);
  }

  // One that was fine when it was added and went away ends the task with the same words.
  await ada.slash(`/deckhand project add gone ${at('whole')}`);
  await ada.waitFor(/^Project gone ✔ ready/, patience);
  await settings('project=gone policy=yolo');
  await settings('branch=nope');
  const nope = await ada.end(await ada.sh('echo hi'));
  expect(nope.text).toMatch(/failed .*has no branch nope \. Push the branch, or set another base branch.* DH-502/);
  expect(await ada.told('/deckhand project list')).toMatch(/demo .*nope/);
  await settings('branch=default');
  execFileSync('mv', [at('whole'), at('moved')]);
  const orphan = await ada.sh('project=gone echo hi');
  const gone = await ada.end(orphan);
  expect(gone.text).toMatch(/failed .*the directory does not exist on this machine.* DH-501/);
  expect(gone.buttons).toContain('Retry');
  execFileSync('mv', [at('moved'), at('whole')]);
  await ada.press(gone, 'Retry');
  expect((await ada.end(orphan, { after: 1 })).text).toMatch(/done in .* hi /);
});

test('what cannot be done to a task that runs is refused with what can', { timeout: 120_000 }, async () => {
  const number = await ada.sh('echo be""gun; sleep 60; echo nev""er');
  const card = await ada.waitFor(new RegExp(`^#${number} .*begun`), { button: 'Stop', ...patience });
  expect(await ada.told(`/deckhand retry #${number}`)).toMatch(
    new RegExp(`#${number} is not over: its run is executing\\. stop #${number} ends it first\\. DH-300`),
  );
  expect(await ada.told(`/deckhand move #${number} done`)).toMatch(
    /cannot be moved: its run is executing\. stop #\d+ ends it first/,
  );
  expect(await ada.told('/deckhand project remove demo')).toMatch(
    /demo has 1 task that is not over\. tasks open project=demo lists them; stop them first/,
  );
  await gus.press(card, 'Stop');
  await gus.waitFor(/Gus may not stop tasks\./, patience);

  // Both at once: it is stopped once, whoever came second is told so.
  await Promise.all([ada.press(card, 'Stop'), ben.press(card, 'Stop')]);
  const end = await ada.end(number);
  expect(end.text).toMatch(/cancelled after .*The command was stopped by (Ada|Ben)\. .*begun/);
  expect(end.text).not.toContain('never');
  expect(await ada.told(`/deckhand stop #${number}`)).toMatch(
    new RegExp(`#${number} is not running\\. retry #${number} runs it again\\. DH-300`),
  );
  expect((await ada.thread(number)).filter(({ text }) => text.includes('The command was stopped by '))).toHaveLength(1);
  await eventually(async () => expect((await ada.card(number)).text).toMatch(/○ cancelled/), patience);
});

test('promise 7: a command with invisible characters is shown with them written out, a long one is attached whole', {
  timeout: 120_000,
}, async () => {
  await settings('policy=ask');
  const hidden = await ada.sh('echo a\u202Eb\u200Bc; echo d\u0000e');
  const request = await ada.waitFor(new RegExp(`^#${hidden} wants`), { button: 'Deny', ...patience });
  expect(request.text).toContain('echo a⟨U+202E⟩b⟨U+200B⟩c');
  expect(request.text).toContain('Hidden characters: U+202E, U+200B');
  await ada.press(request, 'Deny');
  expect((await ada.end(hidden)).text).toMatch(/cancelled .*Ada denied/);

  const long = `echo ${'abc '.repeat(2900)}; echo the-end`;
  const number = await ada.sh(long);
  const attached = await ada.waitFor(new RegExp(`^#${number} wants`), { button: 'Approve', ...patience });
  expect(attached.text).toMatch(
    /The whole command, 1 line and 12 kB, is in the attached \d+-command\.sh\. Read it before you decide\./,
  );
  await eventually(async () => expect((await ada.file(number, /-command\.sh$/)).toString().trimEnd()).toBe(long), patience);
  await ada.press(attached, 'Approve');
  const end = await ada.end(number);
  expect(end.text).toMatch(/done in /);
  expect(end.text).toContain('the-end');
  await settings('policy=yolo');
});

test('afterwards everything works as before', { timeout: 120_000 }, () => expectHealthy(deckhand, ada));
