/** Longest log that is read to its end; of a longer one the beginning is what there is. */
const mostBytes = 64 * 1024 * 1024;
const keptBytes = 256 * 1024;
const keptLines = 200;

/** The last lines of a log, without the moment that GitHub writes before each line, and without colours. */
export async function endOfLog(body: ReadableStream<Uint8Array>): Promise<string> {
  let kept = Buffer.alloc(0);
  let read = 0;
  for await (const chunk of body) {
    read += chunk.length;
    kept = Buffer.concat([kept, chunk]);
    if (kept.length > 2 * keptBytes) kept = kept.subarray(-keptBytes);
    if (read > mostBytes) break;
  }
  return lastLines(kept.toString('utf8'));
}

export function lastLines(log: string): string {
  return log
    .replace(/\r\n?/g, '\n')
    .trimEnd()
    .split('\n')
    .slice(-keptLines)
    .map((line) => line.replace(/^\uFEFF?\d{4}-\d{2}-\d{2}T[\d:.]+Z /, '').replaceAll(colours, ''))
    .join('\n');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours of terminals begin with one.
const colours = /\u001B\[[0-9;]*[A-Za-z]/g;
