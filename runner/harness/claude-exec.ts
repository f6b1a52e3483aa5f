import { posix } from 'node:path';
import type { ExecResult, Helper } from '../sandbox/port.ts';
import type { CheckedCall } from './claude-tools.ts';
import type { HarnessSession } from './port.ts';

export interface ToolOutcome {
  ok: boolean;
  /** For the model. */
  text: string;
}

/** What the model gets of an output at most; the middle is left out. */
const longestText = 30_000;
const outputBytes = 4 * 1024 * 1024;
const shortMs = 60_000;
const largestFile = 1024 * 1024;
/** An argument may have 128 KiB; what is written comes in pieces. */
const pieceBytes = 72_000;

type Executed = Exclude<CheckedCall, { tool: 'todo' | 'ask_user' | 'present_plan' }>;

/** Carries a call out in the sandbox. A failure of the tool is an outcome; only the sandbox itself can make this reject. */
export async function executeCall(session: HarnessSession, call: Executed, signal: AbortSignal): Promise<ToolOutcome> {
  const run = (script: string, args: readonly string[], timeMs = shortMs) =>
    session.exec(helper(['/bin/sh', '-c', script, 'tool', ...args], timeMs), signal);
  switch (call.tool) {
    case 'bash': {
      const timeMs = (call.input.timeout_seconds ?? 120) * 1000;
      return outcomeOf(await session.exec(helper(['/bin/bash', '-c', call.input.command], timeMs), signal), timeMs);
    }
    case 'read': {
      const { path, offset = 1, limit = 2000 } = call.input;
      const script = '[ -d "$1" ] && { echo "It is a directory." >&2; exit 1; }; cat -n -- "$1" | sed -n "$2,$3p"';
      return outcomeOf(await run(script, [path, String(offset), String(offset + limit - 1)]));
    }
    case 'list':
      return outcomeOf(await run('ls -1ApL -- "$1"', [call.input.path ?? '.']));
    case 'search': {
      const { pattern, path = '.', glob } = call.input;
      const script = `if command -v rg >/dev/null; then rg -n --no-heading --color never --max-columns 300 \${3:+-g "$3"} -e "$1" -- "$2"
else grep -rnE \${3:+--include="$3"} -e "$1" -- "$2"; fi | head -n 400`;
      const found = outcomeOf(await run(script, [pattern, path, glob ?? '']));
      return found.ok && found.text === '' ? { ok: true, text: 'Nothing matches.' } : found;
    }
    case 'write':
      return await writeFile(run, call.input.path, call.input.content);
    case 'edit':
      return await editFile(run, call.input);
    case 'web_fetch': {
      const script =
        'curl -sS --fail-with-body --location --proto =https --max-redirs 5 --max-time 60 --max-filesize 5000000 -- "$1"';
      return outcomeOf(await run(script, [call.input.url], 90_000));
    }
  }
}

type Run = (script: string, args: readonly string[]) => Promise<ExecResult>;

/** Beside the file first, so that nobody sees half of it. */
async function writeFile(run: Run, path: string, content: string): Promise<ToolOutcome> {
  const draft = posix.join(posix.dirname(path), `.${posix.basename(path)}.deckhand`);
  const bytes = Buffer.from(content, 'utf8');
  const begun = await run('mkdir -p -- "$(dirname -- "$1")" && : >"$1"', [draft]);
  if (begun.exitCode !== 0) return outcomeOf(begun);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = bytes.subarray(at, at + pieceBytes).toString('base64');
    const added = await run('printf %s "$2" | base64 -d >>"$1"', [draft, piece]);
    if (added.exitCode !== 0) return outcomeOf(added);
  }
  const moved = await run('{ [ ! -e "$2" ] || chmod --reference="$2" -- "$1"; } && mv -f -- "$1" "$2"', [draft, path]);
  return moved.exitCode === 0 ? { ok: true, text: `Wrote ${path}.` } : outcomeOf(moved);
}

async function editFile(
  run: Run,
  { path, old_string: before, new_string: after, replace_all: all }: Extract<CheckedCall, { tool: 'edit' }>['input'],
): Promise<ToolOutcome> {
  const read = await run(
    '[ -f "$1" ] || { echo "It is no file." >&2; exit 1; }; [ "$(wc -c <"$1")" -le "$2" ] || { echo "It is too large to edit." >&2; exit 1; }; cat -- "$1"',
    [path, String(largestFile)],
  );
  if (read.exitCode !== 0) return outcomeOf(read);
  const bytes = Buffer.from(read.stdout);
  const text = bytes.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(bytes))
    return { ok: false, text: 'The file is not UTF-8 text; change it with a command.' };
  const found = text.split(before).length - 1;
  if (found === 0) return { ok: false, text: 'old_string does not occur in the file. Read it again and use the exact text.' };
  if (found > 1 && all !== true) {
    return { ok: false, text: `old_string occurs ${found} times. Make it longer so that it is unique, or set replace_all.` };
  }
  const written = await writeFile(run, path, text.split(before).join(after));
  return written.ok ? { ok: true, text: `Changed ${path} in ${found} ${found === 1 ? 'place' : 'places'}.` } : written;
}

function helper(argv: Helper['argv'], timeMs: number): Helper {
  return { argv, timeMs, outputBytes };
}

function outcomeOf(result: ExecResult, timeMs = shortMs): ToolOutcome {
  const out = Buffer.from(result.stdout).toString('utf8');
  const err = Buffer.from(result.stderr).toString('utf8');
  const text = shortened([out, err].filter((part) => part !== '').join(out.endsWith('\n') || out === '' ? '' : '\n'));
  if (result.limit === 'timed_out') return { ok: false, text: `${text}\n[stopped after ${timeMs / 1000} s]` };
  if (result.limit === 'output_limit') return { ok: false, text: `${text}\n[stopped: more than 4 MiB of output]` };
  if (result.exitCode === 0) return { ok: true, text };
  return { ok: false, text: `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}[exit code ${result.exitCode}]` };
}

function shortened(text: string): string {
  if (text.length <= longestText) return text;
  const half = longestText / 2;
  return `${text.slice(0, half)}\n[… ${text.length - longestText} characters left out …]\n${text.slice(-half)}`;
}
