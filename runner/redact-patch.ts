import { hunksOf, readPatch } from '../src/changes/read-patch.ts';
import { createRedactor } from '../src/runtime/redact-patterns.ts';

export interface CleanPatch {
  /** The same bytes when there is nothing to hide. */
  patch: Buffer;
  /** Files whose added lines look like secrets. */
  secrets: string[];
}

/**
 * Blanks out secrets, file by file: what looks like the beginning of one never swallows the files behind it. Names and contents need not be
 * UTF-8.
 */
export function redactPatch(patch: Buffer, known: readonly string[]): CleanPatch {
  // Each character stands for one byte.
  const redact = createRedactor(known.map((secret) => Buffer.from(secret).toString('latin1')));
  const sections = patch.toString('latin1').split(/^(?=diff --git )/m);
  const secrets: string[] = [];
  const clean = sections.map((section) => {
    // The next file must stay at the beginning of a line.
    const without = section.endsWith('\n') ? `${redact(section.slice(0, -1))}\n` : redact(section);
    if (without === section) return section;
    const [file] = readPatch(Buffer.from(section, 'latin1'));
    if (file !== undefined) {
      const added = hunksOf(file)
        .flatMap(({ lines }) => lines)
        .filter(({ mark }) => mark === '+')
        .map(({ text }) => text)
        .join('\n');
      if (createRedactor(known)(added) !== added) secrets.push(file.path);
    }
    return without;
  });
  return secrets.length === 0 && clean.every((section, at) => section === sections[at])
    ? { patch, secrets }
    : { patch: Buffer.from(clean.join(''), 'latin1'), secrets };
}
