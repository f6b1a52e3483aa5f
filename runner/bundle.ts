/** What a bundle says about itself before its pack. */
export interface BundleHeader {
  /** The one commit it brings. */
  tip: string;
  /** Commits it builds upon. */
  needs: string[];
}

/** The bytes are not a bundle with one reference. */
export class BadBundle extends Error {
  override name = 'BadBundle';
}

const maxHeaderBytes = 256 * 1024;
const objectPattern = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * Reads the header off a git bundle (versions 2 and 3: lines, an empty line, a pack) and leaves the pack. Undefined: there are no
 * bytes at all. Throws BadBundle, and whatever `source` throws. The caller takes the pack to its end or calls `pack.return`.
 */
export async function readBundle(
  source: AsyncIterable<Uint8Array>,
): Promise<{ header: BundleHeader; pack: AsyncGenerator<Uint8Array> } | undefined> {
  const chunks = source[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  let end = -1;
  while (end === -1) {
    const next = await chunks.next();
    if (next.done === true) {
      if (head.length === 0) return undefined;
      throw new BadBundle('it ends inside its header');
    }
    head = Buffer.concat([head, next.value]);
    end = head.indexOf('\n\n');
    if (end === -1 && head.length > maxHeaderBytes) {
      await chunks.return?.();
      throw new BadBundle('its header is too long');
    }
  }
  const rest = head.subarray(end + 2);
  try {
    const header = parseHeader(head.subarray(0, end).toString('latin1'));
    return { header, pack: packOf(rest, chunks) };
  } catch (error) {
    await chunks.return?.();
    throw error;
  }
}

async function* packOf(first: Uint8Array, chunks: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (first.length > 0) yield first;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  } finally {
    await chunks.return?.();
  }
}

function parseHeader(text: string): BundleHeader {
  const [signature, ...lines] = text.split('\n');
  if (signature !== '# v2 git bundle' && signature !== '# v3 git bundle') throw new BadBundle('it does not begin like a bundle');
  const needs: string[] = [];
  const tips: string[] = [];
  for (const line of lines) {
    if (line.startsWith('@')) {
      if (!/^@object-format=sha(?:1|256)$/.test(line)) throw new BadBundle('it asks for an unknown ability');
    } else if (line.startsWith('-')) {
      needs.push(objectOf(line.slice(1)));
    } else {
      tips.push(objectOf(line));
    }
  }
  const [tip, ...more] = tips;
  if (tip === undefined || more.length > 0) throw new BadBundle(`it brings ${tips.length} references instead of one`);
  return { tip, needs };
}

function objectOf(line: string): string {
  const object = line.split(' ', 1)[0] ?? '';
  if (!objectPattern.test(object)) throw new BadBundle('a line of its header names no object');
  return object;
}
