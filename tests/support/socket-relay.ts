import { rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * Stands between a program and a server on a unix socket, so that a test can take the server away from the program without touching
 * it. Cut at first: whoever connects finds no socket.
 */
export interface SocketRelay {
  /** Address for DOCKER_HOST. */
  readonly address: string;
  /** Connections pass from now on. */
  mend(): Promise<void>;
  /** Breaks every connection and takes the socket away. */
  cut(): Promise<void>;
}

export function createSocketRelay(path: string, target: string): SocketRelay {
  const open = new Set<Socket>();
  let server: Server | undefined;

  function pass(client: Socket): void {
    const upstream = connect({ path: target, allowHalfOpen: true });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from);
      from.pipe(to);
      // A broken side breaks the other, as it does without anything in between.
      from.on('error', () => to.destroy());
      from.on('close', () => {
        open.delete(from);
        if (from.errored !== null || !from.readableEnded) to.destroy();
      });
    }
  }

  return {
    address: `unix://${path}`,
    async mend() {
      const listening = createServer({ allowHalfOpen: true }, pass);
      await new Promise<void>((resolve, reject) => listening.once('error', reject).listen(path, resolve));
      server = listening;
    },
    async cut() {
      const listening = server;
      server = undefined;
      if (listening === undefined) return;
      const closed = new Promise<void>((resolve) => listening.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
      rmSync(path, { force: true });
    },
  };
}
