import { accessTokenHash, newAccessToken } from '../../src/access/access-token.ts';
import { formToken, openSession } from '../../src/access/session.ts';
import { loadConfig } from '../../src/config.ts';
import type { AccessScope, TokenKind } from '../../src/contracts/access-token.ts';
import type { AnyRole } from '../../src/contracts/custom-roles.ts';
import { gatewayApi } from '../../src/gateway-api.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { createTokenRow } from '../../src/store/access-tokens.ts';
import type { Desk } from './desk.ts';

/** All that the gateway of a desk answers over HTTP. */
export interface DeskSite extends AsyncDisposable {
  url: string;
  /** A token of the person with this name, or of a service that they made. */
  token(of: {
    person: string;
    role: AnyRole;
    kind?: 'service';
    project?: string;
    scopes?: AccessScope[];
  }): Promise<{ id: string; secret: string }>;
  /** The cookie of a new session of that person, and the token of its forms. */
  session(person: string): Promise<{ id: string; cookie: string; form: string }>;
  /** The answer as people read it. */
  ask(path: string, init: { method?: string; headers?: Record<string, string>; form?: Record<string, string> }): Promise<string>;
}

export async function openDeskSite(desk: Desk): Promise<DeskSite> {
  const { database, secretBox, wakeups } = desk;
  const logger = createLogger({ level: 'silent' });
  const metrics = createMetrics();
  const api = gatewayApi({
    infrastructure: { database, wakeups, secretBox },
    clock: systemClock,
    logger,
    metrics,
    config: loadConfig({}),
    lab: undefined,
    localToken: undefined,
  });
  const server = createHttpServer({
    host: '127.0.0.1',
    port: 0,
    logger,
    groups: api.groups,
    webhooks: [],
    checks: [],
    metrics: metrics.registry,
  });
  await server.start();
  const personNamed = (name: string) =>
    database.db.user.findFirstOrThrow({ where: { name, workspaceId: desk.workspace }, orderBy: { id: 'asc' } });
  let made = 0;
  return {
    url: server.url,
    async token({ person, role, kind: asked, project, scopes = ['read'] }) {
      const kind: TokenKind = asked ?? 'personal';
      made += 1;
      const secret = newAccessToken(kind);
      const at = new Date();
      const user = (await personNamed(person)).id;
      const expiresAt = new Date(at.getTime() + 3_600_000);
      const row = { workspace: desk.workspace, kind, project, user, name: `token-${made}`, end: secret.slice(-4), scopes, role };
      const hash = accessTokenHash(secret);
      return { id: await database.transaction((tx) => createTokenRow(tx, { ...row, hash, at, expiresAt })), secret };
    },
    async session(person) {
      const user = (await personNamed(person)).id;
      const who = { workspace: desk.workspace, user, method: 'link', device: 'Firefox on Linux' } as const;
      const { id, secret } = await database.transaction((tx) => openSession(tx, who, new Date()));
      return { id, cookie: `deckhand-${new URL(server.url).port}=${secret}`, form: formToken(secret) };
    },
    async ask(path, { method = 'GET', headers = {}, form }) {
      const body = form === undefined ? {} : { body: new URLSearchParams(form) };
      const answer = await fetch(server.url + path, { method, headers, redirect: 'manual', ...body });
      return `${answer.status} ${await answer.text()}`;
    },
    async [Symbol.asyncDispose]() {
      await server.abort();
    },
  };
}
