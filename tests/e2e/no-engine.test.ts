import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DeckhandProcess, type Program, runDeckhand, startDeckhand } from '../support/deckhand-process.ts';
import { type Installation, newInstallation } from '../support/installation.ts';
import { LabClient } from '../support/lab-client.ts';
import { leftOfRuns, processesOf } from '../support/machine-traces.ts';
import { createSocketRelay, type SocketRelay } from '../support/socket-relay.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

/** One installation and its lives, each with settings of its own, whose container engine is behind the relay. */
let dataDir: Installation;
let relay: SocketRelay;
let life: { deckhand: DeckhandProcess; ada: LabClient; settings: string } | undefined;
const programs: Program[] = [];
const patience = { timeoutMs: 30_000, everyMs: 100 };

beforeAll(async () => {
  dataDir = await newInstallation();
  relay = createSocketRelay(join(dataDir.path, 'engine.sock'), '/var/run/docker.sock');
});

afterAll(async () => {
  for (const program of programs) await program.end('SIGTERM');
  await relay.cut();
  for (const { pid } of processesOf(dataDir.path)) process.kill(pid, 'SIGKILL');
  await eventually(() => expect(processesOf(dataDir.path)).toEqual([]), patience);
  await dataDir.remove();
}, 60_000);

/** Deckhand with these settings: the one that runs, or a next life. */
async function alive(settings: Record<string, string>): Promise<{ deckhand: DeckhandProcess; ada: LabClient }> {
  const wanted = JSON.stringify(settings);
  if (life?.settings !== wanted) {
    await endLife();
    const deckhand = await startDeckhand(dataDir.path, { ...dataDir.settings, DOCKER_HOST: relay.address, ...settings });
    programs.push(deckhand);
    life = { deckhand, ada: new LabClient(deckhand.url, 'ada'), settings: wanted };
  }
  return life;
}

/** Ends the life there is. */
async function endLife(): Promise<void> {
  const last = life?.deckhand;
  life = undefined;
  if (last !== undefined) expect(await last.end('SIGTERM')).toBe(0);
}

async function doctor(settings: Record<string, string>): Promise<{ code: number | null; text: string }> {
  const program = runDeckhand(['doctor'], dataDir.path, { ...dataDir.settings, DOCKER_HOST: relay.address, ...settings });
  programs.push(program);
  const code = await program.ended;
  return { code, text: program.log.join('\n') };
}

/** What the log warns of about sandboxes at the start. */
function notices(deckhand: DeckhandProcess): unknown[] {
  return deckhand.logged(/^Commands /).map(({ level, msg }) => `${level}: ${msg}`);
}

async function readiness(deckhand: DeckhandProcess): Promise<unknown> {
  const response = await fetch(`${deckhand.url}/readyz`);
  return [response.status, ((await response.json()) as { status: unknown }).status];
}

async function cardSays(ada: LabClient, task: number, pattern: RegExp): Promise<void> {
  await eventually(async () => expect((await ada.card(task)).text).toMatch(pattern), patience);
}

/** From now on commands run without an approval (`yolo`), or ask. */
async function policy(ada: LabClient, mode: 'yolo' | 'ask'): Promise<void> {
  const shown = async () => (await ada.messages()).filter(({ text }) => text.startsWith('Settings of demo')).length;
  const before = await shown();
  await ada.slash(`/deckhand settings policy=${mode} concurrency=4`);
  await eventually(async () => expect(await shown()).toBeGreaterThan(before), patience);
}

/** A command that goes on until it is stopped. */
const counts = 'i=0; while sleep 0.2; do i=$((i+1)); echo step $i; done';
/** Commands run in containers, and nowhere else. */
const contained = { SANDBOX: 'docker' };
const missing = { SANDBOX_IMAGE: 'deckhand-no-such-image:1' };
const away = /container engine does not answer; it must be started on the machine of the runner\./;

