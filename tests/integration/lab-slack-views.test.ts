import { describe, expect, test } from 'vitest';
import type { SlackEmulator } from '../../lab/slack/emulator.ts';
import { defaultManifest } from '../../lab/slack/manifest.ts';
import { botClient, refusalOf, startSlack, startSocketApp } from '../support/slack-app.ts';

const plain = (text: string) => ({ type: 'plain_text' as const, text });
const modal = (more: Record<string, unknown> = {}) => ({
  type: 'modal' as const,
  title: plain('Title'),
  blocks: [{ type: 'divider' as const }],
  ...more,
});
const input = { type: 'input', block_id: 'b', label: plain('Name'), element: { type: 'plain_text_input', action_id: 'a' } };

/** An app that hands out trigger ids: of a slash command, and of presses and submissions of forms. */
async function triggers(slack: SlackEmulator) {
  const received: string[] = [];
  await startSocketApp(slack, (app) => {
    app.use(async ({ body, next }) => {
      if ('trigger_id' in body && typeof body.trigger_id === 'string') received.push(body.trigger_id);
      await next();
    });
    app.command('/deckhand', async ({ ack }) => ack());
    app.action(/.*/, async ({ ack }) => ack());
    app.view({ type: 'view_closed', callback_id: /.*/ }, async ({ ack }) => ack());
  });
  return async () => {
    await slack.person('ada').slash('#demo', '/deckhand x');
    return received.at(-1) ?? '';
  };
}

describe('views.open', () => {
  test('shows a modal to the person whose trigger it is', async () => {
    const slack = await startSlack();
    const trigger = await triggers(slack);
    const { view } = await botClient(slack).views.open({
      trigger_id: await trigger(),
      view: modal({ private_metadata: 'm', callback_id: 'c' }),
    });
    expect(view).toMatchObject({
      type: 'modal',
      private_metadata: 'm',
      callback_id: 'c',
      hash: expect.any(String),
      root_view_id: view?.id,
      previous_view_id: null,
    });
    expect(
      slack
        .person('ada')
        .views()
        .map(({ id }) => id),
    ).toEqual([view?.id]);
    expect(slack.person('ben').views()).toEqual([]);
  });

  test('takes a trigger once, within three seconds', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const trigger = await triggers(slack);
    const used = await trigger();
    await client.views.open({ trigger_id: used, view: modal() });
    expect((await refusalOf(client.views.open({ trigger_id: used, view: modal() }))).error).toBe('exchanged_trigger_id');
    const late = await trigger();
    slack.controls.expireTriggers();
    expect((await refusalOf(client.views.open({ trigger_id: late, view: modal() }))).error).toBe('expired_trigger_id');
    expect((await refusalOf(client.views.open({ trigger_id: '1.2.3', view: modal() }))).error).toBe('invalid_trigger_id');
  });

  test('a trigger expires after three seconds of the clock', async () => {
    let now = Date.now();
    const slack = await startSlack({ now: () => now });
    const trigger = await triggers(slack);
    const id = await trigger();
    now += 3001;
    expect((await refusalOf(botClient(slack).views.open({ trigger_id: id, view: modal() }))).error).toBe('expired_trigger_id');
  });

  test.each([
    [{ title: undefined }, 'missing required field: title [json-pointer:/view]'],
    [{ title: plain('x'.repeat(25)) }, 'must be less than 25 characters [json-pointer:/view/title/text]'],
    [{ submit: plain('x'.repeat(25)) }, 'must be less than 25 characters [json-pointer:/view/submit/text]'],
    [{ close: plain('x'.repeat(25)) }, 'must be less than 25 characters [json-pointer:/view/close/text]'],
    [{ private_metadata: 'x'.repeat(3001) }, 'must be less than 3001 characters [json-pointer:/view/private_metadata]'],
    [{ callback_id: 'x'.repeat(256) }, 'must be less than 256 characters [json-pointer:/view/callback_id]'],
    [
      { blocks: Array.from({ length: 101 }, () => ({ type: 'divider' })) },
      'no more than 100 items allowed [json-pointer:/view/blocks]',
    ],
    [{ blocks: [input] }, 'must define `submit` to use an `input` block in modals [json-pointer:/view/blocks/0/input]'],
    [{ blocks: [{ type: 'markdown', text: 'x' }] }, 'unsupported type: markdown [json-pointer:/view/blocks/0/type]'],
    [{ type: 'home' }, 'must be a valid enum value [json-pointer:/view/type]'],
    [{ colour: 'red' }, 'invalid additional property: colour [json-pointer:/view]'],
  ])('answers invalid_arguments for %j', async (change, message) => {
    const slack = await startSlack();
    const trigger = await triggers(slack);
    const refusal = await refusalOf(botClient(slack).apiCall('views.open', { trigger_id: await trigger(), view: modal(change) }));
    expect(refusal.error).toBe('invalid_arguments');
    expect(refusal.messages).toContain(`[ERROR] ${message}`);
  });
});

