import { describe, expect, it } from 'vitest';
import { readPayload } from '../../adapters/slack/inbound.ts';
import type { InboundContext } from '../../adapters/slack/reading.ts';
import { inboundEventSchema } from '../../src/contracts/inbound.ts';

const context: InboundContext = {
  team: 'T1',
  botUser: 'UBOT',
  seal: (text) => `sealed(${text})`,
  now: () => new Date('2026-11-21T10:00:00.000Z'),
};

function event(fields: Record<string, unknown>, envelope: Record<string, unknown> = {}) {
  return { type: 'event_callback', event_id: 'Ev1', team_id: 'T1', event: { type: 'message', ...fields }, ...envelope };
}

const said = { user: 'UADA', channel: 'C1', ts: '1795254063.000100', text: 'hello' };
const reply = { ...said, thread_ts: '1795254000.000000' };
const mention = { ...said, text: '<@UBOT> sh ls' };

/** The one event of a payload, checked against the contract. */
function one(body: unknown) {
  const read = readPayload(body, context);
  if (read.kind !== 'events') throw new Error(`${read.kind}: ${read.why}`);
  expect(read.events).toHaveLength(1);
  return inboundEventSchema.parse(read.events[0]);
}

function why(body: unknown): string {
  const read = readPayload(body, context);
  return read.kind === 'events' ? `${read.events.length} events` : `${read.kind}: ${read.why}`;
}

describe('messages from Slack', () => {
  it('reads a mention in a channel', () => {
    expect(one(event(mention))).toEqual({
      type: 'message',
      key: 'msg:T1:C1:1795254063.000100',
      at: '2026-11-21T09:41:03.000Z',
      conversation: { platform: 'slack', tenant: 'T1', channel: 'C1', kind: 'channel' },
      actor: { user: 'UADA', bot: false },
      text: 'sh ls',
      message: '1795254063.000100',
      below: '1795254063.000100',
      addressed: 'mention',
      attachments: [],
    });
  });

  it('promise 2: gives app_mention and message of one mention the same event', () => {
    expect(one(event({ ...mention, type: 'app_mention' }))).toEqual(one(event(mention, { event_id: 'Ev2' })));
  });

  it('tells a reply in a thread from a message in the channel', () => {
    expect(one(event(reply))).toMatchObject({ addressed: 'thread', conversation: { thread: '1795254000.000000' } });
    expect(one(event({ ...reply, subtype: 'thread_broadcast' }))).toMatchObject({ addressed: 'thread' });
    expect(one(event({ ...reply, text: 'so <@UBOT> retry' }))).toMatchObject({ addressed: 'mention', text: 'so retry' });
    // A parent names itself as its thread once it has replies.
    expect(why(event({ ...said, thread_ts: said.ts }))).toBe('ignored: channel talk');
  });

  it('reads direct messages, with files', () => {
    const files = [
      { id: 'F1', name: 'a.log', mimetype: 'text/plain', size: 12 },
      { id: 'F2', name: null },
    ];
    expect(one(event({ ...said, channel: 'D1', subtype: 'file_share', files }))).toMatchObject({
      addressed: 'direct',
      conversation: { kind: 'direct' },
      attachments: [
        { id: 'F1', name: 'a.log', mime: 'text/plain', bytes: 12 },
        { id: 'F2', name: 'F2' },
      ],
    });
  });

  it.each([
    ['channel talk', said],
    ['an app', { ...mention, bot_id: 'B1' }],
    ['the bot itself', { ...reply, user: 'UBOT' }],
    ['an integration', { ...mention, subtype: 'bot_message' }],
    ['Slackbot', { ...reply, user: 'USLACKBOT' }],
    ['Slack', { ...reply, user: 'USLACK' }],
    ['somebody joining', { ...reply, subtype: 'channel_join' }],
    ['a new topic', { ...said, subtype: 'channel_topic' }],
    ['thread metadata', { ...said, subtype: 'message_replied' }],
    ['a message without author', { channel: 'D1', ts: said.ts, text: 'x' }],
  ])('leaves out %s', (_, fields) => {
    expect(why(event(fields))).toMatch(/^ignored/);
  });

  it.each([
    [
      'another workspace',
      event(mention, { team_id: 'T2', authorizations: [{ team_id: 'T2' }] }),
      'ignored: an event of another workspace',
    ],
    ['a reaction', event({ type: 'reaction_added', user: 'UADA' }), 'ignored: event reaction_added'],
  ])('leaves out %s', (_, body, expected) => {
    expect(why(body)).toBe(expected);
  });

  it('takes an event of a shared channel by the workspace that authorised it', () => {
    const shared = { team_id: 'T9', authorizations: [{ team_id: 'T1' }], is_ext_shared_channel: true };
    expect(one(event({ ...mention, user_team: 'T1' }, shared))).toMatchObject({ conversation: { tenant: 'T1' } });
  });
});

