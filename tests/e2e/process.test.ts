import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DeckhandProcess, newDataDir, type Program, runDeckhand, startDeckhand } from '../support/deckhand-process.ts';
import { LabClient } from '../support/lab-client.ts';
import { processesOf } from '../support/machine-traces.ts';
import { startCollector, type TraceCollector } from '../support/trace-collector.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

/** One installation and its lives, one after the other: a test begins with the life that it finds, or with a new one. */
let dataDir: Awaited<ReturnType<typeof newDataDir>>;
let life: DeckhandProcess | undefined;
let collector: TraceCollector;
const programs: Program[] = [];

beforeAll(async () => {
  dataDir = await newDataDir();
  collector = await startCollector();
});

afterAll(async () => {
  for (const program of programs) await program.end('SIGKILL');
  // A killed process leaves its database to end by itself.
  for (const { pid } of processesOf(dataDir.path)) killIfAlive(pid);
  await eventually(() => expect(processesOf(dataDir.path)).toEqual([]), { timeoutMs: 20_000 });
  await dataDir.remove();
  await collector.close();
}, 60_000);

const local = { SANDBOX: 'local' };
/** For people a start takes a second; not on a machine that does much else. */
const limit = { timeout: 180_000 };

/** Deckhand that runs. */
async function alive(): Promise<DeckhandProcess> {
  if (life !== undefined) return life;
  life = await startDeckhand(dataDir.path, { ...local, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, METRICS_PORT: '0' });
  programs.push(life);
  return life;
}

async function end(signal: NodeJS.Signals): Promise<number | null> {
  const ended = await (await alive()).end(signal);
  life = undefined;
  return ended;
}