describe('views.push', () => {
  test('stacks up to three forms', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const trigger = await triggers(slack);
    const withButton = (name: string) =>
      modal({
        title: plain(name),
        blocks: [{ type: 'actions', elements: [{ type: 'button', action_id: 'more', text: plain('More') }] }],
      });
    const ada = slack.person('ada');
    const pressed = async (name: string) => {
      await ada.press(await ada.waitForView(name), 'More');
      return String(slack.deliveries.at(-1)?.payload.trigger_id);
    };
    expect((await refusalOf(client.views.push({ trigger_id: await trigger(), view: modal() }))).error).toBe('not_found');
    await client.views.open({ trigger_id: await trigger(), view: withButton('one') });
    await client.views.push({ trigger_id: await pressed('one'), view: withButton('two') });
    const third = await client.views.push({ trigger_id: await pressed('two'), view: withButton('three') });
    expect(third.view).toMatchObject({ root_view_id: ada.views()[0]?.id, previous_view_id: ada.views()[1]?.id });
    const fourth = client.views.push({ trigger_id: await pressed('three'), view: withButton('four') });
    expect((await refusalOf(fourth)).error).toBe('push_limit_reached');
  });
});

describe('views.update', () => {
  test('changes a form by id or external id, and not from a stale hash', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const trigger = await triggers(slack);
    const { view } = await client.views.open({ trigger_id: await trigger(), view: modal({ external_id: 'ext' }) });
    const hash = view?.hash ?? '';
    await client.views.update({ external_id: 'ext', view: modal({ external_id: 'ext', title: plain('Second') }), hash });
    const stale = client.views.update({ view_id: view?.id ?? '', view: modal(), hash });
    expect((await refusalOf(stale)).error).toBe('hash_conflict');
    expect((await slack.person('ada').waitForView('Second')).id).toBe(view?.id);
    expect((await refusalOf(client.views.update({ view_id: 'V404', view: modal() }))).error).toBe('not_found');
  });

  test('fails once the form is closed, of which the app hears if it wants to', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const trigger = await triggers(slack);
    const { view } = await client.views.open({
      trigger_id: await trigger(),
      view: modal({ notify_on_close: true, callback_id: 'c' }),
    });
    await slack.person('ada').closeView(view?.id ?? '');
    expect(slack.deliveries.at(-1)).toMatchObject({
      type: 'view_closed',
      payload: { is_cleared: false, view: { id: view?.id } },
    });
    expect((await refusalOf(client.views.update({ view_id: view?.id ?? '', view: modal() }))).error).toBe('not_found');
  });
});

describe('views.publish', () => {
  const home = (text: string) => ({ type: 'home' as const, blocks: [{ type: 'section' as const, text: plain(text) }] });

  test('shows each person their own Home, and refuses a stale hash', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const first = await client.views.publish({ user_id: 'U0000000ADA', view: home('board of Ada') });
    await client.views.publish({ user_id: 'U0000000BEN', view: home('board of Ben') });
    expect((await slack.person('ada').waitForHome('board of Ada')).id).toBe(first.view?.id);
    expect(slack.person('gus').home()).toBeUndefined();
    const hash = first.view?.hash ?? '';
    await client.views.publish({ user_id: 'U0000000ADA', view: home('newer'), hash });
    expect((await refusalOf(client.views.publish({ user_id: 'U0000000ADA', view: home('stale'), hash }))).error).toBe(
      'hash_conflict',
    );
  });

  test('needs the Home tab and a real person', async () => {
    const features = { ...defaultManifest.features, app_home: { home_tab_enabled: false } };
    const without = await startSlack({ manifest: { ...defaultManifest, features } });
    const publish = (slack: SlackEmulator, user_id: string) =>
      refusalOf(botClient(slack).views.publish({ user_id, view: home('x') }));
    expect((await publish(without, 'U0000000ADA')).error).toBe('not_enabled');
    expect((await publish(await startSlack(), 'U404')).error).toBe('invalid_arguments');
  });
});

test('a response to a submission that Slack would refuse leaves the form open and tells the person', async () => {
  const slack = await startSlack();
  const client = botClient(slack);
  const ada = slack.person('ada');
  let trigger = '';
  await startSocketApp(slack, (app) => {
    app.command('/deckhand', async ({ ack, command }) => {
      trigger = command.trigger_id;
      await ack();
    });
    app.view('c', async ({ ack }) => ack({ response_action: 'errors', errors: { nowhere: 'x' } }));
  });
  await ada.slash('#demo', '/deckhand x');
  await client.views.open({ trigger_id: trigger, view: modal({ callback_id: 'c', submit: plain('OK'), blocks: [input] }) });
  const notice = ada.waitForNotice('trouble connecting');
  await expect(ada.submit(await ada.waitForView('Title'), { Name: 'x' })).rejects.toThrow('no input block nowhere');
  await notice;
  expect(ada.views()).toHaveLength(1);
});