test('without a container engine everything works, and it is said everywhere that nothing is isolated', {
  timeout: 240_000,
}, async () => {
  const { deckhand, ada } = await alive({});
  expect(notices(deckhand)).toEqual([
    expect.stringMatching(
      /^warn: Commands run WITHOUT isolation.*no container engine answers \(connect ENOENT .*engine\.sock\)\. Start /,
    ),
  ]);
  expect(await readiness(deckhand)).toEqual([200, 'ready']);
  expect(await ada.told('/deckhand about')).toContain('not isolated');

  // Asked for, decided, done: each of the three messages says it.
  const stamp = await ada.sh('npm run stamp');
  const request = await ada.waitFor(/wants to run a command/, { button: 'Approve', ...patience });
  expect(request.text).toMatch(/where: .*not isolated *, the network of the machine .*risk: not isolated/);
  await ada.press(request, 'Approve');
  expect((await ada.end(stamp)).text).toMatch(/✔ done in .*README\.md is stamped.*sandbox local, not isolated/);
  await cardSays(ada, stamp, /✔ done in .*sandbox local, not isolated/);
  await ada.waitFor(/wanted to run a command .*Ada approved it .*not isolated/, patience);

  await policy(ada, 'yolo');
  const slow = await ada.sh('npm run slow');
  await cardSays(ada, slow, /running.*sandbox local, not isolated.*starting on this machine, not isolated.*step 1 of 120/);
  await ada.slash(`/deckhand stop #${slow}`);
  expect((await ada.end(slow)).text).toMatch(/○ cancelled after .*sandbox local, not isolated/);
  await eventually(async () => expect(await leftOfRuns(dataDir.path)).toEqual([]), patience);

  const inChat = await ada.told('/deckhand doctor');
  expect(inChat).toMatch(/2 of \d+ parts need attention/);
  expect(inChat).toMatch(/⏸ sandbox docker · engine: .*Commands run without isolation instead\. Start the engine/);
  expect(inChat).toMatch(
    /⏸ sandbox local · isolation: None: .*no limits of memory, CPU, processes and disk\. Let commands run in containers/,
  );
  const onTerminal = await doctor({ PORT: new URL(deckhand.url).port });
  expect(onTerminal.code).toBe(0);
  expect(onTerminal.text).toMatch(/^▸ sandbox docker +engine: .*\n +Start the engine, or set DOCKER_HOST/m);
  expect(onTerminal.text).toMatch(/^▸ sandbox local +isolation: None: .*\n +Let commands run in containers: SANDBOX=docker/m);
  expect(onTerminal.text).toContain('0 failed, 2 to look at');

  // One that comes later is used from the next start on.
  await relay.mend();
  expect(await ada.told('/deckhand doctor')).toMatch(
    /⏸ sandbox local · .*⏸ sandbox · A container engine answers now, .*still run without isolation\. Start Deckhand again\..*✔ sandbox docker · /,
  );
  expect((await ada.end(await ada.sh('git status'))).text).toMatch(/✔ done in .*sandbox local, not isolated/);
});

test('with SANDBOX=docker, runs wait for the engine, say so, and go on when it answers', { timeout: 240_000 }, async () => {
  await endLife();
  await relay.cut();
  expect(await doctor(contained)).toEqual({
    code: 1,
    text: expect.stringMatching(/^✖ sandbox docker +engine: .*does not answer/m),
  });
  const first = await alive(contained);
  expect(notices(first.deckhand)).toEqual([expect.stringMatching(/^warn: Commands CANNOT RUN yet: no container engine answers/)]);
  expect(await readiness(first.deckhand)).toEqual([200, 'ready']);
  const patient = await first.ada.sh('echo patience; npm run stamp');
  const unwanted = await first.ada.sh('echo never mind');
  for (const task of [patient, unwanted]) {
    await cardSays(first.ada, task, away);
    await cardSays(first.ada, task, /preparing.*The run goes on by itself when the engine is back\. This run waits 1 h for it\./);
  }
  await first.ada.slash(`/deckhand stop #${unwanted}`);
  expect((await first.ada.end(unwanted)).text).toMatch(/○ cancelled.*Stopped by Ada before the command started\./);
  expect(await first.ada.told('/deckhand doctor')).toMatch(
    /1 of \d+ parts needs attention.*✖ sandbox docker · engine: .*Start the engine/,
  );
  await endLife();

  // A restart changes nothing about the waiting.
  const { ada } = await alive(contained);
  await cardSays(ada, patient, /preparing/);
  await relay.mend();
  const end = await ada.end(patient);
  expect(end.text).toMatch(/✔ done in .*patience.*README\.md is stamped.*README\.md \+2.*sandbox docker/);
  expect(end.text).not.toContain('not isolated');
  await cardSays(ada, patient, /✔ done in/);
  expect((await ada.thread(patient)).filter(({ buttons }) => buttons.includes('Retry'))).toHaveLength(1);
  await eventually(async () => expect(await leftOfRuns(dataDir.path)).toEqual([]), patience);
});

