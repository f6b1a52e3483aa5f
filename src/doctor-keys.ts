import type { DoctorCheck } from './commands/command.ts';
import { count, duration } from './delivery/units.ts';
import type { DoctorProbe } from './doctor.ts';
import { standingProbe } from './doctor-standing.ts';
import { having, holderNames, isChanging, type KeyStanding, keyStanding, lacking, sealingWithout } from './keys/standing.ts';
import type { SecretBox } from './runtime/secret-box.ts';
import { unusedAccounts, unusedDays } from './store/agent-accounts.ts';
import { type ChainStanding, chainStanding } from './store/audit-standing.ts';
import type { Database, Tx } from './store/database.ts';

/** How the secret keys stand, and the audit, which is signed with them. `use`: gives the database for the look, with the names of the keys at hand. */
export function keysProbe(
  use: <T>(look: (db: Tx['db'], ring: readonly [string, ...string[]]) => Promise<T>) => Promise<T>,
  now: () => Date,
): DoctorProbe {
  return {
    name: 'secret keys',
    withinMs: 20_000, // may start an embedded database for the look
    run: () =>
      use(async (db, ring) => [
        ...keyChecks(await keyStanding(db, ring)),
        ...accountChecks(await unusedAccounts(db)),
        ...auditChecks(await chainStanding(db), now()),
      ]),
  };
}

/** How all of an installation stands, as a process that runs sees it. */
export function installationProbes(database: Database, secretBox: Pick<SecretBox, 'keyIds'>, now: () => Date): DoctorProbe[] {
  return [standingProbe(database, now), keysProbe((look) => look(database.db, secretBox.keyIds()), now)];
}

/** Pure. */
export function keyChecks(standing: KeyStanding): DoctorCheck[] {
  const name = 'secret keys';
  const { ring, keys, sealed, holders } = standing;
  const [current, ...older] = ring;
  const lost = [...sealed].filter(([id]) => !ring.includes(id) && keys.every((key) => key.id !== id || key.retiredAt === null));
  const lostRows = lost.reduce((sum, [, { rows }]) => sum + rows, 0);
  const behind = [...new Set([...lacking(holders, current), ...sealingWithout(holders, current)])];
  const retired = keys.filter(({ id, retiredAt }) => retiredAt !== null && having(holders, id).length > 0);
  const onOlder = older.reduce((sum, id) => sum + (sealed.get(id)?.rows ?? 0), 0);
  const detail = `Key ${current} seals${older.length === 0 ? '' : `, ${older.join(', ')} ${older.length === 1 ? 'opens' : 'open'}`}; ${onOlder === 0 ? 'nothing is sealed with an older one' : `${count(onOlder, 'row')} sealed with older ones`}.`;
  if (lostRows > 0)
    return [
      {
        name,
        state: 'failed',
        detail: `${detail} ${count(lostRows, 'row')} sealed with ${lost.map(([id]) => id).join(', ')}, which is not at hand, and cannot be opened.`,
        remedy: 'Put that key into DECKHAND_OTHER_SECRET_KEYS; where nobody has it any more, enter the credentials anew.',
      },
    ];
  if (behind.length > 0)
    return [
      {
        name,
        state: 'failed',
        detail: `${detail} Other keys: ${holderNames(behind)}.`,
        remedy: 'All processes need the same DECKHAND_SECRET_KEY. docs/operate.md, "Change the secret key", has the steps.',
      },
    ];
  if (isChanging(standing))
    return [
      {
        name,
        state: 'warning',
        detail: `${detail} A change of the key is not done.`,
        remedy: '`deckhand keys rotate` goes on with it.',
      },
    ];
  if (retired.length > 0)
    return [
      {
        name,
        state: 'warning',
        detail: `${detail} ${retired.map(({ id }) => `${id} is retired and still held by ${holderNames(having(holders, id))}`).join('; ')}.`,
        remedy: 'Take it out of DECKHAND_OTHER_SECRET_KEYS and restart them.',
      },
    ];
  return [{ name, state: 'ok', detail }];
}

/** Pure. */
export function accountChecks(unused: number): DoctorCheck[] {
  if (unused === 0) return [];
  return [
    {
      name: 'keys of accounts',
      state: 'unused',
      detail: `${count(unused, 'account')} of agents ${unused === 1 ? 'has' : 'have'} a key that nothing has used for ${unusedDays} days.`,
      remedy: '`account list` says which; `account remove` forgets the key. Take it back at its provider, too.',
    },
  ];
}

/** Seconds after which a line should have its place in the chain. */
const chainedWithin = 120;
const verifiedWithin = 35 * 24 * 60 * 60_000;

/** Pure. */
export function auditChecks({ lines, chains, waiting, waitingFor, verified, since }: ChainStanding, now: Date): DoctorCheck[] {
  const name = 'audit';
  if (chains === 0 && waiting === 0) return [{ name, state: 'ok', detail: 'Nothing is written yet.' }];
  const age = (at: Date) => now.getTime() - at.getTime();
  const told = verified === undefined ? 'never' : `${duration(age(verified.at))} ago`;
  const detail = `${count(lines, 'line')} in ${count(chains, 'chain')}, behind by ${count(waiting, 'line')}; last verified: ${told}.`;
  if (verified !== undefined && verified.problems > 0)
    return [
      {
        name,
        state: 'failed',
        detail: `${detail} ${count(verified.problems, 'thing')} ${verified.problems === 1 ? 'was' : 'were'} wrong then.`,
        remedy: '`deckhand audit verify` says what; docs/audit.md says what each finding means.',
      },
    ];
  if (waitingFor > chainedWithin)
    return [
      {
        name,
        state: 'failed',
        detail: `${detail} The first waits for ${duration(waitingFor * 1000)}.`,
        remedy: 'A gateway chains them within seconds. Look at the log of the gateways.',
      },
    ];
  const isOld = age(verified?.at ?? since ?? now) > verifiedWithin;
  return [
    {
      name,
      state: isOld ? 'warning' : 'ok',
      detail,
      ...(isOld ? { remedy: 'Have `deckhand audit verify` run every month, on a machine with the secret key.' } : {}),
    },
  ];
}
