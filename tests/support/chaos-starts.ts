import { spawn } from 'node:child_process';

/** Hears from the container engine of every start of a sandbox, also of others than Deckhand's of this test. */
export interface StartWatch {
  /** How often a sandbox of this run was started so far. */
  count(run: string): number;
  end(): void;
}

/** The engine remembers its last few hundred events only, so they are listened to from now on. */
export function watchStarts(): StartWatch {
  const filters = ['event=start', 'label=deckhand.role=sandbox'].flatMap((filter) => ['--filter', filter]);
  const since = ['--since', String(Date.now() / 1000)];
  const format = ['--format', '{{index .Actor.Attributes "deckhand.run"}}'];
  const child = spawn('docker', ['events', ...since, ...filters, ...format], { stdio: ['ignore', 'pipe', 'inherit'] });
  let heard = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    heard += text;
  });
  return {
    count: (run) => heard.split('\n').filter((line) => line === run).length,
    end: () => void child.kill('SIGKILL'),
  };
}
