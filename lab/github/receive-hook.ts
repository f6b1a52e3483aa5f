import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { BASE_ENVIRONMENT } from './git.ts';
import { judge, type PushCommand, type PushRules, RULES_FILE, type Verdict } from './push-rules.ts';

/**
 * Git's `proc-receive` hook of the emulator's repositories: a program of its own, which git starts in the repository for every push. It
 * refuses single refs with GitHub's words and leaves the others to git. The protocol is that of githooks(5).
 */

/** This process is small, so it starts git itself. */
async function git(...args: string[]): Promise<string> {
  const env = { ...BASE_ENVIRONMENT, PATH: process.env.PATH ?? '' };
  return (await promisify(execFile)('git', args, { env, maxBuffer: 256 * 1024 * 1024 })).stdout;
}

const chunks = process.stdin[Symbol.asyncIterator]();
let pending = Buffer.alloc(0);

/** Lines up to the next flush packet. */
async function readSection(): Promise<string[]> {
  const lines: string[] = [];
  for (;;) {
    const header = await take(4);
    if (header === undefined) return lines;
    const length = Number.parseInt(header.toString('latin1'), 16);
    if (length === 0) return lines;
    const line = await take(length - 4);
    lines.push((line ?? Buffer.alloc(0)).toString().replace(/\n$/, ''));
  }
}

async function take(size: number): Promise<Buffer | undefined> {
  while (pending.length < size) {
    const { value, done } = await chunks.next();
    if (done) return undefined;
    pending = Buffer.concat([pending, Buffer.from(value)]);
  }
  const taken = pending.subarray(0, size);
  pending = pending.subarray(size);
  return taken;
}

function packet(line: string): string {
  return (Buffer.byteLength(line) + 4).toString(16).padStart(4, '0') + line;
}

const FLUSH = '0000';

function judged(rules: PushRules, command: PushCommand): Promise<Verdict> {
  return judge(rules, command, {
    async isFastForward() {
      try {
        await git('merge-base', '--is-ancestor', command.old, command.next);
        return true;
      } catch {
        return false;
      }
    },
    async workflowFile() {
      const args = [
        'log',
        '-m',
        '--format=',
        '--name-only',
        '--diff-filter=AM',
        command.next,
        '--not',
        '--all',
        '--',
        '.github/workflows',
      ];
      return (await git(...args)).split('\n').find((line) => line !== '');
    },
  });
}

await readSection();
process.stdout.write(`${packet('version=1')}${FLUSH}`);
const commands = (await readSection()).map((line): PushCommand => {
  const [old = '', next = '', ...ref] = line.split(' ');
  return { old, next, ref: ref.join(' ') };
});
const rules: PushRules = JSON.parse(readFileSync(RULES_FILE, 'utf8'));
for (const command of commands) {
  const verdict = await judged(rules, command);
  for (const line of verdict.said) process.stderr.write(`${line}\n`);
  if (verdict.refusal === undefined) process.stdout.write(packet(`ok ${verdict.ref}`) + packet('option fall-through'));
  else process.stdout.write(packet(`ng ${verdict.ref} ${verdict.refusal}`));
}
process.stdout.write(FLUSH);
process.stdin.destroy();
