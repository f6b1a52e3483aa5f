import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createSessions, sessionIdleMs, sessionLifeMs } from '../../src/access/session.ts';
import { signinLinkLifeMs } from '../../src/access/signin-link.ts';
import { createTokenAccess } from '../../src/access/token-access.ts';
import { voidUnseen } from '../../src/delivery/unseen-secrets.ts';
import { viewSecretContext, withSecret } from '../../src/delivery/view-secret.ts';
import { accountGroup } from '../../src/http/account-routes.ts';
import { createHttpServer, type HttpServer } from '../../src/http/server.ts';
import { signinGroup } from '../../src/http/signin-routes.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { type Account, type Desk, openDesk, type Said, slash, tokenOf } from '../support/desk.ts';

let desk: Desk;
let server: HttpServer;
let ahead = 0;
const now = () => new Date(Date.now() + ahead);

beforeAll(async () => {
  desk = await openDesk({ apiUrl: () => server.url, now });
  const logger = createLogger({ level: 'silent' });
  const site = {
    database: desk.database,
    sessions: createSessions({ database: desk.database, now }),
    tokens: createTokenAccess({ database: desk.database, now, log: logger }),
    now,
    publicUrl: undefined,
    logins: [],
    allowedDomains: [],
    passwords: false,
    box: desk.secretBox,
    logger,
  };
  const options = { host: '127.0.0.1', port: 0, logger, webhooks: [], checks: [], metrics: createMetrics().registry };
  server = createHttpServer({ ...options, groups: [signinGroup(site), accountGroup(site)] });
  await server.start();
});
beforeEach(() => {
  ahead = 0;
});
afterAll(async () => {
  await server.abort();
  await desk[Symbol.asyncDispose]();
});

/** The link in an answer, as the person sees it. */
function linkIn(said: Said | undefined): string {
  if (said === undefined || !('view' in said.payload)) throw new Error('nothing was said');
  const view = withSecret(said.payload.view, (sealed) => desk.secretBox.open(sealed, viewSecretContext));
  const [text] = view.blocks.flatMap((block) => (block.type === 'text' ? block.spans : [])).filter(({ type }) => type === 'link');
  const copied = view.blocks.flatMap((block) => (block.type === 'code' ? [block.text] : []))[0] ?? '';
  expect(text).toMatchObject({ url: copied });
  return copied;
}

async function linkFor(who: Account): Promise<string> {
  const [said] = await desk.act(slash(who, 'signin'));
  return linkIn(said);
}

const own = () => ({ origin: server.url, 'sec-fetch-site': 'same-origin' });

async function send(
  path: string,
  {
    cookie,
    form,
    headers = {},
  }: { cookie?: string | undefined; form?: Record<string, string>; headers?: Record<string, string> } = {},
): Promise<{ status: number; location: string | null; cookie: string | undefined; text: string; headers: Headers }> {
  const answer = await fetch(path.startsWith('http') ? path : server.url + path, {
    method: form === undefined ? 'GET' : 'POST',
    redirect: 'manual',
    headers: { ...(cookie === undefined ? {} : { cookie }), ...(form === undefined ? {} : own()), ...headers },
    ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
  });
  const [set] = answer.headers.getSetCookie();
  const text = await answer.text();
  return { status: answer.status, location: answer.headers.get('location'), cookie: set, text, headers: answer.headers };
}

const codeOf = (link: string) => new URL(link).searchParams.get('code') ?? '';

/** A browser in which somebody is signed in: what it sends as its cookie, and the token of its forms. */
async function signedIn(who: Account): Promise<{ cookie: string; form: string; session: string }> {
  const entered = await send('/signin/link', { form: { code: codeOf(await linkFor(who)) } });
  expect([entered.status, entered.location]).toEqual([303, '/account']);
  const cookie = entered.cookie?.split(';')[0] ?? '';
  const page = await send('/account', { cookie });
  expect(page.status).toBe(200);
  const form = /name="form" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
  const { id } = await desk.database.db.session.findFirstOrThrow({ orderBy: { id: 'desc' } });
  return { cookie, form, session: id };
}

test('a link from chat is shown to the asker alone, is stored nowhere, and signs in once, after a button was pressed', async () => {
  const [said] = await desk.act(slash('ben', 'signin'));
  expect(said?.only).toBe('UBEN');
  const link = linkIn(said);
  const code = codeOf(link);
  expect(code).toMatch(/^[\w-]{43}$/);
  const { db } = desk.database;
  const kept = JSON.stringify(
    [await db.signinLink.findMany(), await db.outbox.findMany(), await db.audit.findMany()],
    (_, value) => (typeof value === 'bigint' ? String(value) : value),
  );
  expect(kept).not.toContain(code);
  // What makes previews of links looks at it and uses nothing up.
  for (let times = 0; times < 3; times += 1) {
    const shown = await send(link);
    expect([shown.status, shown.cookie]).toEqual([200, undefined]);
    expect(shown.text).toContain('Sign in as Ben?');
    expect(shown.text).not.toContain('<script');
  }
  const entered = await send('/signin/link', { form: { code } });
  expect([entered.status, entered.location]).toEqual([303, '/account']);
  const port = new URL(server.url).port;
  expect(entered.cookie).toMatch(new RegExp(`^deckhand-${port}=[\\w-]{43}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax$`));
  const again = await send('/signin/link', { form: { code } });
  expect([again.status, again.cookie]).toEqual([403, undefined]);
  expect(again.text).toContain('DH-233');
  const acts = await db.audit.findMany({ where: { action: { in: ['signin.link', 'session.start'] } }, orderBy: { id: 'asc' } });
  expect(acts.map(({ action }) => action)).toEqual(['signin.link', 'session.start']);
});