describe('changes of messages', () => {
  const changed = (message: object, previous: object) =>
    event({
      subtype: 'message_changed',
      hidden: true,
      channel: 'C1',
      ts: '1795254099.000000',
      message,
      previous_message: previous,
    });
  const edited = { ...reply, text: 'hello &amp; bye', edited: { user: 'UADA', ts: '1795254098.000000' } };

  it('reads an edit, once for each edit', () => {
    const first = one(changed(edited, reply));
    expect(first).toMatchObject({
      type: 'message_edited',
      text: 'hello & bye',
      message: said.ts,
      conversation: { thread: reply.thread_ts },
    });
    const second = one(changed({ ...edited, text: 'again', edited: { user: 'UADA', ts: '1795254100.000000' } }, edited));
    expect(second.key).not.toBe(first.key);
  });

  it('reads an edit that adds or removes the mention', () => {
    expect(one(changed({ ...mention, edited: edited.edited }, said))).toMatchObject({ type: 'message_edited', text: 'sh ls' });
    expect(one(changed({ ...said, edited: edited.edited }, mention))).toMatchObject({ type: 'message_edited', text: 'hello' });
  });

  it.each([
    ['a link preview', changed({ ...reply, attachments: [{}] }, reply)],
    ['our own update', changed({ ...reply, user: 'UBOT', bot_id: 'B1', text: 'new' }, { ...reply, user: 'UBOT', bot_id: 'B1' })],
    ['talk in the channel', changed({ ...said, text: 'changed' }, said)],
    ['no message', event({ subtype: 'message_changed', channel: 'C1', ts: said.ts })],
  ])('leaves out %s', (_, body) => {
    expect(why(body)).toMatch(/^ignored/);
  });

  it('reads a deletion, also of a message that has replies', () => {
    const gone = {
      subtype: 'message_deleted',
      channel: 'C1',
      ts: '1795254099.000000',
      deleted_ts: reply.ts,
      previous_message: reply,
    };
    const deleted = one(event(gone));
    expect(deleted).toMatchObject({ type: 'message_deleted', message: reply.ts, actor: { user: 'UADA' } });
    const tombstone = {
      ...mention,
      user: 'USLACKBOT',
      subtype: 'tombstone',
      text: 'This message was deleted.',
      thread_ts: said.ts,
    };
    expect(one(changed(tombstone, mention))).toMatchObject({
      type: 'message_deleted',
      message: said.ts,
      actor: { user: 'UADA' },
    });
    expect(why(event({ ...gone, previous_message: said }))).toMatch(/^ignored/);
    expect(why(event({ ...gone, previous_message: undefined }))).toMatch(/^ignored/);
  });
});

