import { spawn } from 'node:child_process';
import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { warmPrefix } from '../../runner/sandbox/warm-plan.ts';

/** Hears of every start of a command in a container, also of those of others than Deckhand's of this test. */
export interface StartWatch {
  /** How often the command of this run was started so far. */
  count(run: string): number;
  end(): void;
}

/**
 * A container that is made for its run starts its command as it starts. One that waited has the name of its run before, and starts the
 * command when the file `go` appears in its directory below the data directory. The engine remembers its last few hundred events only,
 * so they are listened to from now on.
 */
export function watchStarts(dataDir: string): StartWatch {
  const filters = ['event=start', 'event=rename', 'label=deckhand.role=sandbox'].flatMap((filter) => ['--filter', filter]);
  const since = ['--since', String(Date.now() / 1000)];
  const format = ['--format', '{{.Action}} {{index .Actor.Attributes "deckhand.run"}} {{.Actor.Attributes.name}}'];
  const child = spawn('docker', ['events', ...since, ...filters, ...format], { stdio: ['ignore', 'pipe', 'inherit'] });
  const started: string[] = [];
  /** Name of the container by that of its working copy. */
  const named = new Map<string, string>();
  const gone = new Set<string>();
  const watchers: FSWatcher[] = [];

  function listen(slot: string): void {
    try {
      const watcher = watch(join(dataDir, 'warm', slot), (_, file) => {
        if (file === 'go') gone.add(slot);
      });
      watcher.on('error', () => watcher.close());
      watchers.push(watcher);
    } catch {
      // Of another test, or removed meanwhile: it starts nothing here.
    }
  }

  createInterface({ input: child.stdout }).on('line', (line) => {
    const [action, slot = '', name = ''] = line.split(' ');
    if (action === 'rename') named.set(slot, name);
    else if (slot.startsWith(warmPrefix)) listen(slot);
    else started.push(slot);
  });
  return {
    count: (run) =>
      started.filter((one) => one === run).length + [...gone].filter((slot) => named.get(slot)?.endsWith(run) === true).length,
    end() {
      child.kill('SIGKILL');
      for (const watcher of watchers) watcher.close();
    },
  };
}
