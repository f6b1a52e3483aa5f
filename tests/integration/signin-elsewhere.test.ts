import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGithubEmulator, type GithubEmulator } from '../../lab/github/emulator.ts';
import { githubServer, githubWeb, oidcServer } from '../../src/access/login-server.ts';
import { isPassword, mostWrongPasswords } from '../../src/access/password.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { accounts, type Desk, openDesk, slash } from '../support/desk.ts';
import { type OidcServer, startOidcServer } from '../support/oidc-server.ts';
import { openSigninSite, type SigninSite, type SiteBrowser } from '../support/signin-site.ts';

let desk: Desk;
let github: GithubEmulator;
let oidc: OidcServer;
let site: SigninSite;
let url = '';

beforeAll(async () => {
  desk = await openDesk({ apiUrl: () => url });
  github = await createGithubEmulator();
  oidc = await startOidcServer();
  site = await openSite();
});
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
  await oidc?.[Symbol.asyncDispose]();
  await github?.close();
  await desk?.[Symbol.asyncDispose]();
});

/** The pages, which count by themselves how often an address asks. */
async function openSite(): Promise<SigninSite> {
  const log = createLogger({ level: 'silent' });
  const opened = await openSigninSite(desk, (address) => {
    url = address;
    return {
      logins: [
        githubServer({ ...github.oauthApp, apiUrl: github.apiUrl }, log),
        oidcServer({ ...oidc, label: 'Acme login', allowedDomains: [] }, log),
      ],
      allowedDomains: ['acme.example'],
      passwords: true,
    };
  });
  oidc.allow(`${url}/signin/oidc/callback`);
  return opened;
}

/** What a browser does at the emulated GitHub. */
async function atGithub(address: string, as: string): Promise<string> {
  const answer = await fetch(`${address}&as=${as}`, { redirect: 'manual' });
  return answer.headers.get('location') ?? '';
}

async function linked(browser: SiteBrowser, provider: 'github' | 'oidc', go: (address: string) => Promise<string>) {
  const page = await browser.post('/account/logins/link', { provider });
  expect(page.status).toBe(200);
  const address = /http-equiv="refresh" content="0; url=([^"]+)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
  return await browser.get(await go(address));
}

async function through(browser: SiteBrowser, provider: 'github' | 'oidc', go: (address: string) => Promise<string>) {
  const begun = await browser.get(`/signin/${provider}`);
  expect(begun.status).toBe(303);
  return await browser.get(await go(begun.location ?? ''));
}

test('an account at GitHub signs in whom it was linked to, and nobody else', async () => {
  const stranger = site.browser();
  const refused = await through(stranger, 'github', (address) => atGithub(address, 'ben'));
  expect(refused.status).toBe(403);
  expect(refused.text).toContain('belongs to nobody here');
  const ben = site.browser();
  await ben.enter('ben');
  expect((await linked(ben, 'github', (address) => atGithub(address, 'ben'))).location).toBe('/account');
  expect((await ben.get('/account')).text).toMatch(/ben <span class="tag">GitHub/);
  const again = site.browser();
  expect((await through(again, 'github', (address) => atGithub(address, 'ben'))).location).toBe('/account');
  expect((await again.get('/account')).text).toContain('developer in Deckhand');
  // An account is one person's.
  const gus = site.browser();
  await gus.enter('gus');
  const taken = await linked(gus, 'github', (address) => atGithub(address, 'ben'));
  expect([taken.status, taken.text.includes('already')]).toEqual([403, true]);
  // Whoever has no role any more is not let in.
  await linked(gus, 'github', (address) => atGithub(address, 'gus'));
  await desk.act(slash('ada', 'member remove Gus'));
  expect((await through(site.browser(), 'github', (address) => atGithub(address, 'gus'))).text).toContain('no role');
  await desk.act(slash('ada', 'member add Gus guest'));
  const acts = await desk.database.db.audit.findMany({ where: { action: 'login.link' } });
  expect(acts).toHaveLength(2);
  // Removed, it signs in no more.
  const id = /name="login" value="(exl_[^"]+)"/.exec((await ben.get('/account')).text)?.[1] ?? '';
  await ben.post('/account/logins/remove', { login: id });
  expect((await through(site.browser(), 'github', (address) => atGithub(address, 'ben'))).status).toBe(403);
});

test('what comes back is taken only from the browser that began, once, with its own state, code and verifier', async () => {
  const begun = site.browser();
  const { location } = await begun.get('/signin/github');
  const back = await atGithub(location ?? '', 'ada');
  expect(new URL(location ?? '').searchParams.get('code_challenge_method')).toBe('S256');
  const other = site.browser();
  expect((await other.get(back)).text).toContain('has not begun');
  const forged = new URL(back);
  forged.searchParams.set('state', 'forged');
  const second = site.browser();
  const its = await second.get('/signin/github');
  expect((await second.get(forged.href)).status).toBe(403);
  // A code that was made for another browser's challenge.
  const third = site.browser();
  await third.get('/signin/github');
  const swapped = new URL(await atGithub(its.location ?? '', 'ada'));
  expect((await third.get(swapped.href)).status).toBe(403);
  const declined = site.browser();
  const no = await through(declined, 'github', (address) => atGithub(address, 'nobody'));
  expect(no.text).toContain('At GitHub it was declined');
  expect([...declined.cookies.keys()]).toEqual([]);
});