describe('commands and interactions', () => {
  const command = {
    command: '/deckhand',
    text: 'member add &lt;@UBEN|ben&gt;',
    user_id: 'UADA',
    user_name: 'ada',
    team_id: 'T1',
    channel_id: 'C1',
    channel_name: 'web',
    response_url: 'https://hooks.slack.example/commands/1',
    trigger_id: '1.2.3',
  };
  const head = {
    user: { id: 'UADA', username: 'ada', team_id: 'T1' },
    team: { id: 'T1' },
    enterprise: null,
    trigger_id: '1.2.3',
  };
  const press = {
    ...head,
    type: 'block_actions',
    response_url: 'https://hooks.slack.example/actions/1',
    container: { type: 'message', message_ts: '1795254063.000100', channel_id: 'C1', is_ephemeral: false },
    channel: { id: 'C1', name: 'privategroup' },
    message: { ts: '1795254063.000100', thread_ts: '1795254000.000000' },
    actions: [{ type: 'button', action_id: 'b0.0', value: 'd:secret:approve', action_ts: '1795254070.000000' }],
  };
  const submission = {
    ...head,
    type: 'view_submission',
    view: {
      id: 'V1',
      hash: 'h1',
      callback_id: 'd:secret:deny_reason',
      private_metadata: JSON.stringify({
        conversation: { platform: 'slack', tenant: 'T1', channel: 'C1', thread: '1.2', kind: 'channel' },
      }),
      state: {
        values: {
          reason: { value: { type: 'plain_text_input', value: 'no &amp; never' } },
          also: { value: { selected_options: [] } },
          why: { value: { value: null } },
        },
      },
    },
  };

  it('reads a slash command', () => {
    expect(one(command)).toMatchObject({
      type: 'command',
      key: 'cmd:1.2.3',
      at: '2026-11-21T10:00:00.000Z',
      text: 'member add <@UBEN|ben>',
      typed: '/deckhand member add @ben',
      channelName: 'web',
      conversation: { channel: 'C1', kind: 'channel' },
      actor: { user: 'UADA', name: 'ada' },
      trigger: 'sealed(1.2.3)',
    });
    expect(one({ ...command, channel_id: 'D1', channel_name: 'directmessage' })).toMatchObject({
      conversation: { kind: 'direct' },
    });
    expect(one({ ...command, channel_name: 'directmessage' }).channelName).toBeUndefined();
    const privacy = (name: string) => one({ ...command, channel_name: name }).channelPrivate;
    expect(['web', 'privategroup', 'mpdm-ada--ben-1', 'directmessage'].map(privacy)).toEqual([false, true, true, undefined]);
    expect(why({ ...command, team_id: 'T2' })).toBe('ignored: a command of another workspace');
  });

  it('reads a press in a thread', () => {
    const read = one(press);
    expect(read).toMatchObject({
      type: 'press',
      key: 'act:C1:1795254063.000100:1795254070.000000:UADA:b0.0',
      token: 'd:secret:approve',
      values: [],
      message: '1795254063.000100',
      conversation: { channel: 'C1', thread: '1795254000.000000' },
    });
    expect(read.channelName).toBeUndefined();
  });

  it('reads a press in an ephemeral message, which is no message to answer', () => {
    const ephemeral = {
      ...press,
      message: undefined,
      container: { ...press.container, is_ephemeral: true, thread_ts: '1795254000.000000' },
    };
    expect(one(ephemeral)).toMatchObject({ conversation: { thread: '1795254000.000000' } });
    expect(one(ephemeral)).not.toHaveProperty('message');
  });

  it('promise 2: two presses are two events, one press delivered twice is one', () => {
    const again = { ...press, actions: [{ ...press.actions[0], action_ts: '1795254071.000000' }] };
    expect(one(press).key).toBe(one(structuredClone(press)).key);
    expect(one(again).key).not.toBe(one(press).key);
  });

  it('reads chosen options, and several actions of one payload', () => {
    const choose = {
      type: 'static_select',
      action_id: 'p:req',
      action_ts: '1795254070.000000',
      selected_option: { value: 'web' },
    };
    const many = {
      type: 'multi_static_select',
      action_id: 'p:two',
      action_ts: '1795254070.000000',
      selected_options: [{ value: 'a' }, { value: 'b' }],
    };
    const read = readPayload({ ...press, actions: [choose, many] }, context);
    expect(read).toMatchObject({
      kind: 'events',
      events: [
        { token: 'p:req', values: ['web'] },
        { token: 'p:two', values: ['a', 'b'] },
      ],
    });
  });

  it('reads a form back into its conversation', () => {
    expect(one(submission)).toMatchObject({
      type: 'form',
      key: 'view:V1:h1',
      token: 'd:secret:deny_reason',
      values: { reason: ['no &amp; never'], also: [], why: [] },
      conversation: { channel: 'C1', thread: '1.2' },
    });
  });

  it('promise 12: leaves out forms and people that do not belong here', () => {
    const elsewhere = { platform: 'slack', tenant: 'T2', channel: 'C1', kind: 'channel' };
    const foreign = {
      ...submission,
      view: { ...submission.view, private_metadata: JSON.stringify({ conversation: elsewhere }) },
    };
    expect(why(foreign)).toBe('ignored: a form of another workspace');
    for (const metadata of ['', 'x', '{}']) {
      expect(why({ ...submission, view: { ...submission.view, private_metadata: metadata } })).toBe(
        'ignored: a form that is not ours',
      );
    }
    expect(why({ ...press, team: { id: 'T2' } })).toBe('ignored: an interaction of another workspace');
    expect(why({ ...submission, view: { ...submission.view, app_installed_team_id: 'T2' } })).toBe(
      'ignored: an interaction of another workspace',
    );
  });

  it('marks what people of another organisation do in a shared channel; those of the same Enterprise organisation belong here', () => {
    const eve = { id: 'UEVE', team_id: 'T9' };
    const shared = { is_ext_shared_channel: true };
    const marked = { actor: { affiliation: { kind: 'organisation' } } };
    expect(one(event({ ...mention, user_team: 'T9' }, shared))).toMatchObject(marked);
    expect(one({ ...press, user: eve })).toMatchObject(marked);
    // The form of a shared channel names the workspace of the person, and beside it the one that the app is installed in.
    const view = { ...submission.view, app_installed_team_id: 'T1' };
    expect(one({ ...submission, user: eve, team: { id: 'T9' }, view })).toMatchObject({ type: 'form', ...marked });
    for (const body of [
      event({ ...mention, user_team: 'T1' }, shared),
      event({ ...mention, user_team: 'T9' }),
      press,
      { ...press, user: eve, enterprise: { id: 'E1' } },
    ]) {
      expect(one(body).actor).not.toHaveProperty('affiliation');
    }
  });

  it('reads "Hand to Deckhand" and no other shortcut', () => {
    const shortcut = {
      ...head,
      type: 'message_action',
      callback_id: 'hand_to_deckhand',
      action_ts: '1795254070.000000',
      channel: { id: 'C1', name: 'web' },
      message: { ts: '1795254063.000100', user: 'UBEN', text: 'login is &lt;broken&gt;' },
    };
    expect(one(shortcut)).toMatchObject({
      type: 'shortcut',
      message: '1795254063.000100',
      text: 'login is <broken>',
      author: 'UBEN',
      channelName: 'web',
    });
    expect(why({ ...shortcut, callback_id: 'other' })).toBe('ignored: shortcut other');
  });

  it('reads an opened Home tab, not the Messages tab', () => {
    const opened = { type: 'app_home_opened', user: 'UADA', channel: 'D1', tab: 'home', event_ts: '1795254070.000000' };
    expect(one(event(opened))).toMatchObject({ type: 'home', actor: { user: 'UADA' }, conversation: { kind: 'direct' } });
    expect(why(event({ ...opened, tab: 'messages' }))).toBe('ignored: tab messages');
  });

  it.each([
    ['null', null],
    ['a text', 'x'],
    ['a list', []],
    ['no type', {}],
    ['an event without an event', { type: 'event_callback', event_id: 'Ev1', team_id: 'T1' }],
    ['a message without channel', event({ ...mention, channel: undefined })],
    ['a numeric ts', event({ ...mention, ts: 1795254063.0001 })],
    ['a press without actions', { ...press, actions: [] }],
    ['a command without channel', { ...command, channel_id: '' }],
    ['a press without user', { ...press, user: undefined }],
    ['a form without state', { ...submission, view: { ...submission.view, state: undefined } }],
    ['closing a form', { ...head, type: 'view_closed', view: { id: 'V1' } }],
    ['__proto__', { ...head, type: '__proto__' }],
    ['the rate limit notice', { type: 'app_rate_limited', team_id: 'T1' }],
  ])('drops %s without an exception, and names no content', (_, body) => {
    const read = readPayload(body, context);
    expect(read.kind).not.toBe('events');
    if (read.kind !== 'events') expect(read.why).not.toContain('sh ls');
  });
});
