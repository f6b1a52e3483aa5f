import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessTokenHash, newAccessToken } from '../../src/access/access-token.ts';
import { formToken, openSession } from '../../src/access/session.ts';
import { loadConfig } from '../../src/config.ts';
import type { Role } from '../../src/contracts/roles.ts';
import { gatewayApi } from '../../src/gateway-api.ts';
import { createHttpServer, type HttpServer, type KnownRoute } from '../../src/http/server.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { createTokenRow } from '../../src/store/access-tokens.ts';
import { type Desk, openDesk, slash } from '../support/desk.ts';

/** Who asks, and how. */
type Asker =
  | 'nobody'
  | 'guest'
  | 'developer'
  | 'owner'
  | 'service'
  | 'service of another project'
  | 'somebody without a role'
  | 'another workspace'
  | 'expired'
  | 'revoked'
  | 'cookie'
  | 'cookie of another site'
  | 'cookie without form'
  | 'ended cookie';

/** Who may call each route there is, and what everybody else is answered. A route that is not here has no decision. */
const anyone: Record<string, number> = {
  'GET /healthz': 200,
  'GET /readyz': 200,
  'GET /api/v1/openapi.json': 200,
  'OPTIONS /api/v1/*': 403, // pages of no origin in particular
  'GET /signin': 200,
  'GET /signin/style.css': 200,
  'GET /signin/link': 403, // without a code
  'POST /signin/link': 403,
  'GET /signin/github': 303,
  'GET /signin/github/callback': 403, // nothing was begun
  'GET /signin/oidc': 403, // the provider of this test does not answer
  'GET /signin/oidc/callback': 403,
  'POST /signin/password': 403,
  'POST /hook': 401, // not signed
};
const machine = ['GET /metrics'];
const tokens: Record<string, { path: (ids: Ids) => string; foreign: 200 | 404 }> = {
  'GET /api/v1/tasks': { path: () => '/api/v1/tasks', foreign: 200 },
  'GET /api/v1/tasks/:number': { path: ({ task }) => `/api/v1/tasks/${task}`, foreign: 404 },
  'GET /api/v1/runs/:id': { path: ({ run }) => `/api/v1/runs/${run}`, foreign: 404 },
  'GET /api/v1/runs/:id/events': { path: ({ run }) => `/api/v1/runs/${run}/events`, foreign: 404 },
};
/** What a good request of the person is answered. */
const sessions: Record<string, number> = {
  'GET /account': 200,
  'POST /signout': 303,
  'POST /account/sessions/end': 303,
  'POST /account/sessions/end-others': 303,
  'POST /account/tokens/revoke': 303,
  'POST /account/logins/link': 403, // no such server
  'POST /account/logins/remove': 303,
  'POST /account/password': 403, // an empty name
  'POST /account/password/remove': 303,
};

interface Ids {
  task: number;
  run: string;
}

let desk: Desk;
let server: HttpServer;
let ids: Ids;
const bearer = new Map<Asker, string>();
let other: { workspace: string; user: string };

const config = loadConfig({
  GITHUB_OAUTH_CLIENT_ID: 'Ov1',
  GITHUB_OAUTH_CLIENT_SECRET: 'secret',
  OIDC_ISSUER: 'http://127.0.0.1:1',
  OIDC_CLIENT_ID: 'deckhand',
  SIGNIN_PASSWORD: 'on',
  CORS_ORIGINS: 'https://board.example.com',
});

