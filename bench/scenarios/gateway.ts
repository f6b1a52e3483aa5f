import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { createModelServer } from '../../lab/model/server.ts';
import { durations, percentile } from '../figures.ts';
import type { Site } from '../site.ts';
import type { Scenario } from './scenario.ts';

const warmUp = 50;
const requests = 400;
/** A gateway takes 20 requests of a run a second. */
const everyMs = 50;
const streamsAtOnce = 50;
const targetMs = 10;

interface Way {
  socketPath?: string | undefined;
  url: string;
  headers: Record<string, string>;
}

/** What an agent in the middle of its work asks: a conversation of 75 kB, as Claude Code begins with. */
const body = JSON.stringify({
  model: 'claude-sonnet-5',
  max_tokens: 1000,
  stream: true,
  system: 'x'.repeat(70_000),
  messages: [{ role: 'user', content: 'hello' }],
});

/**
 * What the gateway of a run adds to the time to the first byte of an answer, on one connection that stays open, as clients keep them.
 * Model and gateway are processes of their own. Direct requests and those through the gateway take turns, so that both see the same machine.
 */
export const gateway: Scenario = {
  name: 'gateway',
  about: `what the gateway of models adds to the time to first byte: ${requests} requests of ${Math.round(body.length / 1000)} kB each way`,
  async run(site) {
    const model = await createModelServer({ keep: 10 });
    site.onEnd(() => model.close());
    const opened = await openGateway(site, model.anthropicUrl);
    const common = { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' };
    const direct: Way = { url: `${model.anthropicUrl}/v1/messages`, headers: { ...common, 'x-api-key': 'real' } };
    const through: Way = {
      socketPath: opened.socketPath,
      url: 'http://gateway/anthropic/v1/messages',
      headers: { ...common, 'x-api-key': opened.token },
    };
    const agents = { direct: new Agent({ keepAlive: true }), through: new Agent({ keepAlive: true }) };
    const times: Record<'direct' | 'through', number[]> = { direct: [], through: [] };
    const added: number[] = [];
    for (let at = 0; at < warmUp + requests; at += 1) {
      await site.pause(everyMs);
      const one = await firstByte(direct, agents.direct);
      const other = await firstByte(through, agents.through);
      if (at < warmUp) continue;
      times.direct.push(one);
      times.through.push(other);
      added.push(other - one);
    }
    await site.pause(streamsAtOnce * everyMs);
    const since = performance.now();
    const crowd = await Promise.all(
      Array.from({ length: streamsAtOnce }, () => firstByte(through, new Agent({ keepAlive: false }))),
    );
    const crowdMs = performance.now() - since;
    for (const agent of Object.values(agents)) agent.destroy();
    const p = (rank: number) => percentile(times.through, rank) - percentile(times.direct, rank);
    return {
      figures: [
        ...durations('time to first byte, direct', times.direct),
        ...durations('time to first byte, through the gateway', times.through),
        { name: 'added at p50', value: p(50), unit: 'ms', target: { below: targetMs } },
        { name: 'added at p99', value: p(99), unit: 'ms' },
        { name: 'added between neighbours, p50', value: percentile(added, 50), unit: 'ms', target: { below: targetMs } },
        { name: `${streamsAtOnce} streams at once, slowest first byte`, value: Math.max(...crowd), unit: 'ms' },
        { name: `${streamsAtOnce} streams at once, all answered`, value: crowdMs, unit: 'ms' },
      ],
      notes: ['the budget is granted without a question to the database'],
      broken: [],
    };
  },
};

async function openGateway(site: Site, baseUrl: string): Promise<{ socketPath: string; token: string }> {
  const directory = join(site.dir, 'gw');
  await mkdir(directory);
  const token = 'dhr_bench';
  const child = fork(join(import.meta.dirname, '../gateway-process.ts'), [JSON.stringify({ directory, token, baseUrl })]);
  site.onEnd(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  await once(child, 'message');
  return { socketPath: join(directory, 'gw.sock'), token };
}

/** Milliseconds to the first byte of the body. Reads the answer to its end. */
async function firstByte({ socketPath, url, headers }: Way, agent: Agent): Promise<number> {
  const since = performance.now();
  const asking = request(url, { method: 'POST', agent, headers, ...(socketPath === undefined ? {} : { socketPath }) });
  asking.end(body);
  const [response] = await once(asking, 'response');
  if (response.statusCode !== 200) throw new Error(`the answer is ${response.statusCode}`);
  let first: number | undefined;
  for await (const _ of response) first ??= performance.now() - since;
  if (first === undefined) throw new Error('the answer is empty');
  return first;
}