test('two browsers that use a link at the same moment: one is signed in', async () => {
  const code = codeOf(await linkFor('ben'));
  const both = await Promise.all([send('/signin/link', { form: { code } }), send('/signin/link', { form: { code } })]);
  expect(both.map(({ status }) => status).sort()).toEqual([303, 403]);
});

test('a link ends after five minutes, with a newer one, and with the role of its person', async () => {
  const old = await linkFor('ben');
  const newer = await linkFor('ben');
  expect((await send(old)).status).toBe(403);
  expect((await send(newer)).status).toBe(200);
  ahead = signinLinkLifeMs;
  expect((await send(newer)).status).toBe(403);
  ahead = 0;
  const gus = await linkFor('gus');
  await desk.act(slash('ada', 'member remove Gus'));
  expect((await send('/signin/link', { form: { code: codeOf(gus) } })).status).toBe(403);
  await desk.act(slash('ada', 'member add Gus guest'));
  expect((await send('/signin/link', { form: { code: codeOf(gus) } })).status).toBe(403);
});

test('people without a role of their own get no link', async () => {
  const [said] = await desk.act(slash('nobody', 'signin'));
  expect(said?.text).toContain('DH-202');
});

test('forms of other sites, of no browser and without the token of the session change nothing', async () => {
  const code = codeOf(await linkFor('ben'));
  const foreign = [
    { origin: 'https://evil.example.com', 'sec-fetch-site': 'cross-site' },
    { origin: server.url, 'sec-fetch-site': 'same-site' },
    { origin: 'null', 'sec-fetch-site': 'same-origin' },
    { origin: 'http://evil.example.com', 'sec-fetch-site': 'same-origin' },
  ];
  for (const headers of foreign) {
    const refused = await send('/signin/link', { form: { code }, headers });
    expect([refused.status, refused.cookie], JSON.stringify(headers)).toEqual([403, undefined]);
    expect(refused.text).toContain('DH-232');
  }
  const { cookie, form, session } = await signedIn('ben');
  for (const headers of foreign) expect((await send('/signout', { cookie, form: { form }, headers })).status).toBe(403);
  expect((await send('/signout', { cookie, form: {} })).status).toBe(403);
  const other = await signedIn('ada');
  expect((await send('/signout', { cookie, form: { form: other.form } })).status).toBe(403);
  expect(await desk.database.db.session.findUniqueOrThrow({ where: { id: session } })).toMatchObject({ endedAt: null });
  const out = await send('/signout', { cookie, form: { form } });
  expect([out.status, out.location]).toEqual([303, '/signin']);
  expect(out.cookie).toContain('Max-Age=0');
  expect((await send('/account', { cookie })).location).toBe('/signin');
});

test('a session ends when it is not used, when it is old, and with the role; a role that comes back does not bring it back', async () => {
  const idle = await signedIn('ben');
  ahead = sessionIdleMs + 60_000;
  expect((await send('/account', { cookie: idle.cookie })).location).toBe('/signin');
  ahead = 0;
  const used = await signedIn('ben');
  for (ahead = 0; ahead < sessionLifeMs; ahead += sessionIdleMs - 60_000) {
    expect((await send('/account', { cookie: used.cookie })).status).toBe(200);
  }
  ahead = sessionLifeMs + 1000;
  expect((await send('/account', { cookie: used.cookie })).location).toBe('/signin');
  ahead = 0;
  const gus = await signedIn('gus');
  await desk.act(slash('ada', 'member remove Gus'));
  await desk.act(slash('ada', 'member add Gus guest'));
  expect((await send('/account', { cookie: gus.cookie })).location).toBe('/signin');
});

