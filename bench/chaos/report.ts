import { shown } from '../figures.ts';
import type { Counts } from './counts.ts';
import type { Member } from './member.ts';
import type { ChaosOptions } from './options.ts';
import type { Finding } from './verdict.ts';

export interface ChaosReport {
  options: ChaosOptions;
  minutes: number;
  /** From the last thing that went wrong to calm. */
  calmSeconds: number;
  injected: Counts;
  people: Counts;
  found: Counts;
  members: readonly Pick<Member, 'name' | 'starts' | 'failedStarts' | 'memory' | 'surprises' | 'errors'>[];
  findings: readonly Finding[];
}

/** For people. Lost or doubled things come last, where they are seen. */
export function textOf(report: ChaosReport): string {
  const { options, injected, people, found, members, findings } = report;
  const { seed, minutes, runs, redis, sandbox, database } = options;
  const replay = [
    'npm run chaos --',
    `--seed ${seed} --minutes ${minutes} --runs ${runs}`,
    ...(redis ? ['--redis'] : []),
    `--sandbox ${sandbox}`,
    ...(database === undefined ? [] : ['--database …']),
  ].join(' ');
  const counts = (title: string, of: Counts) => [
    title,
    ...[...of].toSorted().map(([what, times]) => `  ${String(times).padStart(6)}  ${what}`),
  ];
  const unique = (errors: readonly string[]) => {
    const texts = errors.map((line) => /"msg":"([^"]*)"/.exec(line)?.[1] ?? line.trim().slice(0, 160));
    return [...Map.groupBy(texts, (text) => text)].map(([text, all]) => `    ${all.length} × ${text}`);
  };
  return [
    `Chaos · seed ${seed} · ${shown(report.minutes)} minutes · calm after ${shown(report.calmSeconds)} s`,
    ...counts('What went wrong on purpose', injected),
    ...counts('What people did', people),
    ...counts('What there is in the end', found),
    'Processes',
    ...members.flatMap(({ name, starts, failedStarts, memory, surprises, errors }) => [
      `  ${name}: ${starts} starts (${failedStarts} failed while something was away); memory ${memoryText(memory)}; ${errors.length} lines of error`,
      ...unique(errors),
      ...surprises.map((text) => `    ${text}`),
    ]),
    ...findings.map(({ what, about }) => `✖ ${what}: ${about}`),
    findings.length === 0 ? '✔ nothing lost, nothing doubled' : `✖ ${findings.length} findings`,
    `again: ${replay}`,
    '',
  ].join('\n');
}

function memoryText(memory: readonly number[]): string {
  if (memory.length === 0) return 'never seen';
  return `${shown(memory[0] ?? 0)} MB first, ${shown(Math.max(...memory))} MB most, ${shown(memory.at(-1) ?? 0)} MB last`;
}
