import { cpus, loadavg, totalmem } from 'node:os';
import { programVersion } from '../src/runtime/version.ts';
import { type Figure, meetsTarget, type Outcome, shown } from './figures.ts';

export interface ScenarioReport extends Outcome {
  scenario: string;
  about: string;
  seconds: number;
  /** CPU that programs other than this benchmark and what it started used meanwhile, in cores. Containers count as others. */
  othersCpu: number;
}

export interface Report {
  at: string;
  version: string;
  machine: { cpu: string; cores: number; memoryGb: number; node: string; kernelLoad: number[] };
  scenarios: ScenarioReport[];
}

export function newReport(): Report {
  const [first] = cpus();
  return {
    at: new Date().toISOString(),
    version: programVersion(),
    machine: {
      cpu: first?.model ?? 'unknown',
      cores: cpus().length,
      memoryGb: Math.round(totalmem() / 1024 ** 3),
      node: process.versions.node,
      kernelLoad: loadavg().map((load) => Math.round(load * 100) / 100),
    },
    scenarios: [],
  };
}

/** The report as a table for people. */
export function tableOf(report: Report): string {
  const { cpu, cores, memoryGb, node, kernelLoad } = report.machine;
  const head = `Deckhand ${report.version} · ${report.at} · ${cores} × ${cpu}, ${memoryGb} GB · Node ${node} · load ${kernelLoad[0]}`;
  return [head, ...report.scenarios.map(scenarioText)].join('\n\n').concat('\n');
}

function scenarioText({ scenario, about, seconds, othersCpu, figures, notes, broken }: ScenarioReport): string {
  const rows = figures.map((figure) => [
    figure.name,
    `${shown(figure.value)} ${figure.unit}`.trim(),
    targetText(figure),
    mark(meetsTarget(figure)),
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const lines = rows.map(([name = '', value = '', target = '', state = '']) =>
    `  ${name.padEnd(widths[0] ?? 0)}  ${value.padStart(widths[1] ?? 0)}  ${target.padEnd(widths[2] ?? 0)} ${state}`.trimEnd(),
  );
  const others = `took ${shown(seconds)} s; other programs used ${shown(othersCpu)} cores meanwhile`;
  return [
    `${scenario}: ${about}`,
    ...lines,
    ...[...notes, others].map((note) => `  ${note}`),
    ...broken.map((what) => `  ✖ ${what}`),
  ].join('\n');
}

function targetText({ target, unit }: Figure): string {
  if (target === undefined) return '';
  if ('below' in target) return `below ${shown(target.below)} ${unit}`.trim();
  return 'atMost' in target ? `at most ${shown(target.atMost)}` : `must be ${shown(target.is)}`;
}

function mark(met: boolean | undefined): string {
  return met === undefined ? '' : met ? '✔' : '✖';
}
