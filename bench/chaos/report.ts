import { shown } from '../figures.ts';
import type { Counts } from './counts.ts';
import type { Member } from './member.ts';
import type { MemoryVerdict } from './memory.ts';
import type { ChaosOptions } from './options.ts';
import type { Finding } from './verdict.ts';

export interface ChaosReport {
  options: ChaosOptions;
  minutes: number;
  /** From the last thing that went wrong to calm. */
  calmSeconds: number;
  injected: Counts;
  /** What was to go wrong and could not be made to, by reason. */
  notDone: Counts;
  /** What this machine does not let go wrong. */
  missing: readonly string[];
  people: Counts;
  found: Counts;
  members: readonly Pick<Member, 'name' | 'starts' | 'failedStarts' | 'surprises' | 'errors'>[];
  memory: readonly (MemoryVerdict & { name: string })[];
  findings: readonly Finding[];
}

/** For people. Lost or doubled things come last, where they are seen. */
export function textOf(report: ChaosReport): string {
  const { options, injected, notDone, missing, people, found, members, findings } = report;
  const { seed, minutes, runs, redis, sandbox, database, spare } = options;
  const replay = [
    'npm run chaos --',
    `--seed ${seed} --minutes ${minutes} --runs ${runs}`,
    ...(redis ? ['--redis'] : []),
    ...(spare ? ['--spare'] : []),
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
    ...(notDone.size === 0 ? [] : counts('What was to go wrong and did not', notDone)),
    ...missing.map((what) => `Not possible on this machine: ${what}`),
    ...counts('What people did', people),
    ...counts('What there is in the end', found),
    'Processes',
    ...members.flatMap(({ name, starts, failedStarts, surprises, errors }) => [
      `  ${name}: ${starts} starts (${failedStarts} failed while something was away); memory ${memoryText(report, name)}; ${errors.length} lines of error`,
      ...unique(errors),
      ...surprises.map((text) => `    ${text}`),
    ]),
    ...findings.map(({ what, about }) => `✖ ${what}: ${about}`),
    findings.length === 0 ? '✔ nothing lost, nothing doubled' : `✖ ${findings.length} findings`,
    `again: ${replay}`,
    '',
  ].join('\n');
}

/** For programs: as `textOf`, the errors of processes counted only. */
export function jsonOf({ injected, notDone, people, found, members, ...report }: ChaosReport) {
  const counts = { injected, notDone, people, found };
  return {
    ...report,
    ...Object.fromEntries(Object.entries(counts).map(([name, of]) => [name, Object.fromEntries([...of].toSorted())])),
    members: members.map(({ name, starts, failedStarts, surprises, errors }) => ({
      name,
      starts,
      failedStarts,
      surprises,
      errors: errors.length,
    })),
    exitCode: report.findings.length === 0 ? 0 : 1,
  };
}

function memoryText({ memory }: ChaosReport, of: string): string {
  const found = memory.find(({ name }) => name === of);
  if (found === undefined) return 'never seen';
  const { first, last, most, verdict } = found;
  const text = (megabytes: number | undefined) => (megabytes === undefined ? 'not seen' : `${shown(megabytes)} MB`);
  return `${verdict} (first quarter ${text(first)}, last quarter ${text(last)}, most ${text(most)})`;
}
