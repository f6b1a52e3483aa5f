import { lookup } from 'node:dns/promises';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from '../../src/runtime/logger.ts';
import { isAllowed, isInner, isOwn, nameAndPort } from './addresses.ts';
import { connectThrough, connectTo, machineProxy, NotReached } from './egress-route.ts';
import type { GatewayRun } from './port.ts';

export interface EgressOptions {
  logger: Logger;
  /** Proxies of this machine, as in HTTPS_PROXY and NO_PROXY: allowed hosts are reached through them. */
  environment: Readonly<Record<string, string | undefined>>;
  /** A tunnel in which nothing passes for so long ends. Milliseconds; default 2 min. */
  idleMs?: number | undefined;
  /** Addresses of a name; for tests. */
  resolve?: ((host: string) => Promise<string[]>) | undefined;
  /** Whether an address is out of bounds; for tests, which have nothing but loopback. */
  isInner?: ((address: string) => boolean) | undefined;
  /** Port of allowed hosts; for tests. Default 443. */
  egressPort?: number | undefined;
}

/** The tunnels of one run. */
export interface Egress {
  /** Answers `CONNECT host:443`; the token has been checked. Never throws. */
  tunnel(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void>;
  /** Refuses a request for a whole address, `GET http://…`: there is no way out but TLS. Returns what to say. */
  refusePlain(url: string): string;
  /** Ends every tunnel and writes down what went through, a line for each host. */
  close(): void;
}

interface Passed {
  allowed: boolean;
  asked: number;
  /** Bytes. */
  sent: number;
  received: number;
}

const connectMs = 20_000;
const mostTunnels = 64;
/** So many hosts of a run are told of; what a program makes up beyond is refused in silence. */
const mostHosts = 200;
const mostAddresses = 4;

export function createEgress(options: EgressOptions): (run: GatewayRun) => Egress {
  const resolve = options.resolve ?? (async (host: string) => (await lookup(host, { all: true })).map(({ address }) => address));
  const isForbidden = options.isInner ?? ((address: string) => isInner(address) || isOwn(address));
  const idleMs = options.idleMs ?? 120_000;
  const port = options.egressPort ?? 443;

  /** The name is looked up once, here, and exactly what was found is connected to. */
  async function reach(name: string, signal: AbortSignal): Promise<Socket> {
    const proxy = machineProxy(options.environment, name);
    if (proxy !== undefined) return await connectThrough(proxy, name, connectMs, signal);
    const found = await resolve(name).catch(() => {
      throw new NotReached(502, 'The host is not known here.');
    });
    const addresses = found.filter((address) => !isForbidden(address)).slice(0, mostAddresses);
    if (addresses.length === 0) throw new NotReached(403, 'The host leads inside.');
    return await connectTo(addresses, port, connectMs, signal);
  }

  return (run) => {
    const hosts = new Map<string, Passed>();
    const open = new Set<Duplex>();
    const closed = new AbortController();

    function note(host: string, allowed: boolean): Passed {
      const key = `${allowed} ${host}`;
      const known = hosts.get(key);
      if (known !== undefined) {
        known.asked += 1;
        return known;
      }
      const fresh = { allowed, asked: 1, sent: 0, received: 0 };
      if (hosts.size >= mostHosts) return fresh;
      hosts.set(key, fresh);
      run.host(host, allowed);
      return fresh;
    }

    async function pass(name: string, client: Duplex, head: Buffer): Promise<void> {
      const passed = note(name, true);
      const left = new AbortController();
      client.once('close', () => left.abort());
      const server = await reach(name, AbortSignal.any([closed.signal, left.signal]));
      open.add(server);
      const end = () => {
        client.destroy();
        server.destroy();
        open.delete(server);
      };
      server.setTimeout(idleMs, end);
      server.on('error', end).once('close', end);
      client.once('close', end);
      server.on('data', (chunk: Buffer) => {
        passed.received += chunk.length;
      });
      client.on('data', (chunk: Buffer) => {
        passed.sent += chunk.length;
      });
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      if (head.length > 0) client.unshift(head);
      client.pipe(server).pipe(client);
    }

    return {
      async tunnel(request, client, head) {
        const refuse = (status: string, message: string) =>
          client.end(
            `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(message)}\r\nConnection: close\r\n\r\n${message}`,
          );
        client.on('error', () => client.destroy());
        open.add(client);
        client.once('close', () => open.delete(client));
        try {
          const target = nameAndPort(request.url ?? '');
          if (target === undefined) return void refuse('403 Forbidden', 'Only hosts by name are open to sandboxes.\n');
          const { name } = target;
          if (target.port !== 443 || !isAllowed(name, run.hosts)) {
            note(name, false);
            const allowed = run.hosts.length === 0 ? 'none is' : `allowed: ${run.hosts.join(', ')}`;
            return void refuse('403 Forbidden', `${name}:${target.port} is not open to this sandbox; ${allowed}.\n`);
          }
          if (open.size > 2 * mostTunnels) return void refuse('429 Too Many Requests', 'Too many connections at once.\n');
          await pass(name, client, head);
        } catch (error) {
          if (closed.signal.aborted || client.destroyed) return void client.destroy();
          const known = error instanceof NotReached ? error : new NotReached(502, 'The host cannot be reached.');
          options.logger.info({ run: run.run, err: error }, 'an allowed host could not be reached');
          refuse(`${known.status} Not reached`, `${known.message}\n`);
        }
      },
      refusePlain(url) {
        const name = nameAndPort(`${/^[a-z]+:\/\/([^/:?#@]+)/i.exec(url)?.[1] ?? ''}:80`)?.name;
        if (name !== undefined) note(name, false);
        return 'Sandboxes reach allowed hosts over TLS only: use https, with this proxy in HTTPS_PROXY. Addresses of the sandbox itself go into NO_PROXY.';
      },
      close() {
        closed.abort();
        for (const socket of open) socket.destroy();
        for (const [key, { allowed, asked, sent, received }] of hosts) {
          const host = key.slice(key.indexOf(' ') + 1);
          options.logger.info({ run: run.run, host, allowed, asked, sent, received }, 'what a sandbox exchanged with a host');
        }
        hosts.clear();
      },
    };
  };
}
