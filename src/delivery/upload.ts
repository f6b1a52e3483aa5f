import { createHash } from 'node:crypto';
import type { UploadFile } from '../contracts/chat-adapter.ts';
import type { Chart, ViewFile } from '../contracts/view.ts';

/** A picture of one file of a patch. */
export type Draws = NonNullable<Extract<ViewFile, { from: 'artifact' }>['draws']>;

/** Reads an artifact of a run, or draws a part of it; undefined when it is no longer stored or cannot be drawn. */
export type ReadArtifact = (artifact: string, draws?: Draws) => Promise<Uint8Array | undefined>;

/** Draws figures as PNG; undefined when that fails. */
export type DrawChart = (chart: Chart) => Promise<Uint8Array | undefined>;

/** Where the bytes of files come from. Without `drawChart` no figures are drawn. */
export interface FileSources {
  readArtifact: ReadArtifact;
  drawChart?: DrawChart | undefined;
}

/** Names a file of a message so that the same content goes up once. */
export function fileSlot(file: ViewFile): string {
  return `f:${file.name}:${digest(contentOf(file))}`;
}

function contentOf(file: ViewFile): unknown {
  switch (file.from) {
    case 'text':
      return file.text;
    case 'artifact':
      return file.draws === undefined ? file.artifact : [file.artifact, file.draws];
    case 'chart':
      return file.chart;
  }
}

/** What a part shows, in few characters: equal digests mean that nothing changed. */
export function digest(value: unknown): string {
  return createHash('sha256')
    .update(typeof value === 'string' ? value : JSON.stringify(value))
    .digest('base64url')
    .slice(0, 16);
}

/** The bytes of a file, in several numbered files when it is larger than the platform takes. Undefined: no longer stored. */
export async function readFile(file: ViewFile, maxBytes: number, sources: FileSources): Promise<UploadFile[] | undefined> {
  const bytes = await bytesOf(file, sources);
  if (bytes === undefined) return undefined;
  const language = file.from === 'text' ? file.language : undefined;
  const pieces = splitBytes(bytes, maxBytes);
  return pieces.map((piece, at) => ({
    name: pieces.length === 1 ? file.name : numbered(file.name, at + 1, pieces.length),
    bytes: piece,
    language,
  }));
}

async function bytesOf(file: ViewFile, { readArtifact, drawChart }: FileSources): Promise<Uint8Array | undefined> {
  switch (file.from) {
    case 'text':
      return new TextEncoder().encode(file.text);
    case 'artifact':
      return await readArtifact(file.artifact, file.draws);
    case 'chart':
      return await drawChart?.(file.chart);
  }
}

/** Cuts at line ends where there are any, else between characters of UTF-8. */
export function splitBytes(bytes: Uint8Array, maxBytes: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let start = 0;
  while (bytes.length - start > maxBytes) {
    const limit = start + maxBytes;
    const line = bytes.lastIndexOf(0x0a, limit - 1) + 1;
    let end = line > start ? line : limit;
    if (end === limit && line !== limit) {
      for (let back = 0; back < 4 && end > start + 1 && ((bytes[end] ?? 0) & 0xc0) === 0x80; back += 1) end -= 1;
    }
    pieces.push(bytes.subarray(start, end));
    start = end;
  }
  pieces.push(bytes.subarray(start));
  return pieces;
}

function numbered(name: string, n: number, of: number): string {
  const dot = name.lastIndexOf('.');
  const part = `${n}-of-${of}`;
  return dot <= 0 ? `${name}.${part}` : `${name.slice(0, dot)}.${part}${name.slice(dot)}`;
}
