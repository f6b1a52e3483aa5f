/**
 * Breaks a Deckhand of several processes again and again while people work with it, and compares in the end what the database, the
 * platform and this machine say; docs/operate.md says more.
 *
 *   npm run chaos -- --minutes 30 --redis
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitingCounts } from '../src/store/waiting-counts.ts';
import { hasWritten, openRuns, readFacts } from '../tests/support/chaos-facts.ts';
import { chancesOf } from '../tests/support/chaos-plan.ts';
import { leftOfRuns } from '../tests/support/machine-traces.ts';
import { type Counts, count } from './chaos/counts.ts';
import { createInjections, Unavailable } from './chaos/injections.ts';
import { memoryVerdict } from './chaos/memory.ts';
import { type ChaosOptions, readOptions, usage } from './chaos/options.ts';
import { People, type Request } from './chaos/people.ts';
import { stepsOf } from './chaos/plan.ts';
import { type ChaosReport, jsonOf, textOf } from './chaos/report.ts';
import { keepTranscript } from './chaos/transcript.ts';
import { type Finding, findingsOf, findingsOfAll } from './chaos/verdict.ts';
import { startWorld, type World } from './chaos/world.ts';
import { openDatabase } from './chat.ts';
import { endingSignal } from './ending.ts';
import { onSite, type Site } from './site.ts';

const minute = 60_000;
const calmWithinMs = 4 * minute;
const clearedWithinMs = 90_000;
/** On a machine that is busy with other things, starting takes long; something goes wrong all the same. */
const readyWithinMs = 60_000;
const memoryEveryMs = 5000;
/** What goes on at the end of a full disk may only fail a moment later. */
const fullMarginMs = 10_000;

async function chaos(site: Site, options: ChaosOptions): Promise<ChaosReport> {
  const since = performance.now();
  const world = await startWorld(site, options);
  const { slack, members } = world;
  const { logs } = options;
  if (logs !== undefined) {
    await mkdir(logs, { recursive: true });
    site.onEnd(() => Promise.all(members.map(({ name, log }) => writeFile(join(logs, `${name}.log`), `${log.join('\n')}\n`))));
  }
  const injected: Counts = new Map();
  const notDone: Counts = new Map();
  const didPeople: Counts = new Map();
  const transcript = keepTranscript(slack);
  const outside = options.sandbox === 'local' ? join(site.dir, 'outside.txt') : undefined;
  const chances = chancesOf(options.seed, 'people');
  const people = new People({
    slack,
    transcript,
    chances,
    outside,
    // Who cannot ask the database at the moment asks again.
    hasWritten: (marker, text) => hasWritten(world.kept, marker, text).catch(() => false),
    counts: didPeople,
    say: site.say,
  });
  const database = await openDatabase(site, world.kept.url ?? '');

  const until = performance.now() + options.minutes * minute;
  const lookAtMemory = () => {
    for (const one of members) one.lookAtMemory();
  };
  const acting = setInterval(() => people.act(), 200);
  const looking = setInterval(lookAtMemory, memoryEveryMs);
  site.onEnd(async () => {
    clearInterval(acting);
    clearInterval(looking);
  });

  const posting = async () => {
    const gap = (options.minutes * minute) / Math.max(1, options.runs);
    const posts: Promise<void>[] = [];
    while (posts.length < options.runs) {
      await site.pause(chances.between(0, Math.round(2 * gap)));
      posts.push(people.post());
    }
    await Promise.all(posts);
  };
  const injections = createInjections(site, world, injected);
  const breaking = async () => {
    const goesOn = () => site.signal.throwIfAborted();
    for (const step of stepsOf(options)) {
      if (performance.now() + step.afterMs > until) return;
      await site.pause(step.afterMs);
      if (step.whenReady)
        await site.until('all to be ready', () => members.every((one) => one.isReady()), readyWithinMs).catch(goesOn);
      await injections.inject(step).catch((error: unknown) => {
        site.signal.throwIfAborted();
        if (error instanceof Unavailable) return count(notDone, error.message);
        count(notDone, 'the server was away');
        site.say(`${step.what}: ${error}`);
      });
    }
  };
  await Promise.all([posting(), breaking()]);
  injections.end();

  site.say('nothing goes wrong any more');
  await Promise.all(members.map((one) => one.killAt(undefined)));
  for (const { diedAt } of members) for (const point of diedAt) count(injected, `killed at: ${point}`);
  const brokenUntil = performance.now();
  const findings: Finding[] = [];
  let isSettled = false;
  void slack.controls.eventsSettled().then(() => {
    isSettled = true;
  });
  const isCalm = async () => {
    people.hearMentions();
    if (!isSettled) return false;
    const expected = people.open().filter(({ accepted, marker }) => accepted || transcript.of(marker).length > 0);
    if (expected.length > 0 || !members.every((one) => one.isReady())) return false;
    return await waitingCounts(database.db).then(
      (counts) => Object.values(counts).every((rows) => rows === 0),
      () => false,
    );
  };
  await site.until('calm', isCalm, calmWithinMs, 500).catch(async (error: unknown) => {
    site.signal.throwIfAborted();
    const open = people.open().map(({ marker, kind }) => `${marker} (${kind})`);
    const counts = JSON.stringify(await waitingCounts(database.db));
    const others = `events ${isSettled ? 'settled' : 'under way'}, not ready: ${members.filter((one) => !one.isReady()).map(({ name }) => name)}`;
    findings.push({ what: 'lost', about: `${error}; waiting: ${counts}; not finished: ${open.join(', ')}; ${others}` });
    for (const run of await openRuns(world.kept)) findings.push({ what: 'lost', about: run });
  });
  const calmSeconds = (performance.now() - brokenUntil) / 1000;
  const memory = members.map(({ name, memory: looks }) => ({ name, ...memoryVerdict(looks, since, brokenUntil) }));
  for (const { name, verdict, first, last } of memory) {
    if (verdict === 'grows')
      findings.push({ what: 'wrong', about: `the memory of ${name} grows: ${first?.toFixed()} MB, then ${last?.toFixed()} MB` });
  }

  const { found, ...compared } = await compare(world, people, transcript, outside);
  findings.push(...compared.findings, ...(await leftovers(site, world)));
  for (const error of slack.controls.errors) findings.push({ what: 'wrong', about: `the emulator failed: ${error}` });
  for (const one of members) one.spared = false;
  await Promise.all(members.map((one) => one.restart()));
  for (const { surprises } of members) findings.push(...surprises.map((about): Finding => ({ what: 'wrong', about })));
  return {
    options,
    minutes: (performance.now() - since) / minute,
    calmSeconds,
    injected,
    notDone,
    missing: world.missing,
    people: didPeople,
    found,
    members,
    memory,
    findings,
  };
}

