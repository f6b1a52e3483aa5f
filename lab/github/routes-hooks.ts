import { GithubApiError, invalidField, notFound, validationFailed } from './api-error.ts';
import type { Core } from './core.ts';
import { addHook, type Hooks, pingHook, wireHook } from './hooks.ts';
import { iso } from './ids.ts';
import type { Delivery, Hook } from './model.ts';
import {
  type Call,
  created,
  listOf,
  noContent,
  ok,
  onAccount,
  onRepository,
  page,
  pageOf,
  type RepositoryCall,
  type Route,
  recordOf,
  textOf,
} from './route.ts';

/** Webhooks of repositories, and what was delivered to them and to the app. */

const READ = { needs: 'repository_hooks:read', role: 'admin' } as const;
const WRITE = { needs: 'repository_hooks:write', role: 'admin' } as const;

function hookIn({ repository, params }: RepositoryCall): Hook {
  const hook = repository.hooks.get(Number(params.hook_id));
  if (!hook) throw notFound();
  return hook;
}

function appHookIn({ core }: Call): Hook {
  if (!core.appHook) throw notFound();
  return core.appHook;
}

function deliveryIn(hook: Hook, { params }: Call): Delivery {
  const delivery = hook.deliveries.find(({ id }) => id === Number(params.delivery_id));
  if (!delivery) throw notFound();
  return delivery;
}

function wireDelivery(delivery: Delivery): Record<string, unknown> {
  return {
    id: delivery.id,
    guid: delivery.guid,
    delivered_at: iso(delivery.at),
    redelivery: delivery.redelivery,
    duration: delivery.duration,
    status: delivery.status,
    status_code: delivery.statusCode,
    event: delivery.event,
    action: delivery.action,
    installation_id: delivery.installation,
    repository_id: delivery.repository,
    throttled_at: null,
  };
}

function wireWhole(hook: Hook, delivery: Delivery): unknown {
  return {
    ...wireDelivery(delivery),
    url: hook.url,
    request: { headers: delivery.requestHeaders, payload: delivery.payload },
    response: { headers: delivery.responseHeaders, payload: delivery.responseText },
  };
}

function listed(call: Call, hook: Hook) {
  const status = call.query.get('status');
  const found = hook.deliveries.filter(
    ({ statusCode }) => status === null || (statusCode > 0 && statusCode < 400) === (status === 'success'),
  );
  const { items, headers } = page(call, found.toReversed());
  return ok(items.map(wireDelivery), headers);
}

export function hookRoutes(core: Core, hooks: Hooks): Route[] {
  const again = (hook: Hook, call: Call) => {
    hooks.redeliver(hook, deliveryIn(hook, call)).catch((error: unknown) => core.failed(error));
    return { status: 202, body: {} };
  };
  return [
    onRepository('repos/list-webhooks', READ, (call) =>
      pageOf(call, [...call.repository.hooks.values()], (hook) => wireHook(core, call.repository, hook)),
    ),
    onRepository('repos/create-webhook', WRITE, (call) => {
      const { repository, body } = call;
      const config = recordOf(body, 'config');
      const url = textOf(config, 'url');
      if (body.name !== undefined && body.name !== 'web') throw invalidField('Hook', 'name');
      if (url === undefined || !URL.canParse(url))
        throw validationFailed({ resource: 'Hook', code: 'custom', message: 'Config must contain URL for webhooks' });
      if (config.content_type !== 'json')
        throw new GithubApiError(422, 'Invalid request.\n\nThe emulator delivers JSON only: config.content_type must be "json".');
      if ([...repository.hooks.values()].some((hook) => hook.url === url))
        throw validationFailed({ resource: 'Hook', code: 'custom', message: 'Hook already exists on this repository' });
      const hook = addHook(core, repository, {
        url,
        secret: textOf(config, 'secret'),
        events: listOf(body, 'events') ?? ['push'],
        active: body.active !== false,
      });
      return created(wireHook(core, repository, hook));
    }),
    onRepository('repos/get-webhook', READ, (call) => ok(wireHook(core, call.repository, hookIn(call)))),
    onRepository('repos/delete-webhook', WRITE, (call) => {
      call.repository.hooks.delete(hookIn(call).id);
      return noContent;
    }),
    onRepository('repos/ping-webhook', READ, (call) => {
      pingHook(core, call.repository, hookIn(call));
      return noContent;
    }),
    onRepository('repos/list-webhook-deliveries', READ, (call) => listed(call, hookIn(call))),
    onRepository('repos/get-webhook-delivery', READ, (call) => ok(wireWhole(hookIn(call), deliveryIn(hookIn(call), call)))),
    onRepository('repos/redeliver-webhook-delivery', WRITE, (call) => again(hookIn(call), call)),
    onAccount('apps/list-webhook-deliveries', 'app', (call) => listed(call, appHookIn(call))),
    onAccount('apps/get-webhook-delivery', 'app', (call) => ok(wireWhole(appHookIn(call), deliveryIn(appHookIn(call), call)))),
    onAccount('apps/redeliver-webhook-delivery', 'app', (call) => again(appHookIn(call), call)),
  ];
}