test('the account shows what is one’s own; sessions and tokens of others are not there', async () => {
  await desk.act(slash('ben', 'token create laptop'));
  await desk.act(slash('ada', 'token create adas-own'));
  const [one, two] = [await signedIn('ben'), await signedIn('ben')];
  const ada = await signedIn('ada');
  const { text, headers } = await send('/account', { cookie: one.cookie });
  expect(text).toContain('developer in Deckhand');
  expect(text).toContain('laptop');
  expect(text).not.toContain('adas-own');
  expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'self'; form-action 'self'/);
  expect(headers.get('cache-control')).toBe('no-store');
  const { db } = desk.database;
  const token = async (name: string) => db.accessToken.findFirstOrThrow({ where: { name } });
  const press = (path: string, fields: Record<string, string>) =>
    send(path, { cookie: one.cookie, form: { form: one.form, ...fields } });
  await press('/account/sessions/end', { session: ada.session });
  await press('/account/tokens/revoke', { token: (await token('adas-own')).id });
  expect((await send('/account', { cookie: ada.cookie })).status).toBe(200);
  expect((await token('adas-own')).revokedAt).toBeNull();
  await press('/account/tokens/revoke', { token: (await token('laptop')).id });
  expect((await token('laptop')).revokedAt).not.toBeNull();
  await press('/account/sessions/end', { session: two.session });
  expect((await send('/account', { cookie: two.cookie })).status).toBe(303);
  const three = await signedIn('ben');
  await press('/account/sessions/end-others', {});
  expect((await send('/account', { cookie: three.cookie })).status).toBe(303);
  expect((await send('/account', { cookie: one.cookie })).status).toBe(200);
});

test('chat lists sessions and ends them; owners those of everybody', async () => {
  await desk.act(slash('mia', 'session end all'));
  const mia = await signedIn('mia');
  const [list] = await desk.act(slash('mia', 'session list'));
  expect(list?.only).toBe('UMIA');
  expect(list?.text).toMatch(/You are signed in · 1\n.* · with a link from chat · used just now/);
  expect((await desk.act(slash('ben', `session end ${mia.session}`)))[0]?.text).toContain('DH-300');
  const [all] = await desk.act(slash('ada', 'session list all'));
  expect(all?.text).toContain('Mia');
  expect(() => tokenOf(all, 'Sign out')).not.toThrow();
  await desk.act(slash('ada', `session end ${mia.session}`));
  expect((await send('/account', { cookie: mia.cookie })).status).toBe(303);
});

test('nobody signs in under a name that is not the server’s own', async () => {
  for (const headers of [{ 'x-forwarded-for': '203.0.113.7' }, { forwarded: 'for=203.0.113.7' }]) {
    const refused = await send('/signin', { headers });
    expect(refused.status).toBe(421);
    expect(refused.text).toContain('DH-231');
  }
});

test('tokens of services belong to the workspace: made and ended by maintainers up to their own role, and listed with who made them', async () => {
  expect((await desk.act(slash('ben', 'token create service=deploy')))[0]?.text).toContain('DH-202');
  expect((await desk.act(slash('mia', 'token create service=deploy role=owner')))[0]?.text).toContain('DH-202');
  expect((await desk.act(slash('mia', 'token create service=deploy project=nowhere')))[0]?.text).toContain('DH-205');
  expect((await desk.act(slash('mia', 'token create mine project=demo')))[0]?.text).toContain('DH-201');
  expect((await desk.act(slash('mia', 'token create')))[0]?.text).toContain('DH-201');
  const [made] = await desk.act(slash('mia', 'token create service=deploy project=demo role=developer'));
  expect(made?.text).toContain('may read as developer in the project demo alone');
  expect(made?.only).toBe('UMIA');
  expect((await desk.act(slash('ada', 'token create service=deploy')))[0]?.text).toContain('already');
  await desk.act(slash('ada', 'token create service=backup role=owner'));
  expect((await desk.act(slash('mia', 'token list')))[0]?.text).not.toContain('deploy');
  const [list] = await desk.act(slash('mia', 'token list services'));
  expect(list?.text).toMatch(/deploy dhs_….{4} · of a service, for one project, made by Mia/);
  expect((await desk.act(slash('ben', 'token revoke deploy')))[0]?.text).toContain('DH-300');
  expect((await desk.act(slash('mia', 'token revoke backup')))[0]?.text).toContain('DH-300');
  expect((await desk.act(slash('mia', 'token revoke deploy')))[0]?.text).toContain('of a service is revoked');
});

test('a token whose message did not arrive ends', async () => {
  const [said] = await desk.act(slash('ada', 'token create lost'));
  if (said === undefined) throw new Error('nothing was said');
  const open = (sealed: string) => desk.secretBox.open(sealed, viewSecretContext);
  const row = () => desk.database.db.accessToken.findFirstOrThrow({ where: { name: 'lost' } });
  await desk.database.transaction((tx) => voidUnseen(tx, said.payload, undefined, now()));
  expect((await row()).revokedAt).toBeNull();
  await desk.database.transaction((tx) => voidUnseen(tx, said.payload, open, now()));
  const { id, revokedAt } = await row();
  expect(revokedAt).not.toBeNull();
  const acts = await desk.database.db.audit.findMany({ where: { subject: id, action: 'token.revoke' } });
  expect(acts.map(({ actorId }) => actorId)).toEqual([null]);
});

test('an address that asks too often has to wait', async () => {
  let last = await send('/signin');
  for (let times = 0; times < 60 && last.status === 200; times += 1) last = await send('/signin');
  expect(last.status).toBe(429);
  expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
});
