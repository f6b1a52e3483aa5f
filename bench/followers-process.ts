/**
 * Follows runs over HTTP as programs elsewhere would, in a process of its own. Argument: `Following` as JSON. Sends 'open' when all streams
 * are, and `Followed` when it is told 'report' over its channel. Times are of the machine's monotonic clock, which all processes share.
 */
import { Agent, request } from 'node:http';

export interface Following {
  url: string;
  streams: { run: string; token: string; after: number }[];
}

export interface Followed {
  /** For each event at each follower one after the other: when its append began, and when it arrived, in microseconds. */
  times: Float64Array;
  /** Number of the last event of each stream. */
  last: number[];
  /** Events that were missing or came twice. */
  wrong: number;
  ended: number;
}

const { url, streams } = JSON.parse(process.argv[2] ?? '{}') as Following;
const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY });
let times = new Float64Array(1 << 16);
let count = 0;
let wrong = 0;
let ended = 0;
const last = streams.map(({ after }) => after);

/** The moment at which the append of an event began is the first word of its text, in microseconds. */
const frame = /^id: (\d+)\n[\s\S]*"text":"(\d+)µ/;

function arrived(stream: number, text: string): void {
  const now = Number(process.hrtime.bigint() / 1000n);
  const found = frame.exec(text);
  const id = /^id: (\d+)/.exec(text)?.[1];
  if (id === undefined) return;
  if (Number(id) !== (last[stream] ?? 0) + 1) wrong += 1;
  last[stream] = Number(id);
  if (found === null) return;
  if (count === times.length) {
    const larger = new Float64Array(times.length * 2);
    larger.set(times);
    times = larger;
  }
  times[count] = Number(found[2]);
  times[count + 1] = now;
  count += 2;
}

function follow(stream: number): Promise<void> {
  const { run, token, after } = streams[stream] ?? { run: '', token: '', after: 0 };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const headers = { accept: 'text/event-stream', authorization: `Bearer ${token}` };
  const asked = request(`${url}/api/v1/runs/${run}/events?after=${after}`, { agent, headers }, (answer) => {
    if (answer.statusCode !== 200) return reject(new Error(`a stream was answered ${answer.statusCode}`));
    let rest = '';
    answer.setEncoding('utf8');
    answer.on('data', (piece: string) => {
      const frames = (rest + piece).split('\n\n');
      rest = frames.pop() ?? '';
      for (const one of frames) arrived(stream, one);
    });
    answer.on('close', () => {
      ended += 1;
    });
    resolve();
  });
  asked.on('error', reject);
  asked.end();
  return promise;
}

process.on('message', (message) => {
  if (message === 'forget') count = 0;
  if (message === 'report') process.send?.({ times: times.slice(0, count), last, wrong, ended } satisfies Followed);
});
process.once('disconnect', () => process.exit(0));
await Promise.all(streams.map((_, stream) => follow(stream)));
process.send?.('open');
