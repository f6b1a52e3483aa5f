import type { DoctorCheck } from './commands/command.ts';
import { AppError, describeError } from './contracts/errors.ts';
import { errorText } from './runtime/error-text.ts';

/** Looks at one external part. */
export interface DoctorProbe {
  /** Stands for the part when it does not answer. */
  name: string;
  /** Longest time it may take (default 3 s). */
  withinMs?: number | undefined;
  /** One or more findings. A rejection is a finding too: the part has failed. */
  run(signal: AbortSignal): Promise<DoctorCheck | readonly DoctorCheck[]>;
}

/** Runs all probes at once, each within its time, and returns what they found in the order of the probes. Never rejects. */
export async function examine(probes: readonly DoctorProbe[]): Promise<DoctorCheck[]> {
  const findings = await Promise.all(probes.map(examineOne));
  return findings.flat();
}

async function examineOne(probe: DoctorProbe): Promise<readonly DoctorCheck[]> {
  const limit = probe.withinMs ?? 3_000;
  const late = Promise.withResolvers<never>();
  const stop = new AbortController();
  const timer = setTimeout(() => late.reject(new Error(`No answer within ${limit / 1000} s.`)), limit);
  try {
    return [await Promise.race([probe.run(stop.signal), late.promise])].flat();
  } catch (error) {
    return [{ name: probe.name, state: 'failed', ...explain(error) }];
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

function explain(error: unknown): { detail: string; remedy?: string } {
  if (error instanceof AppError) {
    const { text, remedy } = describeError(error.code, error.params);
    return { detail: `${text} (${error.code})`, remedy };
  }
  return { detail: errorText(error) };
}

const marks: Record<DoctorCheck['state'], string> = { ok: '✔', unused: '○', warning: '▸', failed: '✖' };
const colours: Record<DoctorCheck['state'], number> = { ok: 32, unused: 90, warning: 33, failed: 31 };

/** The findings as lines for a terminal. */
export function renderFindings(findings: readonly DoctorCheck[], options: { colour: boolean }): string {
  const width = Math.max(...findings.map((finding) => finding.name.length));
  const lines = findings.flatMap(({ name, state, detail, remedy }) => {
    const mark = options.colour ? `\u001b[${colours[state]}m${marks[state]}\u001b[0m` : marks[state];
    const indent = ' '.repeat(width + 4);
    const first = `${mark} ${name.padEnd(width)}  ${detail.replaceAll('\n', `\n${indent}`)}`;
    return state === 'ok' || remedy === undefined ? [first] : [first, `${indent}${remedy}`];
  });
  const count = (state: DoctorCheck['state']) => findings.filter((finding) => finding.state === state).length;
  const [failed, warnings] = [count('failed'), count('warning')];
  const sum =
    failed + warnings === 0 ? 'Everything is in order.' : `${failed} failed, ${warnings} to look at, ${count('ok')} in order.`;
  return `${lines.join('\n')}\n\n${sum}\n`;
}
