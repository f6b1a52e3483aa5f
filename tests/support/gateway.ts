import { mkdir, rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createModelServer, type ModelServer, type ModelServerOptions } from '../../lab/model/server.ts';
import { createGateways, type GatewaysOptions } from '../../runner/proxy/gateways.ts';
import type { Gateway, GatewayRun } from '../../runner/proxy/port.ts';
import type { NumberedInput, Usage } from '../../src/contracts/agent.ts';
import type { SpendRequest } from '../../src/contracts/agent-control.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { temporaryDirectory } from './git-repository.ts';

export const realKeys = { anthropic: 'sk-ant-the-real-one', openai: 'sk-the-real-one' };

export interface OpenRun {
  gateway: Gateway;
  socketPath: string;
  token: string;
  /** What was counted, in order. */
  used: Usage[];
  /** `registry.test yes`, each host as often as the gateway tells of it. */
  hosts: string[];
  /** What the budget says from now on. */
  verdict: Awaited<ReturnType<GatewayRun['maySpend']>>;
  /** How often the budget was asked, and what was asked last. */
  asked: number;
  request: SpendRequest | undefined;
  /** Requests that were asked for and not used. */
  /** Requests that were not answered, and those that never left. */
  unused: string[];
  unsent: string[];
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** Gateways in front of a scripted model, and what asks them over their sockets. */
export async function createGatewayWorld(options: Partial<GatewaysOptions> = {}, server: ModelServerOptions = {}) {
  const place = await temporaryDirectory('gateway');
  const model: ModelServer = await createModelServer({ anthropicKey: realKeys.anthropic, openaiKey: realKeys.openai, ...server });
  const log: string[] = [];
  const logger = createLogger({ level: 'debug', destination: { write: (line) => void log.push(line) } });
  const gateways = createGateways({ logger, environment: {}, spendEveryMs: 20, ...options });
  let count = 0;

  return {
    model,
    /** Lines of JSON. */
    log,
    gateways,
    async open(change: Partial<GatewayRun> = {}): Promise<OpenRun> {
      count += 1;
      const directory = join(place.path, `run${count}`);
      await mkdir(directory);
      const token = `dhr_token-of-run-${count}`;
      const seen: Omit<OpenRun, 'gateway'> = {
        socketPath: join(directory, 'gw.sock'),
        token,
        used: [],
        hosts: [],
        verdict: { verdict: 'go' },
        asked: 0,
        request: undefined,
        unused: [],
        unsent: [],
      };
      const gateway = await gateways.open({
        run: `run_${count}`,
        token,
        directory,
        models: {
          anthropic: { baseUrl: model.anthropicUrl, key: realKeys.anthropic },
          openai: { baseUrl: model.openaiUrl, key: realKeys.openai },
        },
        providerTools: false,
        hosts: [],
        async maySpend(asked) {
          seen.asked += 1;
          seen.request = asked;
          return seen.verdict;
        },
        async used(usage) {
          seen.used.push(usage);
        },
        async unused(request, reached) {
          (reached ? seen.unused : seen.unsent).push(request);
        },
        host: (host, allowed) => void seen.hosts.push(`${host} ${allowed ? 'yes' : 'no'}`),
        async *inputs(): AsyncGenerator<NumberedInput> {},
        ...change,
      });
      return Object.assign(seen, { gateway });
    },
    async close() {
      await gateways.close();
      await model.close();
      await rm(place.path, { recursive: true, force: true });
    },
  };
}

export type GatewayWorld = Awaited<ReturnType<typeof createGatewayWorld>>;

/** A request as the bridge passes it on. `token` undefined: that of the run; null: none. */
export async function askGateway(
  run: OpenRun,
  input: { method?: string; path: string; body?: string | Buffer; headers?: Record<string, string>; token?: string | null },
): Promise<Answer> {
  const token = input.token === undefined ? run.token : input.token;
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const asking = httpRequest({
    socketPath: run.socketPath,
    method: input.method ?? 'POST',
    path: input.path,
    agent: false,
    headers: {
      'content-type': 'application/json',
      'anthropic-version': '2023-06-01',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...input.headers,
    },
  });
  asking.once('response', (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.once('end', () => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() });
    });
    response.once('error', reject);
  });
  asking.on('error', reject);
  asking.end(input.body);
  return await promise;
}

export const messagesPath = '/anthropic/v1/messages';
export const responsesPath = '/openai/v1/responses';

export function messagesBody(change: Record<string, unknown> = {}): string {
  return JSON.stringify({
    model: 'claude-sonnet-5',
    max_tokens: 1000,
    stream: true,
    messages: [{ role: 'user', content: 'hello' }],
    ...change,
  });
}

export function responsesBody(change: Record<string, unknown> = {}): string {
  const input = [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hello' }] }];
  return JSON.stringify({ model: 'gpt-6.1-sol', stream: true, store: false, input, ...change });
}

/** A tunnel as programs ask for one; resolves with the socket and the head of the answer. */
export async function openTunnel(run: OpenRun, authority: string, token = run.token): Promise<{ head: string; socket: Socket }> {
  const socket = connect(run.socketPath);
  const credentials = Buffer.from(`run:${token}`).toString('base64');
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\nProxy-Authorization: Basic ${credentials}\r\n\r\n`);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let head = '';
  const read = (chunk: Buffer) => {
    head += chunk.toString('latin1');
    if (head.includes('\r\n\r\n')) resolve(head);
  };
  socket.on('data', read);
  socket.once('close', () => reject(new Error(`closed after ${JSON.stringify(head)}`)));
  socket.on('error', reject);
  const told = await promise;
  socket.off('data', read);
  return { head: told, socket };
}
