/**
 * Measures Deckhand with real processes, a real database and the platform emulators; docs/benchmark.md says how to read the figures.
 *
 *   npm run bench                      all scenarios, as a table
 *   npm run bench -- ack card          only these
 *   npm run bench -- --json            as JSON; bench/last.json gets it in any case
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { endingSignal } from './ending.ts';
import { meetsTarget } from './figures.ts';
import { cpuSecondsOf, machineCpuSeconds } from './processes.ts';
import { newReport, type ScenarioReport, tableOf } from './report.ts';
import { ack } from './scenarios/ack.ts';
import { ackPostgres, ackRedis } from './scenarios/ack-processes.ts';
import { agentStart } from './scenarios/agent-start.ts';
import { append } from './scenarios/append.ts';
import { audit } from './scenarios/audit.ts';
import { card } from './scenarios/card.ts';
import { edit } from './scenarios/edit.ts';
import { events } from './scenarios/events.ts';
import { gateway } from './scenarios/gateway.ts';
import { memory } from './scenarios/memory.ts';
import { queue } from './scenarios/queue.ts';
import { refusalsDiscord, refusalsTelegram } from './scenarios/refusals.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { sse } from './scenarios/sse.ts';
import { start } from './scenarios/start.ts';
import { stream, streamDiscord, streamTelegram } from './scenarios/stream.ts';
import { liveThreads } from './scenarios/threads.ts';
import { onSite } from './site.ts';

const scenarios: readonly Scenario[] = [
  start,
  memory,
  ack,
  ackPostgres,
  ackRedis,
  card,
  edit,
  stream,
  streamTelegram,
  streamDiscord,
  liveThreads,
  refusalsTelegram,
  refusalsDiscord,
  append,
  audit,
  sse,
  events,
  queue,
  gateway,
  agentStart,
];
const lastReport = fileURLToPath(new URL('last.json', import.meta.url));

async function measure(scenario: Scenario, signal: AbortSignal): Promise<ScenarioReport> {
  const since = performance.now();
  const cpu = { machine: machineCpuSeconds(), own: cpuSecondsOf(process.pid) };
  const outcome = await onSite(scenario.name, signal, (site) => scenario.run(site)).catch((error: unknown) => {
    signal.throwIfAborted();
    return { figures: [], notes: [], broken: [`could not be measured: ${error instanceof Error ? error.stack : error}`] };
  });
  const seconds = (performance.now() - since) / 1000;
  const others = machineCpuSeconds() - cpu.machine - (cpuSecondsOf(process.pid) - cpu.own);
  return { scenario: scenario.name, about: scenario.about, seconds, othersCpu: Math.max(0, others / seconds), ...outcome };
}

async function main(args: readonly string[]): Promise<number> {
  const names = args.filter((arg) => !arg.startsWith('--'));
  const unknown = [...names.filter((name) => !scenarios.some((one) => one.name === name)), ...args.filter(isUnknownOption)];
  if (unknown.length > 0) {
    const known = scenarios.map(({ name, about }) => `  ${name.padEnd(18)} ${about}`).join('\n');
    process.stderr.write(`There is no scenario or option ${unknown.join(', ')}.\n\n${known}\n  --json             prints JSON\n`);
    return 64;
  }

  const ending = endingSignal();

  const report = newReport();
  try {
    for (const scenario of scenarios) {
      if (names.length > 0 && !names.includes(scenario.name)) continue;
      process.stderr.write(`${scenario.name}: ${scenario.about}\n`);
      report.scenarios.push(await measure(scenario, ending));
    }
  } catch (error) {
    if (ending.aborted) return 130;
    throw error;
  }
  writeFileSync(lastReport, `${JSON.stringify(report, null, 2)}\n`);
  process.stdout.write(args.includes('--json') ? `${JSON.stringify(report, null, 2)}\n` : `\n${tableOf(report)}`);
  const missed = report.scenarios.flatMap(({ scenario, figures }) =>
    figures.filter((figure) => meetsTarget(figure) === false).map(({ name }) => `${scenario}: ${name}`),
  );
  if (missed.length > 0) process.stderr.write(`\nTargets missed: ${missed.join('; ')}\n`);
  return report.scenarios.some(({ broken }) => broken.length > 0) ? 1 : 0;
}

function isUnknownOption(arg: string): boolean {
  return arg.startsWith('--') && arg !== '--json';
}

const exitCode = await main(process.argv.slice(2));
process.stdout.write('', () => process.exit(exitCode));
