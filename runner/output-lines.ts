import type { OutputCursor, OutputStream } from '../src/contracts/run-event.ts';
import type { OutputLine } from './harness/port.ts';
import { type PatientOutputOptions, patientOutput } from './patient-output.ts';
import type { OutputChunk } from './sandbox/port.ts';

export interface OutputLinesOptions extends PatientOutputOptions {
  /** After the last line that has been dealt with. */
  from: OutputCursor;
}

const longestLine = 16 * 1024 * 1024;
const lineFeed = 10;

/** The output of a started command line by line, live, from a stored position to the end of both streams. */
export async function* outputLines(options: OutputLinesOptions): AsyncGenerator<OutputLine> {
  const cutters = { stdout: createCutter(options.from.stdout), stderr: createCutter(options.from.stderr) };
  const end = { ...options.from };
  const line = (stream: OutputStream, piece: Piece): OutputLine => {
    end[stream] = piece.end;
    return { stream, text: piece.text, cut: piece.cut, end: { ...end } };
  };
  const next = () => ({ stdout: cutters.stdout.next(), stderr: cutters.stderr.next() });
  for await (const chunk of patientOutput(options, next)) {
    for (const piece of cutters[chunk.stream].push(chunk)) yield line(chunk.stream, piece);
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    for (const piece of cutters[stream].rest()) yield line(stream, piece);
  }
}

interface Piece {
  text: string;
  /** Position after the line and its end. */
  end: number;
  cut: boolean;
}

/** Cuts one stream into lines, however its bytes come. */
function createCutter(from: number) {
  let next = from;
  let parts: Uint8Array[] = [];
  let kept = 0;
  let cut = false;

  function take(bytes: Uint8Array): void {
    const room = longestLine - kept;
    if (bytes.length > room) cut = true;
    const part = bytes.subarray(0, Math.max(0, room));
    if (part.length > 0) parts.push(part);
    kept += part.length;
  }
  function give(): Piece {
    const piece = { text: Buffer.concat(parts).toString('utf8'), end: next, cut };
    parts = [];
    kept = 0;
    cut = false;
    return piece;
  }

  return {
    next: () => next,
    push({ stream, offset, bytes }: OutputChunk): Piece[] {
      if (offset !== next) throw new Error(`${stream} continues at ${offset}, not at ${next}`);
      const pieces: Piece[] = [];
      let at = 0;
      for (let feed = bytes.indexOf(lineFeed); feed !== -1; feed = bytes.indexOf(lineFeed, at)) {
        take(bytes.subarray(at, feed));
        next = offset + feed + 1;
        at = feed + 1;
        pieces.push(give());
      }
      take(bytes.subarray(at));
      next = offset + bytes.length;
      return pieces;
    },
    rest: (): Piece[] => (kept === 0 ? [] : [give()]),
  };
}
