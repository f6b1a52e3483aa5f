import { PrismaPg } from '@prisma/adapter-pg';

/** Told how long things took, in milliseconds. */
export interface DatabaseTimes {
  /** A statement, with the way to the server and back. */
  onStatement(ms: number): void;
  /** Getting a connection of the pool and beginning a transaction on it. */
  onBegin(ms: number): void;
}

type Adapter = Awaited<ReturnType<PrismaPg['connect']>>;
type Statements = Pick<Adapter, 'queryRaw' | 'executeRaw'>;

/** The driver of PostgreSQL, with a clock around what it does. */
export class TimedPg extends PrismaPg {
  readonly #times: DatabaseTimes;

  constructor(times: DatabaseTimes, ...rest: ConstructorParameters<typeof PrismaPg>) {
    super(...rest);
    this.#times = times;
  }

  override async connect(): Promise<Adapter> {
    const adapter = await super.connect();
    const { onStatement, onBegin } = this.#times;
    const begin = adapter.startTransaction.bind(adapter);
    timeStatements(adapter, onStatement);
    adapter.startTransaction = async (...args) => {
      const transaction = await timed(onBegin, () => begin(...args));
      timeStatements(transaction, onStatement);
      return transaction;
    };
    return adapter;
  }
}

function timeStatements(on: Statements, told: (ms: number) => void): void {
  const [query, execute] = [on.queryRaw.bind(on), on.executeRaw.bind(on)];
  on.queryRaw = (...args) => timed(told, () => query(...args));
  on.executeRaw = (...args) => timed(told, () => execute(...args));
}

async function timed<T>(told: (ms: number) => void, work: () => Promise<T>): Promise<T> {
  const since = performance.now();
  try {
    return await work();
  } finally {
    told(performance.now() - since);
  }
}