test('an OpenID provider signs in linked accounts, and guests from a domain that is allowed when the address is verified', async () => {
  oidc.people.set('u-1', { sub: 'u-1', name: 'Mia M.', email: 'mia@elsewhere.example', email_verified: true });
  oidc.people.set('u-2', { sub: 'u-2', name: 'Nora', email: 'nora@acme.example', email_verified: true });
  oidc.people.set('u-3', { sub: 'u-3', name: 'Eve', email: 'eve@acme.example', email_verified: false });
  oidc.people.set('u-4', { sub: 'u-4', name: 'Eve', email: 'eve@evil-acme.example', email_verified: true });
  const visit = (sub: string) => (address: string) => oidc.visit(address, sub);
  for (const sub of ['u-1', 'u-3', 'u-4']) {
    expect((await through(site.browser(), 'oidc', visit(sub))).status, sub).toBe(403);
  }
  const nora = site.browser();
  expect((await through(nora, 'oidc', visit('u-2'))).location).toBe('/account');
  expect((await nora.get('/account')).text).toContain('guest in Deckhand');
  const again = site.browser();
  await through(again, 'oidc', visit('u-2'));
  expect(await desk.database.db.user.count({ where: { name: 'Nora' } })).toBe(1);
  const mia = site.browser();
  await mia.enter('mia');
  expect((await linked(mia, 'oidc', visit('u-1'))).location).toBe('/account');
  const back = site.browser();
  await through(back, 'oidc', visit('u-1'));
  expect((await back.get('/account')).text).toContain('maintainer in Deckhand');
});

test('a password signs in; a wrong one and a name that nobody has are the same, and both wait after too many', async () => {
  const ben = site.browser();
  await ben.enter('ben');
  expect((await ben.post('/account/password', { login: 'Ben', password: 'short' })).status).toBe(403);
  expect((await ben.post('/account/password', { login: 'Ben', password: 'twelve letters' })).location).toBe('/account');
  const { hash } = await desk.database.db.password.findUniqueOrThrow({ where: { login: 'ben' } });
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect([await isPassword('twelve letters', hash), await isPassword('other letters', hash)]).toEqual([true, false]);
  const entered = site.browser();
  expect((await entered.post('/signin/password', { login: ' BEN ', password: 'twelve letters' })).location).toBe('/account');
  // A session alone is not enough to change it.
  expect((await ben.post('/account/password', { login: 'ben', password: 'another twelve', present: 'wrong' })).status).toBe(403);
  expect(
    (await ben.post('/account/password', { login: 'ben', password: 'another twelve', present: 'twelve letters' })).status,
  ).toBe(303);
  const answers: Record<string, { status: number; text: string }[]> = { ben: [], nobody: [] };
  for (const login of ['ben', 'nobody']) {
    for (let times = 0; times < mostWrongPasswords + 1; times += 1) {
      const { status, text } = await site.browser().post('/signin/password', { login, password: 'wrong wrong wrong' });
      answers[login]?.push({ status, text: text.replace(/req_\w+/, '').replace(/\d+ s/, '') });
    }
  }
  expect(answers.ben?.map(({ status }) => status)).toEqual([...Array(mostWrongPasswords).fill(403), 429]);
  expect(answers.nobody).toEqual(answers.ben);
  expect((await site.browser().post('/signin/password', { login: 'ben', password: 'another twelve' })).status).toBe(429);
});

test('whoever has a membership alone signs in by password and by an OpenID provider, for as long as they have it', async () => {
  await desk.act(slash('nobody', 'help'));
  await desk.act(slash('ada', `member role <@${accounts.nobody}> developer project=demo`));
  await using own = await openSite();
  const member = own.browser();
  await member.enter('nobody');
  oidc.people.set('u-5', { sub: 'u-5', name: 'Member', email: 'member@elsewhere.example', email_verified: true });
  const visit = (address: string) => oidc.visit(address, 'u-5');
  expect((await linked(member, 'oidc', visit)).location).toBe('/account');
  expect((await member.post('/account/password', { login: 'member', password: 'twelve letters' })).location).toBe('/account');
  const byPassword = { login: 'member', password: 'twelve letters' };
  const [one, other] = [own.browser(), own.browser()];
  expect((await one.post('/signin/password', byPassword)).location).toBe('/account');
  expect((await through(other, 'oidc', visit)).location).toBe('/account');
  for (const browser of [one, other]) expect((await browser.get('/account')).text).toContain('developer about demo');
  await desk.act(slash('ada', `member remove <@${accounts.nobody}> project=demo`));
  for (const browser of [one, other]) expect((await browser.get('/account')).status).toBe(303);
  expect((await own.browser().post('/signin/password', byPassword)).text).toContain('Name or password is wrong');
  expect((await through(own.browser(), 'oidc', visit)).text).toContain('no role');
});

test('pages of GitHub are found by the address of its API', () => {
  expect(['https://api.github.com', 'https://ghe.acme.example/api/v3', 'https://api.acme.ghe.com'].map(githubWeb)).toEqual([
    'https://github.com',
    'https://ghe.acme.example',
    'https://acme.ghe.com',
  ]);
});
