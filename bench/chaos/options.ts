import { parseArgs } from 'node:util';

export interface ChaosOptions {
  seed: number;
  /** How long people work and things break. Waiting for calm comes on top. */
  minutes: number;
  /** Requests that people make in that time. */
  runs: number;
  redis: boolean;
  sandbox: 'local' | 'docker';
  /** Address of an empty database; undefined: an embedded one. */
  database: string | undefined;
  /** The first gateway and the first runner are never ended. */
  spare: boolean;
  /** The report as JSON. */
  json: boolean;
  /** Directory for the logs of all processes. */
  logs: string | undefined;
}

export const usage = `npm run chaos -- [options]
  --seed N                 the chances of an earlier run; default: random
  --minutes N              how long people work while things break; default 30
  --runs N                 requests in that time; default 10 a minute
  --redis                  jobs and wake-ups in a Redis that is cut off, killed and wiped
  --sandbox local|docker   default local
  --database URL           an empty PostgreSQL database; default: an embedded one, which is crashed too
  --spare                  never ends the first gateway and the first runner: their memory is seen for the whole time
  --json                   the report as JSON
  --logs DIR               writes the logs of all processes there
`;

/** Throws with what is wrong, for people. */
export function readOptions(args: readonly string[], anySeed: () => number): ChaosOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      minutes: { type: 'string', default: '30' },
      runs: { type: 'string' },
      redis: { type: 'boolean', default: false },
      sandbox: { type: 'string', default: 'local' },
      database: { type: 'string' },
      spare: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      logs: { type: 'string' },
    },
  });
  const number = (name: string, text: string) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= 0)) throw new Error(`--${name} takes a number`);
    return value;
  };
  const { sandbox } = values;
  if (sandbox !== 'local' && sandbox !== 'docker') throw new Error('--sandbox takes local or docker');
  const minutes = number('minutes', values.minutes);
  return {
    seed: values.seed === undefined ? anySeed() : number('seed', values.seed),
    minutes,
    runs: Math.round(values.runs === undefined ? minutes * 10 : number('runs', values.runs)),
    redis: values.redis,
    sandbox,
    database: values.database,
    spare: values.spare,
    json: values.json,
    logs: values.logs,
  };
}
