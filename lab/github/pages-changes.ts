import type { ServerResponse } from 'node:http';
import type { Core } from './core.ts';

/** Tells pages that their repository has changed, as server-sent events. */
export interface LiveChanges {
  /** Changes of the repository so far. */
  version(repository: string): number;
  /** Sends an event at once where the page is older than the repository, then one for every change, until the page goes away. */
  stream(response: ServerResponse, repository: string, seen: number): void;
  close(): void;
}

const HEARTBEAT_MS = 15_000;
/** No page shows webhooks, and pages wait until it is known what can be merged. */
const UNSEEN: readonly string[] = ['delivery', 'mergeability'];

export function createLiveChanges(core: Core): LiveChanges {
  const versions = new Map<string, number>();
  const pages = new Map<ServerResponse, string>();
  const key = (repository: string) => repository.toLowerCase();
  // Numbers begin at the time, so that a page of an earlier start sees that it is older.
  const first = Date.now() * 1000;
  const version = (repository: string) => versions.get(key(repository)) ?? first;
  const tell = (response: ServerResponse) => void response.write('data: changed\n\n');

  const unsubscribe = core.subscribe(({ repository, what }) => {
    if (UNSEEN.includes(what)) return;
    versions.set(key(repository), version(repository) + 1);
    for (const [response, name] of pages) if (name === key(repository)) tell(response);
  });
  const heartbeat = setInterval(() => {
    for (const response of pages.keys()) response.write(': still here\n\n');
  }, HEARTBEAT_MS);
  heartbeat.unref();

  return {
    version,
    stream(response, repository, seen) {
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
      response.write(': connected\n\n');
      pages.set(response, key(repository));
      response.on('close', () => pages.delete(response));
      if (seen !== version(repository)) tell(response);
    },
    close() {
      unsubscribe();
      clearInterval(heartbeat);
      for (const response of pages.keys()) response.end();
    },
  };
}
