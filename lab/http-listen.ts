import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Listens, on any free port for 0; resolves with the address. Rejects when the port is taken. */
export async function listen(server: Server, host: string, port: number): Promise<string> {
  // Clients keep connections open between calls; the default of 5 s makes a call race with the close now and then.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}

/** Closes the server with every connection there is. */
export async function closeAtOnce(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
