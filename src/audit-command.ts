import { createReadStream, existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { exportChain } from './audit/export.ts';
import type { ChainFindings } from './audit/findings.ts';
import { type Verified, verifyDatabase } from './audit/verify-database.ts';
import { NoExport, verifyFile } from './audit/verify-file.ts';
import type { Terminal } from './cli.ts';
import { loadConfig } from './config.ts';
import { AppError } from './contracts/errors.ts';
import { count } from './delivery/units.ts';
import { keysOf } from './key-ring.ts';
import { openedDatabase } from './opened-database.ts';
import { createSecretBox } from './runtime/secret-box.ts';
import { recordAudit } from './store/audit.ts';
import { chainHeads } from './store/audit-chain.ts';
import { noteVerified } from './store/audit-standing.ts';
import type { Database } from './store/database.ts';

/** `deckhand audit verify [FILE]` and `deckhand audit export FILE`: exit code; undefined: the arguments are none of theirs. */
export async function runAudit(args: readonly string[], terminal: Terminal): Promise<number | undefined> {
  const given = argumentsOf(args);
  if (given === undefined) return undefined;
  const { verb, file, since, head, workspace } = given;
  if (verb === 'export') return file === undefined ? undefined : await runExport(file, { since, workspace }, terminal);
  const verified = file === undefined ? await verifyHere(terminal, since, head) : await verifyThere(terminal, file, head);
  return tell(verified, terminal, head);
}

interface Given {
  verb: 'verify' | 'export';
  file: string | undefined;
  since: Date | number | undefined;
  head: string | undefined;
  workspace: string | undefined;
}

function argumentsOf(args: readonly string[]): Given | undefined {
  const options = { since: { type: 'string' }, head: { type: 'string' }, workspace: { type: 'string' } } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [verb, file, ...rest] = positionals;
    if ((verb !== 'verify' && verb !== 'export') || rest.length > 0) return undefined;
    const since = values.since === undefined ? undefined : sinceOf(values.since);
    if (since === null || (verb === 'verify' && file !== undefined && since !== undefined)) return undefined;
    return { verb, file, since, head: values.head?.toLowerCase(), workspace: values.workspace };
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** A place in the chain, or a moment; null: neither. */
function sinceOf(text: string): Date | number | null {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? null : at;
}

async function verifyHere(terminal: Terminal, since: Given['since'], head: string | undefined): Promise<Verified> {
  const config = loadConfig(terminal.env, { opensLab: false });
  const keys = keysOf(config);
  const box = keys && createSecretBox(keys);
  if (box === undefined)
    throw new AppError('DH-137', { what: config.dataDir, detail: 'it has no secret key, and DECKHAND_SECRET_KEY is not set' });
  return await openedDatabase(config, async (database) => {
    const at = new Date();
    const found = await verifyDatabase(database, { check: box.check, since, head });
    // Whoever looks at the installation sees when all of it was verified last.
    if (since === undefined)
      await noteVerified(database.db, { at, problems: found.chains.reduce((sum, { problems }) => sum + problems, 0) });
    return found;
  });
}

/** Works where nothing of the installation is: with its key in DECKHAND_SECRET_KEY it also says whether Deckhand has signed the end. */
async function verifyThere(terminal: Terminal, file: string, head: string | undefined): Promise<Verified> {
  if (!existsSync(file)) throw new AppError('DH-127', { what: file, detail: 'there is no such file' });
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
  // Of the configuration only what says which keys there are: nothing else needs to be right here.
  const { DECKHAND_SECRET_KEY, DECKHAND_OTHER_SECRET_KEYS, DECKHAND_DATA_DIR } = terminal.env;
  const keys = keysOf(loadConfig({ DECKHAND_SECRET_KEY, DECKHAND_OTHER_SECRET_KEYS, DECKHAND_DATA_DIR }, { opensLab: false }));
  try {
    return await verifyFile(lines, { check: keys && createSecretBox(keys).check, head });
  } catch (error) {
    if (error instanceof NoExport) throw new AppError('DH-127', { what: file, detail: error.message }, { cause: error });
    throw error;
  }
}

function tell({ chains, headFound }: Verified, terminal: Terminal, head: string | undefined): number {
  for (const chain of chains) terminal.out(chainText(chain));
  if (chains.length === 0) terminal.out('Nothing is chained yet.\n');
  if (headFound === false)
    terminal.out(`✖ No line has the hash ${head}: what ended there was removed, or the chain was made anew.\n`);
  if (headFound === true) terminal.out(`✔ A line has the hash ${head}.\n`);
  return headFound !== false && chains.every(({ problems }) => problems === 0) ? 0 : 1;
}

function chainText(found: ChainFindings): string {
  const { workspace, name, problem, problems, lines, first, end, signature, waiting, earlier, logs } = found;
  const title = name === undefined ? workspace : `${name} (${workspace})`;
  const range = lines === 0 ? 'no lines' : `${count(lines, 'line')}, ${first} to ${end.seq}`;
  const notes = [
    `ends with ${end.hash}`,
    ...(signature === 'good' ? ['the end is signed by this installation'] : []),
    ...(signature === 'unchecked' ? ['nobody looked whether Deckhand has signed the end: that takes DECKHAND_SECRET_KEY'] : []),
    ...(earlier > 0 ? [`${count(earlier, 'line')} from before there was a chain`] : []),
    ...(logs.same > 0 ? [`${count(logs.same, 'log')} of runs as they were chained`] : []),
    ...(waiting === undefined || waiting === 0 ? [] : [`${count(waiting, 'line')} not chained yet`]),
  ].map((note) => `  ${note}\n`);
  if (problem === undefined) return `✔ ${title}: ${range}\n${notes.join('')}`;
  const more = problems > 1 ? ` (and ${problems - 1} more)` : '';
  const id = problem.id === undefined ? '' : ` (${problem.id})`;
  return `✖ ${title}: ${range}\n  line ${problem.seq}${id}: ${problem.what}${more}\n${notes.join('')}`;
}

async function runExport(
  file: string,
  { since, workspace }: Pick<Given, 'since' | 'workspace'>,
  terminal: Terminal,
): Promise<number | undefined> {
  if (typeof since === 'number') return undefined;
  const config = loadConfig(terminal.env, { opensLab: false });
  if (existsSync(file)) throw new AppError('DH-127', { what: file, detail: 'there is a file of that name already' });
  return await openedDatabase(config, async (database) => {
    const chosen = await workspaceToExport(database, workspace);
    const lines = await writeTo(file, (write) => exportChain(database, chosen, { since }, write));
    await database.transaction((tx) =>
      recordAudit(tx, {
        workspace: chosen,
        action: 'audit.exported',
        subject: chosen,
        data: { lines: lines ?? 0, from: 'command line' },
      }),
    );
    terminal.out(
      `✔ ${file}: ${count(lines ?? 0, 'line')} of ${chosen}. \`deckhand audit verify ${file}\` verifies it anywhere.\n`,
    );
    return 0;
  });
}

async function writeTo<T>(file: string, fill: (write: (text: string) => Promise<void>) => Promise<T>): Promise<T> {
  const out = await open(file, 'wx', 0o600);
  try {
    return await fill((text) => out.writeFile(text));
  } finally {
    await out.close();
  }
}

async function workspaceToExport(database: Database, named: string | undefined): Promise<string> {
  const known = (await chainHeads(database.db)).map(({ workspace }) => workspace);
  if (named !== undefined && known.includes(named)) return named;
  const workspaces = known.filter((id) => id.startsWith('wsp_'));
  const [only] = workspaces;
  if (named === undefined && only !== undefined && workspaces.length === 1) return only;
  const detail = known.length === 0 ? 'nothing is chained yet' : `choose one with --workspace: ${known.join(', ')}`;
  throw new AppError('DH-127', { what: named ?? 'The audit', detail });
}
