import { errorText } from '../runtime/error-text.ts';

/** One thing that must work before requests are worth sending. */
export interface ReadinessCheck {
  name: string;
  /** Resolves when it works, with a sentence about it if there is one to say; rejects when it does not. */
  run(): Promise<string | undefined>;
  /** Without it requests are still worth sending: it is told, and nothing more. */
  dispensable?: boolean | undefined;
}

export interface ReadinessReport {
  ready: boolean;
  checks: { name: string; ok: boolean; detail: string | undefined }[];
}

const checkWithinMs = 3_000;

/** Asks all checks at once, each for at most 3 s. Callers at the same time share one round. */
export function createReadiness(checks: readonly ReadinessCheck[]): () => Promise<ReadinessReport> {
  let round: Promise<ReadinessReport> | undefined;
  return () => {
    round ??= askAll(checks).finally(() => {
      round = undefined;
    });
    return round;
  };
}

async function askAll(checks: readonly ReadinessCheck[]): Promise<ReadinessReport> {
  const results = await Promise.all(checks.map(ask));
  return { ready: results.every((result, index) => result.ok || checks[index]?.dispensable === true), checks: results };
}

async function ask(check: ReadinessCheck): Promise<ReadinessReport['checks'][number]> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${checkWithinMs / 1000} s`)), checkWithinMs);
  try {
    return { name: check.name, ok: true, detail: await Promise.race([check.run(), late.promise]) };
  } catch (error) {
    return { name: check.name, ok: false, detail: errorText(error) };
  } finally {
    clearTimeout(timer);
  }
}
