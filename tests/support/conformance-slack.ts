import { slackManifest } from '../../adapters/slack/manifest.ts';
import { createSlackEmulator } from '../../lab/slack/emulator.ts';
import { isRecord } from '../../lab/slack/json.ts';
import type { Block } from '../../lab/slack/model.ts';
import { openViews } from '../../lab/slack/views.ts';
import { type Seen, seen, textsOf } from '../../lab/slack/visible-text.ts';
import { usageHint } from '../../src/commands/registry.ts';
import { type ConformanceDriver, nativeOf, type Place, type Said, type Shown } from './conformance-driver.ts';

const receiptNames = { eyes: 'received', white_check_mark: 'read', no_entry: 'refused' } as const;

export async function openSlack(): Promise<ConformanceDriver> {
  const manifest = slackManifest({ mode: 'socket', usageHint: usageHint() });
  // Slack tries for five minutes; here more often and not as long.
  const retryDelays = [0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000];
  const slack = await createSlackEmulator({ manifest, timing: { retryDelays } });
  const { state } = slack.core;
  const { person, controls } = slack;

  const seenAs = new WeakMap<Shown, Seen>();
  const placeOf = (channel: string): Place => ({ id: channel, direct: state.channels.get(channel)?.kind === 'im' });
  const shown = (message: Seen): Shown => {
    const result = {
      place: placeOf(message.channel),
      id: message.ts,
      thread: message.thread_ts ?? message.ts,
      own: message.user === slack.botUserId,
      text: message.plain,
      buttons: message.buttons,
      files: message.files.map((id) => state.files.get(id)?.name ?? ''),
    };
    seenAs.set(result, message);
    return result;
  };

  return {
    platform: 'slack',
    variables: {
      SLACK_BOT_TOKEN: slack.credentials.botToken,
      SLACK_APP_TOKEN: slack.credentials.appToken,
      SLACK_API_URL: slack.apiUrl,
    },
    tenant: { tenant: slack.teamId, name: 'Acme', botUser: slack.botUserId },
    userOf: (name) => person(name).id,
    begin: () => undefined,
    newPlace: (name) => placeOf(controls.addChannel({ name }).id),
    directPlace: (name) => placeOf(state.channels.values().find(({ im_user: user }) => user === person(name).id)?.id ?? ''),

    say: (name, place, text) => shown(person(name).say(place.id, text)),
    mention: (name, place, text) => shown(place.direct ? person(name).say(place.id, text) : person(name).mention(place.id, text)),
    attach(name, place, text, files) {
      const options = { files: files.map(({ name: file, content }) => person(name).upload(file, content).id) };
      return shown(place.direct ? person(name).say(place.id, text, options) : person(name).mention(place.id, text, options));
    },
    command: (name, place, line) => person(name).slash(place.id, `/deckhand ${line}`),
    handOver: (name, message) => person(name).shortcut('hand_to_deckhand', message.id),
    reply: (name, to, text) => shown(person(name).say(to.place.id, text, { thread: to.thread })),
    answer: (name, to, text) => shown(person(name).say(to.place.id, text, { thread: to.thread })),
    edit: (name, message, text) =>
      void person(name).edit(message.id, `@${slack.core.manifest.features.bot_user.display_name} ${text}`),
    delete: (name, message) => person(name).delete(message.id),
    press: (name, message, label) => person(name).press(message.id, label),
    pressLate: (name, message, label) => person(name).pressLate(nativeOf(seenAs, message), label),
    // A long select comes as several, each with its number.
    choose: (name, message, _placeholder, option) => person(name).press(message.id, option),
    isAsked: (name, title) => openViews(slack.core, person(name).id).some((view) => textsOf(view.title).join('').includes(title)),
    async fill(name, _place, title, values) {
      const view = await person(name).waitForView(title, { timeoutMs: 60_000 });
      const byBlock = Object.entries(values).map(([label, value]) => [blockNamed(view.blocks, label), value] as const);
      await person(name).submit(view, Object.fromEntries(byBlock));
    },

    onChange: (listener) => void state.subscribe(listener),
    messages: (place) => state.messagesOf(place.id).map((message) => shown(seen(slack.core, message))),
    toldTo(name) {
      const direct = person(name)
        .messages('dm')
        .filter(({ user }) => user === slack.botUserId);
      return [...person(name).ephemerals(), ...direct].map(shown);
    },
    receipts: (message) =>
      (state.message(message.place.id, message.id)?.reactions ?? []).flatMap(
        ({ name }) => Object.entries(receiptNames).find(([known]) => known === name)?.[1] ?? [],
      ),
    contentOf(message, file) {
      const id = state.message(message.place.id, message.id)?.files.find((one) => state.files.get(one)?.name === file);
      return state.readContent(id ?? '') ?? Buffer.alloc(0);
    },

    async redelivered(act) {
      const said: Said = act();
      await controls.eventsSettled();
      const events = slack.deliveries.filter(
        ({ eventId, payload }) => eventId !== undefined && JSON.stringify(payload).includes(said.id),
      );
      for (const { eventId } of events) await controls.redeliver(eventId ?? '');
      return said;
    },
    cut: () => controls.sockets.cut(),
    throttle(calls) {
      const when = ({ method }: { method: string }) => /^(chat\.(postMessage|update)|files\.)/.test(method);
      controls.failNext('*', { status: 429, retryAfter: 1, times: calls, when });
    },
    overLimit: () => slack.overLimit().map(({ method, at }) => `${method} at ${at}`),
    errors: () => controls.errors,
    close: () => slack.close(),
  };
}

/** The input block with this label. */
function blockNamed(blocks: readonly Block[], label: string): string {
  const found = blocks.find((block) => isRecord(block.label) && block.label.text === label);
  if (found === undefined) throw new Error(`the form has no field ${label}`);
  return found.block_id;
}