function run(args: readonly string[], settings: Record<string, string> = local): Program {
  const program = runDeckhand(args, dataDir.path, settings);
  programs.push(program);
  return program;
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

async function get(url: string): Promise<{ status: number; text: string }> {
  const response = await fetch(url);
  return { status: response.status, text: await response.text() };
}

/** Types a command that runs without asking and waits for its end. */
async function echo(url: string, word: string): Promise<void> {
  const ada = new LabClient(url, 'ada');
  await ada.slash('/deckhand settings policy=yolo');
  await ada.slash(`/deckhand sh echo ${word}`);
  await ada.waitFor(new RegExp(`echo ${word} .*done in .*${word}`), { timeoutMs: 60_000 });
}

test('a started Deckhand answers for its health, its parts and its numbers', limit, async () => {
  const deckhand = await alive();
  expect(await get(`${deckhand.url}/healthz`)).toEqual({ status: 200, text: '{"status":"ok"}' });

  const ready = await get(`${deckhand.url}/readyz`);
  expect(ready.status).toBe(200);
  expect(JSON.parse(ready.text)).toEqual({
    status: 'ready',
    checks: [
      { name: 'database', ok: true },
      { name: 'queue', ok: true, detail: '0 jobs wait' },
      { name: 'slack', ok: true, detail: 'Slack answers for Deckhand Lab; the socket is connected.' },
      { name: 'telegram', ok: true, detail: expect.stringMatching(/^Telegram answers for @deckhand_lab_bot and is polled;/) },
      { name: 'discord', ok: true, detail: expect.stringMatching(/^Discord answers for Deckhand; the gateway is connected;/) },
    ],
  });

  await echo(deckhand.url, 'hello');
  const { text } = await get(`${deckhand.url}/metrics`);
  expect(text).toContain('deckhand_inbound_events_total{platform="slack",kind="new"} 2');
  expect(text).toMatch(/deckhand_platform_calls_total\{platform="slack",operation="send",outcome="ok"\} \d/);
  expect(text).toMatch(/deckhand_waiting\{what="runs_active"\} 0/);
  expect(text).toContain('deckhand_database_up 1\n');
  const door = /"url":"(\S+\/metrics)"/.exec(deckhand.log.join('\n'))?.[1] ?? '';
  // As through a proxy: another machine may ask there, and only for this.
  const elsewhere = { headers: { 'x-forwarded-for': '192.0.2.1' } };
  expect((await fetch(`${deckhand.url}/metrics`, elsewhere)).status).toBe(403);
  expect(await (await fetch(door, elsewhere)).text()).toContain('deckhand_database_up 1\n');
  expect((await fetch(new URL('/lab', door))).status).toBe(404);
  expect(text).toContain('deckhand_run_start_seconds_count{worker="shell",sandbox="local"} 1\n');
  expect(text).toMatch(/deckhand_runner_capacity_runs\{host="host_\w+"\} \d/);
  expect(text).toMatch(/deckhand_inbound_lag_seconds_count\{platform="slack"\} 2/);
});

test('a second Deckhand on the same data directory is refused and does not disturb the first', limit, async () => {
  const first = await alive();
  const second = run(['start']);
  expect(await second.ended).toBe(1);
  expect(second.log).toEqual([
    '✖ The data directory is in use (DH-101)',
    expect.stringMatching(`^  Another Deckhand \\(process ${first.pid}, since \\S+\\) uses ${dataDir.path}\\.$`),
    '  Stop the other process, or set DECKHAND_DATA_DIR to another directory.',
  ]);
  expect((await get(`${first.url}/readyz`)).status).toBe(200);
  await echo(first.url, 'undisturbed');
});

test('doctor, asked beside a running Deckhand, finds everything in order', limit, async () => {
  const beside = run(['doctor'], { ...local, PORT: new URL((await alive()).url).port });
  expect([await beside.ended, beside.log]).toEqual([0, expect.arrayContaining([expect.stringMatching(/✔ server/)])]);
});

test('SIGTERM ends it with 0 and nothing of it stays, and what was said is there after the next start', limit, async () => {
  const first = await alive();
  await echo(first.url, 'before');
  expect(processesOf(dataDir.path).length).toBeGreaterThan(1);
  expect(await end('SIGTERM')).toBe(0);
  expect(processesOf(dataDir.path)).toEqual([]);
  expect(first.log.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
  expectWholeTrace();

  const second = await alive();
  await new LabClient(second.url, 'ada').waitFor(/echo before .*done in/);
  await echo(second.url, 'after');
});

/** From the command of a person to the calls that show its end, without a word of what was said. */
function expectWholeTrace(): void {
  const spans = collector.spans();
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const runs = spans.filter(({ name }) => name === 'run');
  expect(runs.length).toBeGreaterThan(0);
  for (const { traceId } of runs) {
    const own = spans.filter((span) => span.traceId === traceId);
    const steps = own.map(({ name, parentSpanId }) => `${byId.get(parentSpanId ?? '')?.name ?? 'nothing'} > ${name}`);
    expect([...new Set(steps)].sort()).toEqual([
      'command > deliver message',
      'command > run',
      'deliver message > platform call',
      'handle event > command',
      'nothing > take events',
      'run > collect changes',
      'run > execute run',
      'run > prepare run',
      'take events > handle event',
    ]);
  }
  expect(collector.raw()).not.toMatch(/before|hello|undisturbed|\becho\b|policy|yolo|"ada"|general/i);
}

test('the database killed under it comes back by itself, and work goes on', limit, async () => {
  const deckhand = await alive();
  await echo(deckhand.url, 'with-its-database');
  const server = processesOf(dataDir.path).find(({ command }) => command.includes('/postgres -D '));
  killIfAlive(server?.pid ?? -1);
  await waitFor('the database to be back', () => deckhand.logged('the database runs again')[0], { timeoutMs: 60_000 });
  await eventually(async () => expect((await get(`${deckhand.url}/readyz`)).status).toBe(200), { timeoutMs: 20_000 });
  await echo(deckhand.url, 'with-another');
});

test('a second signal ends it at once, and the next start finds everything', limit, async () => {
  const first = await alive();
  await echo(first.url, 'twice');
  const ada = new LabClient(first.url, 'ada');
  const slow = await ada.sh('npm run slow');
  await ada.waitFor(/npm run slow .*step 2 of 120/, { timeoutMs: 60_000 });
  first.signal('SIGTERM');
  await waitFor('the first signal to be heard', () => first.logged(/^ending: /)[0]);
  const since = performance.now();
  expect(await end('SIGTERM')).toBe(0);
  expect(performance.now() - since).toBeLessThan(8_000);
  const commands = processesOf(`${dataDir.path}/sandboxes`).map(({ pid }) => pid);
  expect(processesOf(dataDir.path).filter(({ pid }) => !commands.includes(pid))).toEqual([]);

  // The command ran on meanwhile, and its card goes on.
  const again = new LabClient((await alive()).url, 'ada');
  await again.waitFor(/npm run slow .*step \d+ of 120/, { button: 'Stop', timeoutMs: 60_000 });
  await again.slash(`/deckhand stop #${slow}`);
  await again.waitFor(/npm run slow .*cancelled after/, { timeoutMs: 60_000 });
});

test('promise 8: killed with SIGKILL, it starts again on the same data directory as if nothing had been', {
  timeout: 300_000,
}, async () => {
  await echo((await alive()).url, 'killed');
  expect(await end('SIGKILL')).toBe(null);
  const last = await alive();
  const servers = processesOf(dataDir.path).filter(({ command }) => command.includes('/postgres -D '));
  expect(servers).toHaveLength(1);
  const ada = new LabClient(last.url, 'ada');
  // The live card says how it ended too; only the end card offers to do it again.
  const ends = (await ada.messages()).filter(({ buttons }) => buttons.includes('Retry')).map(({ text }) => text);
  expect(ends.filter((text) => /echo killed .*done in/.test(text))).toHaveLength(1);
  await echo(last.url, 'alive-again');
});

test('SIGINT ends it as SIGTERM does', limit, async () => {
  expect(await end('SIGINT')).toBe(0);
  expect(processesOf(dataDir.path)).toEqual([]);
});

test('doctor, asked while nothing runs, finds everything in order, and leaves nothing running', limit, async () => {
  const alone = run(['doctor']);
  expect([await alone.ended, alone.log]).toEqual([0, expect.arrayContaining([expect.stringMatching(/✔ database +PostgreSQL/)])]);
  expect(processesOf(dataDir.path)).toEqual([]);
});

test('a signal during the start ends it cleanly, whichever it is and at whatever moment it comes', {
  timeout: 300_000,
}, async () => {
  const imageless = { SANDBOX_IMAGE: 'deckhand-no-such-image:1' };
  const moments = [
    ['postgres', 'SIGTERM', local],
    ['started', 'SIGINT', local],
    ['runner is ready', 'SIGTERM', local],
    ['slack socket connected', 'SIGHUP', imageless],
  ] as const;
  for (const [moment, signal, settings] of moments) {
    const program = run(['start'], { ...settings, LOG_LEVEL: 'debug' });
    await waitFor(moment, () => program.log.some((line) => line.includes(moment)), { timeoutMs: 60_000, everyMs: 2 });
    expect([moment, await program.end(signal)]).toEqual([moment, 0]);
    expect(processesOf(dataDir.path)).toEqual([]);
    // Without the image of sandboxes, commands run without them, and it is said what to do.
    const [notice] = program.logged(/^Commands run WITHOUT isolation/);
    if (settings === imageless) expect(notice?.msg).toMatch(/image:1 is not on the container engine\. Build it: `npm run image`/);
  }
});

test('a port that is taken is named, and nothing is left running', { timeout: 60_000 }, async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const program = run(['start'], { ...local, PORT: String(port) });
  expect(await program.ended).toBe(1);
  expect(program.log.slice(-3)).toEqual([
    '✖ The port is taken (DH-106)',
    `  Another program listens on 127.0.0.1:${port}.`,
    '  Stop it, or set PORT to a free port.',
  ]);
  expect(processesOf(dataDir.path)).toEqual([]);
  other.close();
});

test('a wrong configuration is told whole, without the values, and nothing is made', { timeout: 30_000 }, async () => {
  const program = run(['start'], {
    PORT: '99999',
    SANDBOX: 'cloud',
    LOG_LEVEL: 'loud',
    HOST: '0.0.0.0',
    SLACK_APP_TOKEN: 'xapp-1-hunter2',
    DATABASE_URL: 'mysql://deckhand:hunter3@db/deckhand',
    DECKHAND_SECRET_KEY: 'hunter4',
    DECKHAND_OWNERS: 'slack:T1/U1,carrier-pigeon:7',
  });
  expect(await program.ended).toBe(78);
  const text = program.log.join('\n');
  for (const name of [
    'PORT',
    'SANDBOX',
    'LOG_LEVEL',
    'HOST',
    'SLACK_APP_TOKEN',
    'DATABASE_URL',
    'DECKHAND_SECRET_KEY',
    'DECKHAND_OWNERS',
  ])
    expect(text).toMatch(new RegExp(`^  ${name} `, 'm'));
  expect(text).toContain('entry 2');
  expect(text).not.toMatch(/hunter|pigeon|99999|cloud|loud/);
  expect(text).not.toContain('    at ');
});

test('help, version and the manifest need no installation', { timeout: 30_000 }, async () => {
  const answers = await Promise.all(
    [['help'], ['version'], ['slack', 'manifest']].map(async (args) => {
      const program = run(args, {});
      return [await program.ended, program.log[0]];
    }),
  );
  expect(answers).toEqual([
    [0, expect.stringMatching(/^Deckhand hands/)],
    [0, expect.stringMatching(/^\d+\.\d+\.\d+$/)],
    [0, '{'],
  ]);
});
