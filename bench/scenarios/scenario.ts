import type { Outcome } from '../figures.ts';
import type { Site } from '../site.ts';

/** One thing to measure. `run` resolves with what it found, and rejects when it could not be measured. */
export interface Scenario {
  name: string;
  /** What is measured, in one line. */
  about: string;
  run(site: Site): Promise<Outcome>;
}