beforeAll(async () => {
  desk = await openDesk();
  const { database, secretBox, wakeups } = desk;
  const logger = createLogger({ level: 'silent' });
  const metrics = createMetrics();
  const infrastructure = { database, wakeups, secretBox };
  const api = gatewayApi({
    infrastructure,
    clock: systemClock,
    logger,
    metrics,
    config,
    lab: undefined,
    localToken: 'dhl_local',
  });
  server = createHttpServer({
    host: '127.0.0.1',
    port: 0,
    logger,
    groups: api.groups,
    webhooks: [{ method: 'POST', path: '/hook', handle: async (_request, response) => void response.writeHead(401).end() }],
    checks: [],
    metrics: metrics.registry,
  });
  await server.start();
  await desk.act(slash('ada', 'sh ls'));
  const run = await database.db.run.findFirstOrThrow({ include: { task: true } });
  ids = { task: run.task.number, run: run.id };
  const workspace = await database.db.workspace.create({ data: { id: newId('wsp'), name: 'Other' } });
  const stranger = { id: newId('usr'), workspaceId: workspace.id, name: 'Olga', role: 'owner' };
  other = { workspace: workspace.id, user: (await database.db.user.create({ data: stranger })).id };
  await desk.act(slash('ada', 'project add away https://example.com/acme/away.git'));
  const away = await database.db.project.findFirstOrThrow({ where: { name: 'away' } });
  await token('guest', { name: 'Gus', role: 'owner' });
  await token('developer', { name: 'Ben', role: 'owner' });
  await token('owner', { name: 'Ada', role: 'owner' });
  await token('service', { name: 'Ben', role: 'guest', kind: 'service' });
  await token('service of another project', { name: 'Ben', role: 'guest', kind: 'service', project: away.id });
  await database.db.user.create({ data: { id: newId('usr'), workspaceId: desk.workspace, name: 'Nina' } });
  await token('somebody without a role', { name: 'Nina', role: 'owner' });
  await token('another workspace', { name: 'Olga', role: 'owner' });
  await token('expired', { name: 'Ada', role: 'owner', life: -1000 });
  await token('revoked', { name: 'Ada', role: 'owner' });
  await database.db.accessToken.updateMany({
    where: { hash: accessTokenHash(bearer.get('revoked') ?? '') },
    data: { revokedAt: new Date() },
  });
});
afterAll(async () => {
  await server?.abort();
  await desk?.[Symbol.asyncDispose]();
});

async function token(
  asker: Asker,
  of: { name: string; role: Role; kind?: 'service'; project?: string; life?: number },
): Promise<void> {
  const { database } = desk;
  const person = await database.db.user.findFirstOrThrow({ where: { name: of.name } });
  const kind = of.kind ?? 'personal';
  const secret = newAccessToken(kind);
  const at = new Date();
  await database.transaction((tx) =>
    createTokenRow(tx, {
      workspace: person.workspaceId,
      kind,
      project: of.project,
      user: person.id,
      name: asker.replaceAll(' ', '-'),
      hash: accessTokenHash(secret),
      end: secret.slice(-4),
      scopes: ['read'],
      role: of.role,
      at,
      expiresAt: new Date(at.getTime() + (of.life ?? 60_000_000)),
    }),
  );
  bearer.set(asker, secret);
}

/** A new session of Ben, so that no route ends that of another. */
async function cookie(ended = false): Promise<string> {
  const { database, workspace } = desk;
  const ben = await database.db.user.findFirstOrThrow({ where: { name: 'Ben' } });
  const now = new Date();
  const who = { workspace, user: ben.id, method: 'link', device: 'test' } as const;
  const { id, secret } = await database.transaction((tx) => openSession(tx, who, now));
  if (ended) await database.db.session.update({ where: { id }, data: { endedAt: now } });
  return secret;
}

async function ask(key: string, asker: Asker, path = key.split(' ')[1] ?? ''): Promise<number> {
  const [method = ''] = key.split(' ');
  const unsafe = method === 'POST';
  const headers: Record<string, string> = {};
  const form = new URLSearchParams();
  const withToken = bearer.get(asker);
  if (withToken !== undefined) headers.authorization = `Bearer ${withToken}`;
  if (asker.includes('cookie')) {
    const secret = await cookie(asker === 'ended cookie');
    headers.cookie = `deckhand-${new URL(server.url).port}=${secret}`;
    if (asker !== 'cookie without form') form.set('form', formToken(secret));
    const foreign = asker === 'cookie of another site';
    headers.origin = foreign ? 'https://evil.example.com' : server.url;
    headers['sec-fetch-site'] = foreign ? 'cross-site' : 'same-origin';
  }
  const answer = await fetch(server.url + path, { method, headers, redirect: 'manual', ...(unsafe ? { body: form } : {}) });
  await answer.body?.cancel();
  return answer.status;
}

const keyOf = ({ method, url }: KnownRoute) => `${method} ${url}`;

