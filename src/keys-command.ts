import { parseArgs } from 'node:util';
import type { Terminal } from './cli.ts';
import { type Config, loadConfig } from './config.ts';
import { AppError } from './contracts/errors.ts';
import { count, duration } from './delivery/units.ts';
import { keysOf } from './key-ring.ts';
import { retireKey } from './keys/retire.ts';
import { type KeySource, type RotateReport, rotateKeys } from './keys/rotate.ts';
import { having, holderNames, isChanging, type KeyStanding, keyStanding } from './keys/standing.ts';
import { openedDatabase } from './opened-database.ts';
import { createLogger } from './runtime/logger.ts';
import { type KeyRing, keyIds } from './runtime/secret-box.ts';
import { storedSecretKeys, writeSecretKeys } from './store/data-dir.ts';
import { migrationState } from './store/migrate.ts';

/** `deckhand keys list|rotate|retire`: exit code; undefined: the arguments are none of theirs. */
export async function runKeys(args: readonly string[], terminal: Terminal): Promise<number | undefined> {
  const given = argumentsOf(args);
  if (given === undefined) return undefined;
  const config = loadConfig(terminal.env, { opensLab: false });
  const source = sourceOf(config);
  const say = (text: string) => terminal.out(`${text}\n`);
  return await openedDatabase(config, async (database) => {
    // Another version may run on it: this is no start, which brings the database up to date.
    const { pending } = await migrationState({ url: database.url });
    if (pending.length > 0) throw new AppError('DH-132', { count: pending.length });
    if (given.verb === 'list') {
      const standing = await keyStanding(database.db, keyIds(source.ring()));
      for (const line of listLines(standing)) say(line);
      return 0;
    }
    if (given.verb === 'retire') {
      const { key, removed, held } = await retireKey({ database, source, ...given });
      say(`✔ Key ${key} is retired${removed ? ' and gone from the key file' : ''}.`);
      if (held !== '') say(`  Now take it out of DECKHAND_OTHER_SECRET_KEYS of ${held}, and restart them.`);
      return 0;
    }
    const logger = createLogger({ level: 'error', secrets: config.secrets, readable: terminal.interactive });
    const report = await rotateKeys({ database, source, again: given.again, now: () => new Date(), logger });
    for (const line of rotatedLines(report)) say(line);
    return report.behind.length > 0 || report.resealed.some(({ unread }) => unread.length > 0) ? 1 : 0;
  });
}

type Given = { verb: 'list' } | { verb: 'rotate'; again: boolean } | { verb: 'retire'; key: string; now: boolean; lose: boolean };

/** A mistyped flag must not begin anything. */
function argumentsOf(args: readonly string[]): Given | undefined {
  const options = { again: { type: 'boolean' }, now: { type: 'boolean' }, lose: { type: 'boolean' } } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const { again = false, now = false, lose = false } = values;
    const [verb, key, ...rest] = positionals;
    const isPlain = key === undefined && !now && !lose;
    if (verb === 'list' && isPlain && !again) return { verb };
    if (verb === 'rotate' && isPlain) return { verb, again };
    return verb === 'retire' && key !== undefined && rest.length === 0 && !again ? { verb, key, now, lose } : undefined;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Throws DH-137 when there are no keys: then nothing was ever sealed here. */
function sourceOf(config: Config): KeySource {
  const { dataDir, secretKey } = config;
  return {
    ring() {
      const keys = keysOf(config);
      if (keys !== undefined) return keys;
      throw new AppError('DH-137', { what: dataDir, detail: 'it has no secret key, and DECKHAND_SECRET_KEY is not set' });
    },
    write: secretKey === undefined ? (keys) => writeSecretKeys(dataDir, ownOf(config, keys)) : undefined,
  };
}

/** What a variable gives does not belong into the file, unless it was there. */
function ownOf({ dataDir, otherKeys }: Config, keys: KeyRing): KeyRing {
  const stored = storedSecretKeys(dataDir) ?? [];
  const [first, ...older] = keys;
  const given = (key: Buffer) => otherKeys.some((other) => other.equals(key)) && !stored.some((own) => own.equals(key));
  return [first, ...older.filter((key) => !given(key))];
}

/** What is known of each key, that which seals first. Pure. */
export function listLines(standing: KeyStanding): string[] {
  const { ring, keys, sealed, holders } = standing;
  const ids = [...new Set([...ring, ...keys.map(({ id }) => id), ...sealed.keys()])];
  const lines = ids.map((id) => {
    const known = keys.find((key) => key.id === id);
    const left = sealed.get(id);
    const where = left?.places.map(({ place, rows }) => `${place}: ${rows}`).join(', ');
    const own = holders.filter(({ source }) => source === 'environment').length === 0 ? '' : holderNames(having(holders, id));
    const isLost = !ring.includes(id) && known?.retiredAt == null;
    const facts = [
      id === ring[0] ? 'seals' : known?.retiredAt != null ? 'retired' : isLost ? 'not at hand' : 'opens only',
      ...(known === undefined ? [] : [`since ${known.since.toISOString().slice(0, 10)}`]),
      ...(known?.replacedFor == null ? [] : [`replaced ${duration(known.replacedFor * 1000)} ago`]),
      left === undefined ? 'nothing is sealed with it' : `${count(left.rows, 'row')} (${where})`,
      ...(own === '' ? [] : [`held by ${own}`]),
    ];
    return `${id === ring[0] ? '●' : known?.retiredAt != null ? '○' : isLost ? '✖' : '▸'} ${id}  ${facts.join(' · ')}`;
  });
  return isChanging(standing) ? [...lines, 'A change of the key is not done: `deckhand keys rotate` goes on with it.'] : lines;
}

/** Pure. */
export function rotatedLines({ key, made, replaced, resealed, chains, free, behind }: RotateReport): string[] {
  const rows = resealed.flatMap((place) => (place.rows === 0 ? [] : [`${place.place}: ${place.rows}`]));
  const unread = resealed.flatMap((place) => place.unread.map((row) => `${place.place}: ${row.id} (key ${row.keys.join(', ')})`));
  const before = replaced.length === 0 ? '' : ` instead of ${replaced.join(', ')}`;
  return [
    made ? `✔ Key ${key} was made and seals from now on${before}.` : `✔ Key ${key} seals${before}.`,
    `  Sealed anew: ${rows.length === 0 ? 'nothing' : rows.join(', ')}. ${count(chains, 'chain')} of the audit signed anew.`,
    ...unread.map((row) => `✖ Does not open, and stays as it is: ${row}`),
    ...behind.map(
      (one) => `✖ ${holderNames([one])} still seals with key ${one.keys[0]}: restart it with the new one, then rotate once more.`,
    ),
    ...free.map(
      (id) =>
        `  Nothing is left of key ${id}: \`deckhand keys retire ${id}\` gives it up, an hour after it was replaced at the earliest.`,
    ),
    ...(made ? ['  A backup from before opens with its own key only: make another one now.'] : []),
  ];
}
