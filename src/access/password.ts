import { argon2, createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { AppError } from '../contracts/errors.ts';
import { recordAudit } from '../store/audit.ts';
import type { Database, Tx } from '../store/database.ts';
import {
  clearFailures,
  noteFailure,
  type PasswordRow,
  passwordOf,
  removePasswordRow,
  setPasswordRow,
} from '../store/passwords.ts';
import { type Member, personById } from '../store/people.ts';
import { rightsOfPerson } from './role-about.ts';

const derive = promisify(argon2);

/** Argon2id with what OWASP asks for at least: 19 MiB, two passes. */
const cost = { memory: 19_456, passes: 2, parallelism: 1 };
const saltBytes = 16;
const hashBytes = 32;
/** Wrong passwords for one name before it has to wait, and for how long. */
export const mostWrongPasswords = 10;
export const wrongPasswordMs = 15 * 60_000;

const shortest = 12;
const longest = 200;
const loginShape = /^[a-z0-9][a-z0-9._@+-]{2,63}$/;

/** `$argon2id$…` of a password, with a salt of its own. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  const hash = await derived(password, salt, cost, hashBytes);
  const text = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${text(salt)}$${text(hash)}`;
}

/** Whether a hash is of this password. Where there is no hash it takes as long, and is not. */
export async function isPassword(password: string, hash: string | undefined): Promise<boolean> {
  const [, memory, passes, parallelism, salt = '', right = ''] =
    /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(hash ?? nobody) ?? [];
  const expected = Buffer.from(right, 'base64');
  const asked = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) };
  const given = await derived(password, Buffer.from(salt, 'base64'), asked, expected.length);
  return timingSafeEqual(given, expected) && hash !== undefined;
}

/** Stands in for the hash of a name that nobody has. */
const nobody = `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${'A'.repeat(22)}$${'A'.repeat(43)}`;

async function derived(password: string, nonce: Buffer, parameters: typeof cost, tagLength: number): Promise<Buffer> {
  return await derive('argon2id', { message: password.normalize('NFKC'), nonce, tagLength, ...parameters });
}

/**
 * Whom a name and a password sign in. Throws the same DH-233 for a wrong password as for a name that nobody has, after the same time, and DH-225
 * after too many of them for a name, whether anybody has it or not.
 */
export async function personOfPassword(
  database: Database,
  { login, password }: { login: string; password: string },
  at: Date,
): Promise<{ workspace: string; user: string }> {
  const name = login.trim().toLowerCase();
  const key = createHash('sha256').update(name).digest('hex');
  // Counted before it is looked at, so that many at once are no way around it.
  const waits = await database.transaction((tx) =>
    noteFailure(tx, key, { at, most: mostWrongPasswords, withinMs: wrongPasswordMs }),
  );
  if (waits !== undefined)
    throw new AppError('DH-225', { what: 'Too many wrong passwords were sent for this name.', seconds: waits });
  const row = await database.transaction((tx) => passwordOf(tx, { login: name }));
  const right = await isPassword(password.slice(0, longest), row?.hash);
  const person = right && row !== undefined ? await database.transaction((tx) => memberNow(tx, row)) : undefined;
  if (row === undefined || person === undefined) {
    throw new AppError('DH-233', {
      why: 'Name or password is wrong.',
      what: '`signin` in chat gives a link that signs you in without one.',
    });
  }
  await database.transaction((tx) => clearFailures(tx, key));
  return { workspace: row.workspace, user: person.user };
}

/** The person, if they have a role anywhere. */
async function memberNow(tx: Tx, { workspace, user }: PasswordRow): Promise<Member | undefined> {
  const { role } = await rightsOfPerson(tx, workspace, user);
  return role === undefined ? undefined : await personById(tx, workspace, user);
}

/** Sets the password of a person who is signed in; with one already, the present one has to be right. Throws DH-233. */
export async function setPassword(
  database: Database,
  who: { workspace: string; user: string },
  given: { login: string; password: string; present: string },
  at: Date,
): Promise<void> {
  const login = given.login.trim().toLowerCase();
  if (!loginShape.test(login)) {
    throw notTaken('A name has 3 to 64 small letters, digits and the signs . _ - @ +.');
  }
  if (given.password.length < shortest || given.password.length > longest) {
    throw notTaken(`A password has ${shortest} to ${longest} characters.`);
  }
  await checkPresent(database, who.user, given.present, at);
  const hash = await hashPassword(given.password);
  await database.transaction(async (tx) => {
    if (!(await setPasswordRow(tx, { ...who, login, hash, at }))) throw notTaken('Somebody has this name already.');
    await recordAudit(tx, {
      workspace: who.workspace,
      actor: who.user,
      action: 'password.set',
      subject: who.user,
      data: { login },
    });
  });
}

/** Takes the password of a person away. The present one has to be right. */
export async function removePassword(
  database: Database,
  who: { workspace: string; user: string },
  present: string,
  at: Date,
): Promise<void> {
  await checkPresent(database, who.user, present, at);
  await database.transaction((tx: Tx) => takeAway(tx, who));
}

async function takeAway(tx: Tx, { workspace, user }: { workspace: string; user: string }): Promise<void> {
  if (await removePasswordRow(tx, user)) {
    await recordAudit(tx, { workspace, actor: user, action: 'password.remove', subject: user, data: {} });
  }
}

/** A session that somebody else got hold of must not be enough to change the password. Wrong ones are counted like those of signing in. */
async function checkPresent(database: Database, user: string, present: string, at: Date): Promise<void> {
  const row: PasswordRow | undefined = await database.transaction((tx) => passwordOf(tx, { user }));
  if (row === undefined) return;
  await personOfPassword(database, { login: row.login, password: present }, at).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'DH-233') throw notTaken('The present password is wrong.');
    throw error;
  });
}

function notTaken(why: string): AppError {
  return new AppError('DH-233', { why, what: 'Nothing was changed. Correct it and send it again.' });
}