describe('routes', () => {
  it('each have a decision about who may call them, and no other is known', () => {
    const known = server.routes.filter(({ method }) => method !== 'HEAD');
    const by = (access: KnownRoute['access']) =>
      known
        .filter((route) => route.access === access)
        .map(keyOf)
        .sort();
    expect(by('anyone')).toEqual(Object.keys(anyone).sort());
    expect(by('this machine')).toEqual(machine);
    expect(by('access token')).toEqual(Object.keys(tokens).sort());
    expect(by('session')).toEqual(Object.keys(sessions).sort());
    expect(known.filter(({ access, need }) => access === 'access token' && need === undefined)).toEqual([]);
    expect(known.filter(({ access, signedIn }) => access === 'session' && signedIn === undefined)).toEqual([]);
  });

  it('for anyone answer nobody in particular as decided', async () => {
    for (const [key, status] of Object.entries(anyone)) {
      expect([key, await ask(key, 'nobody', key.split(' ')[1]?.replace('*', 'tasks'))]).toEqual([key, status]);
    }
  });

  it('for this machine refuse what a proxy passes on', async () => {
    for (const key of machine) {
      const answer = await fetch(server.url + (key.split(' ')[1] ?? ''), { headers: { 'x-forwarded-for': '203.0.113.9' } });
      expect([key, answer.status]).toEqual([key, 403]);
      await answer.body?.cancel();
    }
  });

  it.each(Object.entries(tokens))(
    '%s takes a good token with its role, in its workspace and project',
    async (key, { path, foreign }) => {
      const expected: Partial<Record<Asker, number>> = {
        nobody: 401,
        cookie: 401,
        expired: 401,
        revoked: 401,
        'somebody without a role': 403,
        guest: 200,
        developer: 200,
        owner: 200,
        service: 200,
        'service of another project': foreign,
        'another workspace': foreign,
      };
      const found: Partial<Record<Asker, number>> = {};
      for (const asker of ['nobody', 'cookie', ...bearer.keys()] as Asker[]) found[asker] = await ask(key, asker, path(ids));
      expect(found).toEqual(expected);
    },
  );

  it.each(Object.entries(sessions))('%s takes a session, and to change something a form of it', async (key, good) => {
    const unsafe = key.startsWith('POST');
    const found: Partial<Record<Asker, number>> = {};
    const askers: Asker[] = ['nobody', 'owner', 'ended cookie', 'cookie of another site', 'cookie without form', 'cookie'];
    for (const asker of askers) found[asker] = await ask(key, asker);
    const refused = unsafe ? 401 : 303;
    expect(found).toEqual({
      // Without a session nothing tells a foreign page from none.
      nobody: unsafe ? 403 : refused,
      // A token is for programs, whoever it belongs to.
      owner: 403,
      'ended cookie': refused,
      'cookie of another site': unsafe ? 403 : good,
      'cookie without form': unsafe ? 403 : good,
      cookie: good,
    });
  });

  it('of a task in another workspace, or out of the reach of a service, are empty lists', async () => {
    for (const asker of ['another workspace', 'service of another project'] as const) {
      const answer = await fetch(`${server.url}/api/v1/tasks`, { headers: { authorization: `Bearer ${bearer.get(asker)}` } });
      expect(await answer.json()).toMatchObject({ tasks: [], total: 0 });
    }
    expect(other.workspace).not.toBe(desk.workspace);
  });

  it('let programs of this machine read with the token of the launch, which no proxy can pass on', async () => {
    await desk.database.db.user.deleteMany({ where: { workspaceId: other.workspace } });
    await desk.database.db.workspace.delete({ where: { id: other.workspace } });
    const read = (headers: Record<string, string>) => fetch(`${server.url}/api/v1/tasks`, { headers });
    const local = { authorization: 'Bearer dhl_local' };
    expect(await (await read(local)).json()).toMatchObject({ total: 1 });
    expect((await read({ ...local, 'x-forwarded-for': '203.0.113.9' })).status).toBe(401);
    expect((await read({ authorization: 'Bearer dhl_other' })).status).toBe(401);
  });

  it('let pages of an allowed origin read with a token, and no others', async () => {
    const headers = { origin: 'https://board.example.com', authorization: `Bearer ${bearer.get('owner')}` };
    const read = await fetch(`${server.url}/api/v1/tasks`, { headers });
    expect(read.headers.get('access-control-allow-origin')).toBe('https://board.example.com');
    expect(read.headers.get('access-control-allow-credentials')).toBeNull();
    expect(Number(read.headers.get('ratelimit-remaining'))).toBeGreaterThan(0);
    const preflight = await fetch(`${server.url}/api/v1/tasks`, { method: 'OPTIONS', headers: { origin: headers.origin } });
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([
      204,
      'authorization, last-event-id',
    ]);
    const evil = await fetch(`${server.url}/api/v1/tasks`, { headers: { ...headers, origin: 'https://evil.example.com' } });
    expect(evil.headers.get('access-control-allow-origin')).toBeNull();
    const page = await fetch(`${server.url}/signin`, { headers: { origin: headers.origin } });
    expect(page.headers.get('access-control-allow-origin')).toBeNull();
  });
});
