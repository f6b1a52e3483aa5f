import { setTimeout as delay } from 'node:timers/promises';
import type { Chances, Person } from './chaos-plan.ts';
import { type DeckhandProcess, type Program, runDeckhand, startDeckhand } from './deckhand-process.ts';
import { LabClient } from './lab-client.ts';
import { processesOf } from './machine-traces.ts';
import { waitFor } from './wait-for.ts';

/** How a life ends: killed alone, with its database, in the moment after or while it accepts something; or only its database dies. */
export const deaths = ['alone', 'with the database', 'after an answer', 'while asked', 'only the database'] as const;

export type Death = (typeof deaths)[number];

/** One life after the other of `deckhand start` on one data directory. */
export class ChaosLife {
  readonly dataDir: string;
  readonly #settings: Record<string, string>;
  readonly #chances: Chances;
  readonly #programs: Program[] = [];
  readonly #listeners = { asking: new Set<() => void>(), answered: new Set<() => void>() };
  #current: DeckhandProcess | undefined;
  /** Processes that had to live on without their database for a while. */
  readonly #bereft = new Set<number>();
  #over = false;
  /** What happened when, to be read when a test fails. */
  readonly story: string[] = [];
  readonly #since = performance.now();

  constructor(dataDir: string, settings: Record<string, string>, chances: Chances) {
    this.dataDir = dataDir;
    this.#settings = settings;
    this.#chances = chances;
  }

  /** Somebody in the lab of the life there is now. Throws while there is none. */
  as(person: Person): LabClient {
    return new LabClient(this.running().url, person);
  }

  running(): DeckhandProcess {
    if (this.#current === undefined) throw new Error('Deckhand does not run');
    return this.#current;
  }

  /** Does something that the lab answers. Kills may wait for such moments. */
  async ask<T>(what: string, work: () => Promise<T>): Promise<T> {
    for (const listener of this.#listeners.asking) listener();
    const answer = await work();
    for (const listener of this.#listeners.answered) listener();
    this.tell(`accepted: ${what}`);
    return answer;
  }

  tell(what: string): void {
    this.story.push(`${((performance.now() - this.#since) / 1000).toFixed(2)} s ${what}`);
  }

  async start(): Promise<DeckhandProcess> {
    if (this.#over) throw new Error('there are no more lives');
    this.tell('starts');
    const deckhand = await startDeckhand(this.dataDir, this.#settings);
    this.#programs.push(deckhand);
    if (this.#over) await deckhand.end('SIGKILL');
    else this.#current = deckhand;
    this.tell('is ready');
    return deckhand;
  }

  /** Starts and is killed before, or soon after, it is ready. */
  async cutShort(): Promise<void> {
    if (this.#over) throw new Error('there are no more lives');
    const program = runDeckhand(['start'], this.dataDir, this.#settings);
    this.#programs.push(program);
    const after = this.#chances.between(50, 2000);
    await delay(after);
    this.tell(`is killed ${after} ms after its start`);
    await program.end('SIGKILL');
  }

  /** A life that ends by this death. */
  async liveAndDie(death: Death): Promise<void> {
    await this.start();
    await delay(this.#chances.between(100, 2500));
    if (death === 'after an answer') await this.#next('answered');
    if (death === 'while asked') {
      await this.#next('asking');
      await delay(this.#chances.between(0, 40));
    }
    if (death === 'only the database') {
      this.tell('its database is killed');
      this.#bereft.add(this.running().pid);
      this.#killDatabase();
      await delay(this.#chances.between(0, 2500));
    }
    await this.kill(death === 'with the database');
    this.tell(`is killed: ${death}`);
  }

  async kill(withDatabase = false): Promise<void> {
    const deckhand = this.running();
    this.#current = undefined;
    deckhand.signal('SIGKILL');
    if (withDatabase) this.#killDatabase();
    await deckhand.ended;
  }

  /**
   * Lines that tell of an error, of all lives whose database was left alone. The lab forgets with each life what opens a form: one that
   * was asked for before is too late, and the person is told.
   */
  complaints(): string[] {
    return this.#programs
      .filter((program) => !this.#bereft.has(program.pid))
      .flatMap(({ log }) => log.filter((line) => /"level":"(error|fatal)"/.test(line) || /^\s+at /.test(line)))
      .filter((line) => !line.includes('views.open: invalid_trigger_id'));
  }

  /** What all lives logged as unusual about runs, to be read when a test fails. */
  warnings(): string[] {
    const told = this.#programs.flatMap(({ log }) => log.filter((line) => /"level":"(warn|error|fatal)".*"run":/.test(line)));
    return told.map((line) => line.slice(0, 600));
  }

  /** Ends everything, at once, whatever state it is in. */
  async end(): Promise<void> {
    this.#over = true;
    this.#current = undefined;
    for (const program of this.#programs) await program.end('SIGKILL');
    for (const { pid } of processesOf(this.dataDir)) killIfAlive(pid);
  }

  #killDatabase(): void {
    const server = processesOf(this.dataDir).find(({ command }) => command.includes('/postgres -D '));
    if (server !== undefined) killIfAlive(server.pid);
  }

  /** The next moment of that kind, or when none comes soon. */
  #next(moment: 'asking' | 'answered'): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, 2000);
    const listeners = this.#listeners[moment];
    listeners.add(resolve);
    return promise.finally(() => {
      clearTimeout(timer);
      listeners.delete(resolve);
    });
  }

  /** Resolves when there is a life that can be asked. */
  async up(): Promise<void> {
    await waitFor('Deckhand to run', () => this.running(), { timeoutMs: 60_000, everyMs: 10 });
  }
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
