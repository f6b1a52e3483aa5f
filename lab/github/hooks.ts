import { createHmac, randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Json } from '../slack/json.ts';
import { accountOf, type Core, type Event, fullName } from './core.ts';
import { iso, nodeId } from './ids.ts';
import type { Delivery, Hook, Repository } from './model.ts';
import { wireAccount } from './wire-accounts.ts';
import { apiAddress, wireRepository } from './wire-repository.ts';

/** Webhooks: who gets which event, signed delivery, and what becomes of it. Nothing is sent again by itself, as at GitHub. */

export interface DeliveryFaults {
  /** Sends the next `times` deliveries (of this event) twice. */
  duplicate(event?: string, times?: number): void;
  /** Loses them: recorded, never sent. */
  lose(event?: string, times?: number): void;
  /** Keeps deliveries back until the returned function is called, which sends them in opposite order. */
  reverse(): () => void;
}

export interface Hooks {
  send(event: Event): void;
  faults: DeliveryFaults;
  /** Sends a recorded delivery again, with the same delivery id. */
  redeliver(hook: Hook, delivery: Delivery): Promise<Delivery>;
  /** Resolves when everything that is due has been sent. */
  settled(): Promise<void>;
  close(): void;
}

const KEPT = 200;

export function addHook(core: Core, repository: Repository, given: Pick<Hook, 'url' | 'secret' | 'events' | 'active'>): Hook {
  const hook: Hook = { ...given, id: core.ids.next(), target: fullName(repository), createdAt: core.now(), deliveries: [] };
  repository.hooks.set(hook.id, hook);
  pingHook(core, repository, hook);
  return hook;
}

export function pingHook(core: Core, repository: Repository, hook: Hook): void {
  core.ping(repository, hook, { zen: 'Keep it logically awesome.', hook_id: hook.id, hook: wireHook(core, repository, hook) });
}

export function wireHook(core: Core, repository: Repository, hook: Hook): Json {
  const url = `${apiAddress(core, repository)}/hooks/${hook.id}`;
  const last = hook.deliveries.findLast(({ status }) => status !== 'lost');
  return {
    type: 'Repository',
    id: hook.id,
    name: 'web',
    active: hook.active,
    events: hook.events,
    config: {
      url: hook.url,
      content_type: 'json',
      insecure_ssl: '0',
      ...(hook.secret === undefined ? {} : { secret: '********' }),
    },
    updated_at: iso(hook.createdAt),
    created_at: iso(hook.createdAt),
    url,
    test_url: `${url}/test`,
    ping_url: `${url}/pings`,
    deliveries_url: `${url}/deliveries`,
    last_response: last
      ? {
          code: last.statusCode,
          status: last.statusCode < 400 && last.statusCode > 0 ? 'active' : 'failed',
          message: last.status,
        }
      : { code: null, status: 'unused', message: null },
  };
}