/** Every request against the database, the platform, and the marks that commands have left. */
async function compare(
  { kept, slack, fullDisks }: World,
  people: People,
  transcript: ReturnType<typeof keepTranscript>,
  outside: string | undefined,
): Promise<{ findings: Finding[]; found: Counts }> {
  const facts = await readFacts(kept);
  const marks = outside === undefined ? undefined : (await readFile(outside, 'utf8')).split('\n');
  const found: Counts = new Map();
  const findings = findingsOfAll(
    facts,
    people.requests.map(({ marker }) => marker),
  );
  for (const number of transcript.strays()) findings.push({ what: 'doubled', about: `cards of ${number} belong to no request` });
  for (const request of people.requests) {
    const tasks = facts.tasks.filter(({ command }) => command.includes(request.marker));
    const cards = transcript.of(request.marker);
    const effects = marks?.filter((mark) => mark === request.marker).length;
    const ends = tasks.flatMap(({ runs }) => runs.map(({ endedAt }) => endedAt?.getTime() ?? Date.now()));
    const until = Math.max(0, ...ends);
    const diskWasFull = fullDisks.some((full) => full.since - fullMarginMs < until && request.at < full.until + fullMarginMs);
    const against = findingsOf({ request, tasks, cards, effects, diskWasFull });
    if (diskWasFull) count(found, 'requests while a disk was full, that may fail for it');
    const told = against.length === 0 ? [] : toldAlone(slack, request);
    findings.push(...against.map((one) => ({ ...one, about: [one.about, ...told].join('\n    ') })));
    count(found, request.accepted ? 'requests that were heard' : 'requests that the platform said nobody had heard');
    if (!request.accepted && tasks.length > 0) count(found, 'of these, requests that were heard all the same');
    count(found, 'tasks', tasks.length);
    count(found, 'cards', cards.length);
    if (effects !== undefined) count(found, 'effects of commands', effects);
    for (const { state } of tasks.flatMap(({ runs }) => runs)) count(found, `runs that ${state}`);
  }
  return { findings, found };
}

/** What only the person was told about the time of a request: it may say why nothing became of it. */
function toldAlone(slack: World['slack'], { by, at }: Request): string[] {
  return slack
    .person(by)
    .ephemerals()
    .filter(({ ts }) => Math.abs(Number(ts) * 1000 - at) < 30_000)
    .map(({ plain }) => `about then ${by} was told: ${plain.replace(/\s+/g, ' ').slice(0, 300)}`);
}

/** What runs have left on this machine although all are over. */
async function leftovers(site: Site, { dataDirs }: World): Promise<Finding[]> {
  const left = async () => (await Promise.all(dataDirs.map((dir) => leftOfRuns(dir, { butProbes: true })))).flat();
  try {
    await site.until('everything to be cleared away', async () => (await left()).length === 0, clearedWithinMs, 500);
    return [];
  } catch (error) {
    site.signal.throwIfAborted();
    return (await left()).map((about) => ({ what: 'wrong', about: `left behind: ${about} (${error})` }));
  }
}

async function main(args: readonly string[]): Promise<number> {
  let options: ChaosOptions;
  try {
    options = readOptions(args, () => Math.floor(Math.random() * 1_000_000));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    return 64;
  }
  const ending = endingSignal();
  process.stderr.write(`chaos: seed ${options.seed}\n`);
  try {
    const report = await onSite('chaos', ending, (site) => chaos(site, options));
    process.stdout.write(options.json ? `${JSON.stringify(jsonOf(report), null, 2)}\n` : `\n${textOf(report)}`);
    return report.findings.length === 0 ? 0 : 1;
  } catch (error) {
    if (ending.aborted) return 130;
    process.stderr.write(
      `chaos: seed ${options.seed} could not be brought to an end: ${error instanceof Error ? error.stack : error}\n`,
    );
    return 1;
  }
}

const exitCode = await main(process.argv.slice(2));
process.stdout.write('', () => process.exit(exitCode));
