import { rmSync } from 'node:fs';
import { connect, createServer, type ListenOptions, type NetConnectOpts, type Server, type Socket } from 'node:net';

/**
 * Stands between a program and a server, so that the server can be taken away from the program without touching it. Cut at first:
 * whoever connects is refused.
 */
export interface Relay {
  /** Connections pass from now on. */
  mend(): Promise<void>;
  /** Breaks every connection; whoever connects again comes through. */
  drop(): void;
  /** Breaks every connection and refuses new ones. */
  cut(): Promise<void>;
}

export interface SocketRelay extends Relay {
  /** Address for DOCKER_HOST. */
  readonly address: string;
}

/** Between a program and a server on a unix socket. */
export function createSocketRelay(path: string, target: string): SocketRelay {
  const relay = createRelay({ path }, { path: target });
  return {
    ...relay,
    address: `unix://${path}`,
    async cut() {
      await relay.cut();
      rmSync(path, { force: true });
    },
  };
}

export function createRelay(listen: ListenOptions, target: NetConnectOpts): Relay {
  const open = new Set<Socket>();
  let server: Server | undefined;

  function pass(client: Socket): void {
    const upstream = connect({ ...target, allowHalfOpen: true });
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

  const drop = () => {
    for (const socket of open) socket.destroy();
  };

  return {
    async mend() {
      const listening = createServer({ allowHalfOpen: true }, pass);
      await new Promise<void>((resolve, reject) => listening.once('error', reject).listen(listen, resolve));
      server = listening;
    },
    drop,
    async cut() {
      const listening = server;
      server = undefined;
      if (listening === undefined) return;
      const closed = new Promise<void>((resolve) => listening.close(() => resolve()));
      drop();
      await closed;
    },
  };
}
