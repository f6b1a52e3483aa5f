import { keyIdOf, type SecretBox } from '../runtime/secret-box.ts';
import type { Database } from '../store/database.ts';
import { putSealed, type SealedPlace, sealedPattern, sealedPlaces, staleRows } from '../store/sealed-places.ts';

type Box = Pick<SecretBox, 'open' | 'seal' | 'isStale' | 'keyIds'>;

/** What became of the sealed texts in a text. */
export interface Resealed {
  text: string;
  /** How many were sealed anew. */
  sealed: number;
  /** Names of the keys of those that did not open, though the key is there or the text is nothing else. */
  unread: string[];
}

/** The text with everything in it sealed anew that another key than the newest has sealed. Pure but for the nonces. */
export function resealText(box: Box, text: string, contexts: readonly string[]): Resealed {
  const unread: string[] = [];
  let sealed = 0;
  const now = text.replace(sealedPattern, (whole) => {
    if (!box.isStale(whole)) return whole;
    for (const context of contexts) {
      const opened = openedIn(box, whole, context);
      if (opened === undefined) continue;
      sealed += 1;
      return box.seal(opened, context);
    }
    unread.push(keyIdOf(whole));
    return whole;
  });
  return { text: now, sealed, unread };
}

function openedIn(box: Box, sealed: string, context: string): string | undefined {
  try {
    return box.open(sealed, context);
  } catch {
    return undefined; // another key, or sealed for something else
  }
}

/** What re-sealing one place has done. */
export interface ResealReport {
  place: string;
  rows: number;
  /** Rows that nobody here can open: their key is not there. */
  unread: { id: string; keys: string[] }[];
}

const rowsAtOnce = 100;

/**
 * Seals anew, with the newest key, every row that an older one has sealed: some with each transaction, so that it can be ended at any moment and
 * begun again. Nothing is lost: a row that does not open stays as it is. `passed`: what is sealed anew and stored now.
 */
export async function resealRows(
  database: Pick<Database, 'transaction'>,
  box: Box,
  passed: (place: string) => void,
): Promise<ResealReport[]> {
  const reports: ResealReport[] = [];
  for (const place of sealedPlaces) reports.push(await resealPlace(database, box, place, passed));
  return reports;
}

async function resealPlace(
  database: Pick<Database, 'transaction'>,
  box: Box,
  place: SealedPlace,
  passed: (place: string) => void,
): Promise<ResealReport> {
  const report: ResealReport = { place: place.name, rows: 0, unread: [] };
  const [key] = box.keyIds();
  for (let after = '', more = true; more; ) {
    await database.transaction(async (tx) => {
      const rows = await staleRows(tx, place, { after, key, most: rowsAtOnce });
      for (const row of rows) {
        const { text, sealed, unread } = resealText(box, row.text, row.contexts);
        // Whoever has changed the row meanwhile has sealed it with the newest key, or it is found at the next look.
        if (sealed > 0 && (await putSealed(tx, place, row, text))) report.rows += 1;
        // In what people have written something may look like a sealed text.
        if (unread.length > 0 && !place.brief) report.unread.push({ id: row.id, keys: unread });
      }
      after = rows.at(-1)?.id ?? after;
      more = rows.length === rowsAtOnce;
    });
    passed(place.name);
  }
  return report;
}
