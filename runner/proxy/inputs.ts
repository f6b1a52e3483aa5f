import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NumberedInput } from '../../src/contracts/agent.ts';
import type { GatewayRun } from './port.ts';

/** So often an empty line says that the stream lives. */
const aliveMs = 20_000;

/** `GET /input?after=N`: the inputs of the main process as JSON lines, one by one as they come, without an end. */
export async function streamInputs(run: GatewayRun, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const after = Number(new URL(request.url ?? '/', 'http://gateway').searchParams.get('after') ?? '0');
  if (!Number.isSafeInteger(after) || after < 0) {
    response.writeHead(400).end();
    return;
  }
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.flushHeaders();
  const alive = setInterval(() => response.write('\n'), aliveMs);
  try {
    for await (const input of run.inputs(after, gone.signal)) {
      const hasRoom = response.write(`${JSON.stringify(lineOf(input))}\n`);
      if (!hasRoom) await once(response, 'drain', { signal: gone.signal });
    }
    response.end();
  } catch {
    // The reader asks again from where it stands.
    response.destroy();
  } finally {
    clearInterval(alive);
  }
}

function lineOf({ seq, input }: NumberedInput): object {
  switch (input.type) {
    case 'line':
      return { seq, line: input.line };
    case 'end':
      return { seq, end: true };
    case 'signal':
      return { seq, signal: input.signal };
  }
}
