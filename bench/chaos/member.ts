import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Program, runDeckhand } from '../../tests/support/deckhand-process.ts';
import { memoryOf } from '../processes.ts';
import type { SkewedClock } from './clocks.ts';
import type { Look } from './memory.ts';

const stopsWithinMs = 45_000;
const startsAgainAfterMs = 300;

// The last resort: whatever way this program ends, none that it started stays.
const running = new Set<Program>();
process.on('exit', () => {
  for (const program of running) program.signal('SIGKILL');
});

const inside = fileURLToPath(new URL('inside.ts', import.meta.url));

export interface MemberPlace {
  dataDir: string;
  /** A file that tells the process at which named point it ends; inside.ts reads it. */
  order: string;
  /** Undefined: that of the machine. */
  clock: SkewedClock | undefined;
}

/** A gateway or a runner, one process after the other: what ends is started again, as by a supervisor. */
export class Member {
  readonly name: string;
  readonly role: 'gateway' | 'runner';
  readonly #place: MemberPlace;
  readonly #settings: Record<string, string>;
  #program: Program | undefined;
  readonly #asked = new Set<Program>();
  #over = false;
  #living: Promise<void> | undefined;
  starts = 0;
  /** Starts that did not come to an end because what they need was away: the next one follows. */
  failedStarts = 0;
  /** Ends that nobody asked for, once it was ready, with the last lines of the log. */
  readonly surprises: string[] = [];
  /** Lines of the log that tell of an error. */
  readonly errors: string[] = [];
  /** All that its processes have logged. */
  readonly log: string[] = [];
  /** Memory that only its process has, in the order in which it was looked at. */
  readonly memory: Look[] = [];
  /** Points at which it has ended as it was told. */
  readonly diedAt: string[] = [];
  #ordered: string | undefined;
  #readySince = 0;

  constructor(name: string, role: 'gateway' | 'runner', place: MemberPlace, settings: Record<string, string>) {
    this.name = name;
    this.role = role;
    this.#place = place;
    this.#settings = {
      ...settings,
      ...place.clock?.variables,
      NODE_OPTIONS: `--import=${inside}`,
      CHAOS_ORDER: place.order,
      CHAOS_PARENT: String(process.pid),
    };
  }

  get clock(): SkewedClock | undefined {
    return this.#place.clock;
  }

  begin(): void {
    this.#living = this.#live();
  }

  isReady(): boolean {
    return this.#program?.logged('ready').length === 1;
  }

  /** It is never ended before the end, so that one process is seen for the whole time. */
  spared = false;

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    if (this.spared && !this.#over) return;
    await this.#end('SIGKILL');
  }

  /** It ends as in a crash when it comes to this point next; undefined: it does not. */
  async killAt(point: string | undefined): Promise<void> {
    if (this.spared) return;
    this.#ordered = point;
    if (point === undefined) await rm(this.#place.order, { force: true });
    else await writeFile(this.#place.order, point);
  }

  /** Ends it as a supervisor does. */
  async restart(): Promise<void> {
    if (this.spared && !this.#over) return;
    const impatience = setTimeout(() => {
      this.surprises.push(`${this.name} did not end within ${stopsWithinMs / 1000} s of SIGTERM`);
      void this.#end('SIGKILL');
    }, stopsWithinMs);
    const code = await this.#end('SIGTERM');
    clearTimeout(impatience);
    if (code !== 0 && code !== undefined) this.surprises.push(`${this.name} ended with ${code} after SIGTERM`);
  }

  async end(): Promise<void> {
    this.#over = true;
    await this.kill();
    await this.#living;
  }

  lookAtMemory(): void {
    const at = performance.now();
    if (!this.isReady()) this.#readySince = at;
    const memory = this.isReady() ? memoryOf(this.#program?.pid ?? 0) : undefined;
    if (memory !== undefined) this.memory.push({ at, age: at - this.#readySince, megabytes: memory.own });
  }

  /** Exit code; null: killed; undefined: it did not run. */
  async #end(signal: NodeJS.Signals): Promise<number | null | undefined> {
    const program = this.#program;
    if (program === undefined) return undefined;
    // One that has not come to hear signals yet is ended by them as every process is.
    const hears = this.isReady();
    this.#asked.add(program);
    const code = await program.end(signal);
    return hears ? code : undefined;
  }

  async #live(): Promise<void> {
    while (!this.#over) {
      this.starts += 1;
      const program = runDeckhand([this.role], this.#place.dataDir, this.#settings);
      running.add(program);
      this.#program = program;
      const code = await program.ended;
      const wasReady = this.isReady();
      this.#program = undefined;
      this.#readySince = performance.now();
      running.delete(program);
      const point = this.#ordered;
      if (code === null && point !== undefined && !existsSync(this.#place.order)) {
        this.#asked.add(program);
        this.#ordered = undefined;
        this.diedAt.push(point);
      }
      this.log.push(...program.log, `${new Date().toISOString()} ended with ${code}`);
      this.errors.push(...program.log.filter((line) => /"level":"(error|fatal)"/.test(line)));
      if (!this.#asked.has(program) && !wasReady) this.failedStarts += 1;
      if (!this.#asked.has(program) && wasReady) {
        this.surprises.push(
          [`${this.name} ended by itself with ${code}`, ...program.log.slice(-3)].join('\n    ').slice(0, 2000),
        );
      }
      await delay(startsAgainAfterMs);
    }
  }
}
