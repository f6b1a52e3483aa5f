import { lookup } from 'node:dns/promises';
import type { IncomingMessage } from 'node:http';
import { BlockList, connect, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from '../../src/runtime/logger.ts';
import type { GatewayRun } from './port.ts';

/** Addresses that no sandbox may reach by whatever name: this machine, its networks, the metadata of clouds. */
const inner = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  inner.addSubnet(net, bits, 'ipv4');
}
for (const [net, bits] of [
  ['::', 96],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  inner.addSubnet(net, bits, 'ipv6');
}

export function isInner(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return isInner(mapped);
  const family = isIP(address);
  return family === 0 || inner.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** `registry.npmjs.org` or, with `*.`, every host below a domain. Compared without regard to case. */
export function isAllowed(host: string, allowed: readonly string[]): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  return allowed.some((pattern) => {
    const lower = pattern.toLowerCase();
    return lower.startsWith('*.') ? name.endsWith(lower.slice(1)) && name.length > lower.length - 1 : name === lower;
  });
}

export interface EgressOptions {
  logger: Logger;
  /** Addresses of a name; for tests. */
  resolve?: ((host: string) => Promise<string[]>) | undefined;
  /** Whether an address is out of bounds; for tests, which have nothing but loopback. */
  isInner?: ((address: string) => boolean) | undefined;
}

const connectMs = 30_000;

/** A tunnel to an allowed host: `CONNECT host:443`. The name is looked up once, here, and exactly that address is connected to. */
export function createEgress(options: EgressOptions) {
  const resolve = options.resolve ?? (async (host: string) => (await lookup(host, { all: true })).map(({ address }) => address));
  const isForbidden = options.isInner ?? isInner;

  return async function tunnel(run: GatewayRun, request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    const [, host = '', port] = /^(.+):(\d+)$/.exec(request.url ?? '') ?? [];
    const answer = (status: string) => client.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
    client.on('error', () => client.destroy());
    if (port !== '443' || isIP(host.replace(/[[\]]/g, '')) !== 0 || !isAllowed(host, run.hosts)) {
      run.host(host, false);
      answer('403 Host not allowed');
      return;
    }
    run.host(host, true);
    try {
      const address = (await resolve(host)).find((found) => !isForbidden(found));
      if (address === undefined) {
        answer('403 Host leads inside');
        return;
      }
      const server = await open(address);
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      if (head.length > 0) server.write(head);
      client.on('close', () => server.destroy());
      server.on('close', () => client.destroy());
      server.on('error', () => client.destroy());
      client.pipe(server).pipe(client);
    } catch (error) {
      options.logger.info({ run: run.run, host, err: error }, 'an allowed host could not be reached');
      answer('502 Not reachable');
    }
  };
}

async function open(address: string): Promise<Socket> {
  const socket = connect({ host: address, port: 443, timeout: connectMs });
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  socket.once('connect', () => {
    socket.setTimeout(0);
    resolve(socket);
  });
  socket.once('error', reject);
  socket.once('timeout', () => socket.destroy(new Error('no answer')));
  return promise;
}