export function createHooks(core: Core): Hooks {
  const closing = new AbortController();
  const marked: { event: string | undefined; how: 'duplicate' | 'lose'; left: number }[] = [];
  let kept: (() => void)[] | undefined;
  let tail: Promise<unknown> = Promise.resolve();

  function takeMark(event: string, how: 'duplicate' | 'lose'): boolean {
    const found = marked.find((mark) => mark.left > 0 && mark.how === how && (mark.event === undefined || mark.event === event));
    if (found) found.left -= 1;
    return found !== undefined;
  }

  async function post(
    hook: Hook,
    given: Pick<Delivery, 'guid' | 'event' | 'action' | 'repository' | 'installation' | 'payload' | 'redelivery'>,
  ): Promise<Delivery> {
    const body = JSON.stringify(given.payload);
    const sign = (algorithm: string) =>
      `${algorithm}=${createHmac(algorithm, hook.secret ?? '')
        .update(body)
        .digest('hex')}`;
    const requestHeaders: Record<string, string> = {
      accept: '*/*',
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/lab',
      'x-github-event': given.event,
      'x-github-delivery': given.guid,
      'x-github-hook-id': String(hook.id),
      'x-github-hook-installation-target-type': hook.target === 'app' ? 'integration' : 'repository',
      'x-github-hook-installation-target-id': String(hook.target === 'app' ? core.appHookTarget() : (given.repository ?? 0)),
      ...(hook.secret === undefined ? {} : { 'x-hub-signature': sign('sha1'), 'x-hub-signature-256': sign('sha256') }),
    };
    const delivery: Delivery = {
      ...given,
      id: core.ids.next(),
      requestHeaders,
      status: 'pending',
      statusCode: 0,
      responseHeaders: {},
      responseText: '',
      at: core.now(),
      duration: 0,
    };
    hook.deliveries.push(delivery);
    if (hook.deliveries.length > KEPT) hook.deliveries.shift();
    if (takeMark(given.event, 'lose')) {
      delivery.status = 'lost';
      return delivery;
    }
    const begun = performance.now();
    try {
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(core.settings.deliveryTimeoutMs)]);
      const response = await fetch(hook.url, { method: 'POST', body, headers: requestHeaders, redirect: 'manual', signal });
      delivery.responseText = (await response.text()).slice(0, 10_000);
      delivery.responseHeaders = Object.fromEntries(response.headers);
      delivery.statusCode = response.status;
      delivery.status = response.ok ? 'OK' : `Invalid HTTP Response: ${response.status}`;
    } catch (error) {
      const isLate = error instanceof Error && error.name === 'TimeoutError';
      delivery.status = isLate ? 'timed out' : 'failed to connect to host';
      delivery.statusCode = isLate ? 504 : 502;
    }
    delivery.duration = Math.round(performance.now() - begun) / 1000;
    core.changed({ repository: hook.target, what: 'delivery' });
    return delivery;
  }

  /** One after the other, so that tests see an order they can rely on; GitHub promises none. */
  function enqueue(work: () => Promise<unknown>): void {
    if (kept) {
      kept.push(() => enqueue(work));
      return;
    }
    tail = tail.then(() => (closing.signal.aborted ? undefined : work())).catch((error: unknown) => core.failed(error));
  }

  function deliver(hook: Hook, event: Event, payload: Json): void {
    if (!hook.active) return;
    const given = {
      guid: randomUUID(),
      event: event.event,
      action: event.action ?? null,
      repository: event.repository?.id ?? null,
      installation: hook.target === 'app' ? (event.installation?.id ?? null) : null,
      payload,
      redelivery: false,
    };
    const isTwice = takeMark(event.event, 'duplicate');
    enqueue(() => post(hook, given));
    if (isTwice) enqueue(() => post(hook, given));
  }

  function payloadFor(hook: Hook, event: Event): Json {
    const { repository, installation } = event;
    const owner = repository && accountOf(core, repository.owner);
    return {
      ...(event.action === undefined ? {} : { action: event.action }),
      ...(repository ? { repository: wireRepository(core, repository) } : {}),
      ...(owner?.type === 'Organization' ? { organization: wireOrganization(core, owner.login) } : {}),
      ...event.payload,
      sender: wireAccount(core, event.sender),
      ...(hook.target === 'app' && installation && event.payload.installation === undefined
        ? { installation: { id: installation.id, node_id: nodeId('IN', installation.id) } }
        : {}),
    };
  }

  function check(event: Event, payload: Json): void {
    const name = [event.event, ...(event.action === undefined ? [] : [event.action])].join('-').replaceAll('_', '-');
    const schema = core.schema.webhooks.get(name);
    if (!schema) throw new Error(`there is no webhook ${name}`);
    const problems = core.schema.check(schema, payload).map(({ at, message }) => `${name} ${at}: ${message}`);
    if (problems.length > 0) core.failed(new Error(`the emulator sends what GitHub would not:\n${problems.join('\n')}`));
  }

  core.ping = (repository, hook, payload) => {
    const sender = accountOf(core, repository.owner);
    const event: Event = { event: 'ping', action: undefined, repository, installation: undefined, sender, payload };
    check(event, payloadFor(hook, event));
    deliver(hook, event, payloadFor(hook, event));
  };

  return {
    send(event) {
      const { repository, installation } = event;
      const own = [...(repository?.hooks.values() ?? [])];
      const app = core.appHook && installation ? [core.appHook] : [];
      const receivers = [...own, ...app].filter(({ events }) => events.includes('*') || events.includes(event.event));
      // Checked even when nobody listens: a wrong payload is a mistake in any test.
      check(event, payloadFor(core.appHook ?? receivers[0] ?? noHook, event));
      for (const hook of receivers) deliver(hook, event, payloadFor(hook, event));
    },
    faults: {
      duplicate: (event, times = 1) => marked.push({ event, how: 'duplicate', left: times }),
      lose: (event, times = 1) => marked.push({ event, how: 'lose', left: times }),
      reverse() {
        const mine: (() => void)[] = [];
        kept = mine;
        return () => {
          kept = undefined;
          for (const send of mine.reverse()) send();
        };
      },
    },
    redeliver: (hook, delivery) => post(hook, { ...delivery, redelivery: true }),
    async settled() {
      let seen: unknown;
      while (seen !== tail) {
        seen = tail;
        await tail;
      }
    },
    close: () => closing.abort(),
  };
}

const noHook: Hook = { id: 0, target: '', url: '', secret: undefined, events: [], active: false, createdAt: 0, deliveries: [] };

function wireOrganization(core: Core, login: string): Json {
  const account = accountOf(core, login);
  const url = `${core.apiUrl}/orgs/${login}`;
  return {
    login,
    id: account.id,
    node_id: nodeId('O', account.id),
    url,
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    avatar_url: `${core.baseUrl}/avatars/u/${account.id}?v=4`,
    description: '',
  };
}