test('an engine that is lost while commands run takes nothing with it', { timeout: 240_000 }, async () => {
  const { deckhand, ada } = await alive(contained);
  await policy(ada, 'yolo');
  const endless = await ada.sh('echo begun; sleep 600');
  await cardSays(ada, endless, /begun/);
  const counting = await ada.sh('for i in $(seq 1 80); do echo line $i; sleep 0.1; done; npm run stamp');
  await cardSays(ada, counting, /line \d/);

  await relay.cut();
  await cardSays(ada, counting, /it must be started on the machine of the runner\. The output continues when it is back\./);
  await cardSays(ada, endless, away);
  const waiting = await ada.sh('echo began later');
  await cardSays(ada, waiting, /preparing.*This run waits 1 h for it\./);
  await ada.slash(`/deckhand stop #${endless}`);
  await cardSays(ada, endless, /stopping/);
  expect(await ada.told('/deckhand doctor')).toMatch(/✖ sandbox docker · engine: .*does not answer/);
  expect(await readiness(deckhand)).toEqual([200, 'ready']);

  await relay.mend();
  expect((await ada.end(waiting)).text).toMatch(/✔ done in .*began later/);
  expect((await ada.end(endless)).text).toMatch(/○ cancelled after .*The command was stopped by Ada\. begun/);
  expect((await ada.end(counting)).text).toMatch(/✔ done in .*README\.md \+2/);
  expect(await ada.told(`/deckhand logs #${counting}`)).toContain('line 80');
  const log = await waitFor('the log', async () => (await ada.file(counting, /\.log$/)).toString(), patience);
  expect(log.match(/^line \d+$/gm)).toEqual(Array.from({ length: 80 }, (_, index) => `line ${index + 1}`));
  await eventually(async () => expect(await leftOfRuns(dataDir.path)).toEqual([]), patience);
});

test('runs in flight keep their sandbox when the next start chooses another', {
  timeout: 240_000,
}, async () => {
  const first = await alive(contained);
  await policy(first.ada, 'ask');
  const asked = await first.ada.sh('echo asked; ls README.md');
  await first.ada.waitFor(/wants to run a command .*where: \/workspace in a container/, { button: 'Approve', ...patience });
  await policy(first.ada, 'yolo');
  const inside = await first.ada.sh(counts);
  await cardSays(first.ada, inside, /running.*sandbox docker.*step \d/);

  const second = await alive({ SANDBOX: 'local' });
  expect(notices(second.deckhand)).toEqual([
    expect.stringMatching(/^warn: Commands run WITHOUT isolation.*SANDBOX=local asks for it/),
  ]);
  const local = await second.ada.sh(counts);
  await cardSays(second.ada, local, /step \d/);
  await cardSays(second.ada, inside, /running.*sandbox docker .*step \d{2}/);
  await second.ada.slash(`/deckhand stop #${inside}`);
  const end = await second.ada.end(inside);
  expect(end.text).toMatch(/○ cancelled after .*sandbox docker/);
  expect(end.text).not.toContain('not isolated');

  // What was asked for a container does not count as asked for the machine itself: it is asked again.
  const request = await second.ada.waitFor(/wants to run a command .*where: \/workspace in a container/, {
    button: 'Approve',
    ...patience,
  });
  await second.ada.press(request, 'Approve');
  const again = await second.ada.waitFor(/wants to run a command .*not isolated/, { button: 'Approve', ...patience });
  await second.ada.press(again, 'Approve');
  expect((await second.ada.end(asked)).text).toMatch(/✔ done in .*asked.*README\.md.*sandbox local, not isolated/);

  const third = await alive({ ...missing, ...contained });
  await cardSays(third.ada, local, /running.*sandbox local, not isolated.*step \d{2}/);
  await third.ada.slash(`/deckhand stop #${local}`);
  expect((await third.ada.end(local)).text).toMatch(/○ cancelled after .*sandbox local, not isolated/);
  await eventually(async () => expect(await leftOfRuns(dataDir.path)).toEqual([]), patience);
});

test('an image that is missing is named with what to do, at the start and at the end of each run', {
  timeout: 240_000,
}, async () => {
  const settings = { ...missing, ...contained };
  const { deckhand, ada } = await alive(settings);
  expect(await doctor({ ...settings, PORT: new URL(deckhand.url).port })).toEqual({
    code: 1,
    text: expect.stringMatching(/^✖ sandbox docker +image: Image deckhand-no-such-image:1 is not .*\n +Run `npm run image`\./m),
  });
  expect(notices(deckhand)).toEqual([
    expect.stringMatching(/^warn: Commands CANNOT RUN yet: the image deckhand-no-such-image:1 /),
  ]);
  const end = await ada.end(await ada.sh('git status'));
  expect(end.text).toMatch(/✖ failed .*Image deckhand-no-such-image:1 is not on the container engine.*npm run image.*DH-602/);
  expect(end.buttons).toContain('Retry');
});
