import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { gatewayDirectory, gatewayMount, initArguments, lockedDown, sandboxLabels, sandboxUser } from './docker-container.ts';
import { collectFrom } from './docker-exec.ts';
import { HelperFailed, type SandboxLimits } from './port.ts';
import { readAll } from './tar.ts';

const answer = 'the gateway answers';
const socket = `${gatewayDirectory}/gw.sock`;
const asking = ['curl', '--silent', '--show-error', '--max-time', '5', '--unix-socket', socket, 'http://gateway/'] as const;
const helper = { argv: asking, timeMs: 20_000, outputBytes: 64 * 1024 };
/** Longest path of a directory whose sockets every system takes. */
const longestDirectory = 80;

/**
 * Whether a sandbox reaches a socket of this machine, which is how agents reach their models. Does so where the engine runs here and
 * sees the same files; throws an Error that says what happens instead.
 */
export async function tryGateway(p: {
  docker: Docker;
  instance: string;
  image: string;
  /** Run id of the examination. */
  run: string;
  limits: Pick<SandboxLimits, 'memoryBytes' | 'cpus' | 'pids' | 'fileBytes'>;
  /** Where gateways have their directories. */
  root: string | undefined;
  signal: AbortSignal | undefined;
}): Promise<void> {
  const { root, signal } = p;
  // An examination makes no directory that stays.
  const usable = root !== undefined && root.length <= longestDirectory && existsSync(root);
  const directory = await mkdtemp(join(usable ? root : tmpdir(), 'probe-'));
  const server = createServer((near) => {
    near.on('error', () => near.destroy());
    near.end(`HTTP/1.1 200 OK\r\ncontent-length: ${answer.length}\r\nconnection: close\r\n\r\n${answer}`);
  });
  try {
    server.listen({ path: join(directory, 'gw.sock'), readableAll: true, writableAll: true });
    await once(server, 'listening');
    await chmod(directory, 0o711);
    const options: Docker.ContainerCreateOptions = {
      Image: p.image,
      Hostname: 'sandbox',
      User: `${sandboxUser}:${sandboxUser}`,
      Entrypoint: [...initArguments(helper), '--'],
      Cmd: [...helper.argv],
      Labels: sandboxLabels(p.instance, p.run, new Date(Date.now() + 120_000), 'probe'),
      HostConfig: { ...lockedDown(p.limits, undefined), Mounts: [gatewayMount(directory)] },
    };
    const told = (await readAll(collectFrom(p.docker, options, helper, signal), helper.outputBytes)).toString();
    if (told !== answer) throw new Error('a sandbox does not reach a socket of this machine: something else answers there');
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof HelperFailed)) throw error;
    throw new Error(`a sandbox does not reach a socket of this machine: ${error.stderr.trim() || error.message}`, {
      cause: error,
    });
  } finally {
    server.close();
    await rm(directory, { recursive: true, force: true });
  }
}
