import { z } from 'zod';
import type { SecretBox } from '../runtime/secret-box.ts';
import { strictJson } from '../runtime/strict-json.ts';
import { type HashedLine, headText } from '../store/audit-line.ts';
import type { ChainFindings } from './findings.ts';
import type { Verified } from './verify-database.ts';
import { createWalk } from './walk.ts';

const headerSchema = z.strictObject({ export: z.literal('deckhand audit 1'), workspace: z.string(), whole: z.boolean() });
const endSchema = z.strictObject({
  end: z.strictObject({ seq: z.number().int(), hash: z.string(), signature: z.string().nullable() }),
  lines: z.number().int(),
});
const lineSchema = z.strictObject({
  v: z.literal(1),
  workspace: z.string(),
  seq: z.number().int().positive(),
  prev: z.string(),
  hash: z.string(),
  id: z.string(),
  at: z.iso.datetime({ precision: 3 }),
  actor: z.string().nullable(),
  action: z.string(),
  subject: z.string(),
  data: z.unknown(),
  via: z.unknown(),
});

/** The file is no export, or one that ends too early. `line`: its number in the file. */
export class NoExport extends Error {
  override name = 'NoExport';
}

/**
 * Verifies an export by itself, without the installation that it comes from. Without `check` nobody has looked whether Deckhand has signed its end: then
 * only `head`, noted elsewhere, tells a chain that was made anew as a whole. Throws NoExport.
 */
export async function verifyFile(
  lines: AsyncIterable<string>,
  options: { check?: SecretBox['check'] | undefined; head?: string | undefined },
): Promise<Verified> {
  let number = 0;
  let walk: ReturnType<typeof createWalk> | undefined;
  let workspace = '';
  let end: z.infer<typeof endSchema> | undefined;
  let headFound = false;
  for await (const text of lines) {
    number += 1;
    if (end !== undefined) throw new NoExport(`line ${number} of the file comes after its end`);
    const value = parsed(text, number);
    if (walk === undefined) {
      const header = headerSchema.safeParse(value);
      if (!header.success) throw new NoExport('its first line is not that of an export of the audit');
      workspace = header.data.workspace;
      const on = ({ hash, prev }: HashedLine) => {
        if (hash === options.head || prev === options.head) headFound = true;
      };
      walk = createWalk({ workspace, whole: header.data.whole, check: options.check, on });
      continue;
    }
    const line = lineSchema.safeParse(value);
    if (line.success) walk.next({ ...line.data, data: line.data.data, via: line.data.via });
    else end = endSchema.safeParse(value).data;
    if (!line.success && end === undefined) throw new NoExport(`line ${number} of the file is not one of an export`);
  }
  if (walk === undefined || end === undefined) throw new NoExport('it ends before its end: the last lines are missing');
  return { chains: [finish(workspace, walk, end, options.check)], headFound: options.head === undefined ? undefined : headFound };
}

/** Only the canonical form is taken: nothing can be hidden in another spelling of the same value. */
function parsed(text: string, number: number): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
    if (strictJson(value) === text) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
  }
  throw new NoExport(`line ${number} of the file is not JSON as Deckhand writes it`);
}

function finish(
  workspace: string,
  walk: ReturnType<typeof createWalk>,
  { end, lines: count }: z.infer<typeof endSchema>,
  check: SecretBox['check'] | undefined,
): ChainFindings {
  const found = walk.done();
  if (found.lines !== count)
    walk.problem({ seq: found.end.seq, what: `the file has ${found.lines} lines of the audit and says ${count}` });
  if (found.lines > 0 && (found.end.seq !== end.seq || found.end.hash !== end.hash))
    walk.problem({ seq: found.end.seq, what: `the chain goes on to line ${end.seq}, or ends otherwise` });
  const signature =
    check === undefined ? 'unchecked' : end.signature === null ? 'bad' : check(end.signature, headText(workspace, end));
  if (signature === 'bad') walk.problem({ seq: end.seq, what: 'the end of the chain is not signed by Deckhand' });
  if (signature === 'unknown_key') walk.problem({ seq: end.seq, what: 'the end of the chain is signed with another key' });
  const { problem, problems, lines, first, earlier } = walk.done();
  return { workspace, problem, problems, lines, first, end, signature, earlier, logs: { same: 0, gone: found.logs.length } };
}
