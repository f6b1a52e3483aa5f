import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createModelServer } from '../../lab/model/server.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import { encodePress } from '../../src/contracts/press.ts';
import type { Form } from '../../src/contracts/view.ts';
import { startGuidedForm } from '../../src/delivery/guided-form.ts';
import { askForm } from '../../src/delivery/reply.ts';
import { putOutbox } from '../../src/store/outbox.ts';
import { buttonsOf, type ChatLine, openLine, tokenIn } from '../support/chat-line.ts';
import type { PlatformMessage } from '../support/chat-platform.ts';
import { type Account, accounts, type Desk, mention, offerSandbox, openDesk, press, slash } from '../support/desk.ts';
import { eventually } from '../support/wait-for.ts';

let desk: Desk;
let line: ChatLine;

beforeEach(async () => {
  desk = await openDesk();
  await offerSandbox(desk);
  line = await openLine(desk, { forms: 'guided', ephemeral: false });
});

afterEach(async () => {
  await line[Symbol.asyncDispose]();
  await desk[Symbol.asyncDispose]();
});

/** Ben's command waits for a decision; Ada presses "Deny with reason…" on its card. */
async function askedWhy(where: Parameters<typeof press>[2] = {}): Promise<PlatformMessage> {
  await line.deliver(slash('ben', 'sh touch me'));
  await line.settled();
  const { secret } = await desk.database.db.interaction.findFirstOrThrow({ orderBy: { id: 'desc' } });
  const { trigger: _, ...act } = press('ada', encodePress({ kind: 'decide', secret, verb: 'deny_reason' }), where);
  await line.deliver(act);
  return await line.said(/Why not\?/);
}

function says(who: Account, text: string, options: { to?: PlatformMessage; direct?: boolean; key?: string } = {}): InboundEvent {
  const event = mention(who, text, { ...(options.direct === true ? { direct: true, channel: `D-${accounts[who]}` } : {}) });
  if (event.type !== 'message') throw new Error('a mention is a message');
  const { below: _, ...message } = event;
  return {
    ...message,
    ...(options.direct === true ? {} : { addressed: 'thread' }),
    ...(options.to === undefined ? {} : { replyTo: options.to.id }),
    ...(options.key === undefined ? {} : { key: options.key }),
  };
}

const interaction = () => desk.database.db.interaction.findFirstOrThrow({ orderBy: { id: 'desc' } });
const form = () => desk.database.db.guidedForm.findFirstOrThrow({ orderBy: { id: 'desc' } });
const cancelOf = (form: string) => encodePress({ kind: 'guided', form, field: 0, verb: 'cancel' });
const text = (message: PlatformMessage) => line.platform.text(message);

const runForm: Form = {
  token: encodePress({ kind: 'command', text: 'sh' }),
  title: 'Hand to Deckhand',
  submit: 'Run',
  fields: [
    { type: 'text', id: 'command', label: 'Command to run', multiline: true, required: true, initial: 'npm test', maxLength: 30 },
    {
      type: 'select',
      id: 'project',
      label: 'Project',
      required: false,
      multiple: false,
      options: [
        { value: 'demo', label: 'The demo' },
        { value: 'nowhere', label: 'Nowhere' },
      ],
    },
  ],
};

const reason = { type: 'text', id: 'reason', label: 'Reason', multiline: false, required: false } as const;
const ben = { platform: 'slack', tenant: 'T1', user: accounts.ben } as const;
const channel: Conversation = { platform: 'slack', tenant: 'T1', channel: 'CDEMO', kind: 'channel' };

/** Asks Ben for `asked` as the bus does when it wants a form. */
async function ask(asked: Form, conversation: Conversation = direct, key = 'ask'): Promise<void> {
  await desk.database.transaction((tx) =>
    putOutbox(tx, askForm({ workspace: desk.workspace, key, conversation, user: ben }, undefined, asked, new Date(0))),
  );
}
const direct: Conversation = { platform: 'slack', tenant: 'T1', channel: `D-${accounts.ben}`, kind: 'direct' };
const pressed = (who: Account, token: string, values: string[] = []) =>
  press(who, token, { direct: true, channel: direct.channel, values });

describe('a form where the platform has none', () => {
  it('is asked as a message to reply to, and the reply does what the form would have done', async () => {
    const question = await askedWhy();
    expect(line.platform.forms).toEqual([]);
    expect(question.views[0]?.asks).toMatchObject({ user: accounts.ada });
    expect(text(question)).toContain('Ada: Why not? It is shown on the card.');
    expect(text(question)).toContain('Reply to this message; only the reply of Ada counts. The word cancel ends it.');
    await line.deliver(says('ada', 'Use the staging\ndatabase instead.', { to: question }));
    await line.settled();
    expect(await interaction()).toMatchObject({ state: 'denied', reason: 'Use the staging\ndatabase instead.' });
    expect([question.views.length, buttonsOf(question)]).toEqual([1, []]);
    expect(await form()).toMatchObject({ state: 'submitted', values: {} });
    // The card says it to everybody there.
    expect(line.platform.messages.map(text).filter((said) => /^#\d+ is denied/.test(said))).toEqual([]);
  });

  it('that was asked for in another conversation is followed by a word', async () => {
    const question = await askedWhy({ direct: true, channel: `D-${accounts.ada}` });
    await line.deliver(says('ada', 'No.', { direct: true, to: question }));
    await line.said(/^#\d+ is denied/);
  });

  it('takes a word for a button where others read along, and changes nothing that was asked in words', async () => {
    await ask({ ...runForm, fields: [...runForm.fields, reason] }, channel);
    const first = await line.said(/1 of 3[\s\S]*The word keep takes what is proposed, cancel ends it\./);
    await line.deliver(says('ben', 'skip', { to: first }), says('ben', ' Keep', { to: await line.said(/1 of 3/) }));
    const second = await line.said(/2 of 3/);
    expect(buttonsOf(second)).toEqual(['Skip', 'Cancel']);
    await line.deliver(says('ben', 'demo', { to: second }));
    const third = await line.said(/3 of 3[\s\S]*The word skip leaves it out, cancel ends it\./);
    await line.deliver(says('ben', 'skip', { to: third }));
    await line.settled();
    expect(await desk.database.db.task.findMany()).toMatchObject([{ command: 'skip' }]);
    expect([first, second, third].map(({ views }) => views.length)).toEqual([1, 2, 1]);
  });

  it('promise 8: goes on in another life of the process', async () => {
    const question = await askedWhy();
    await line.stop();
    await line.deliver(says('ada', 'not now', { to: question }));
    await line.resume();
    await line.settled();
    expect(await interaction()).toMatchObject({ state: 'denied', reason: 'not now' });
  });

  it('takes the next message of a direct conversation, field after field', async () => {
    await ask(runForm);
    const first = await line.said(/1 of 2/);
    expect(text(first)).toContain('Proposed:\nnpm test');
    expect(buttonsOf(first)).toEqual(['Take as proposed', 'Cancel']);
    await line.deliver(says('ben', 'npm run build', { direct: true }));
    const second = await line.said(/2 of 2/);
    expect(buttonsOf(second)).toEqual(['Skip', 'Cancel']);
    await line.deliver(pressed('ben', tokenIn(second), ['demo']));
    await line.settled();
    const task = await desk.database.db.task.findFirstOrThrow({ include: { threads: { include: { channel: true } } } });
    expect(task).toMatchObject({ command: 'npm run build', threads: [{ channel: { externalId: direct.channel } }] });
    expect([text(first), text(second)]).toEqual([expect.stringContaining('answered ✔'), expect.stringContaining('The demo')]);
  });

  it('promise 1: takes a key that is typed in a direct conversation, and keeps it readable nowhere', async () => {
    const model = await createModelServer({ anthropicKey: 'sk-ant-api03-typed-by-ada-WXYZ' });
    try {
      await line.deliver(slash('ada', `account add main anthropic url=${model.anthropicUrl}`));
      const added = await line.said(/without a key yet/);
      await line.deliver(press('ada', tokenIn(added, 'Enter the key…'), { direct: true, channel: 'D-UADA' }));
      await line.said(/API key, or token of a login/);
      await line.deliver(says('ada', 'sk-ant-api03-typed-by-ada-WXYZ', { direct: true }));
      expect(text(await line.said(/The key is stored/))).toContain('key: …WXYZ');
      await line.settled();
    } finally {
      await model.close();
    }
    const { db } = desk.database;
    const rows = [
      await db.inbox.findMany(),
      await db.outbox.findMany(),
      await db.guidedForm.findMany(),
      await db.audit.findMany(),
    ];
    const stored = JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? String(value) : value));
    expect([stored.includes('typed-by-ada'), stored.includes('sealed:')]).toEqual([false, false]);
  });

  it('takes what is proposed, what is typed for a choice, and leaves out what may be left out', async () => {
    await ask(runForm);
    await line.deliver(pressed('ben', tokenIn(await line.said(/1 of 2/), 'Take as proposed')));
    await line.said(/2 of 2/);
    await line.deliver(says('ben', 'elsewhere', { direct: true }));
    const again = await line.said(/none of the choices/);
    await line.deliver(pressed('ben', tokenIn(again, 'Skip')));
    await line.settled();
    expect(await desk.database.db.task.findMany()).toMatchObject([{ command: 'npm test' }]);

    await ask(runForm, direct, 'again');
    await line.deliver(pressed('ben', tokenIn(await line.said(/1 of 2/), 'Take as proposed')));
    await line.said(/2 of 2/);
    await line.deliver(says('ben', 'the DEMO', { direct: true }));
    await line.settled();
    expect(await desk.database.db.task.count()).toBe(2);
  });

  it('says what is wrong with an answer and asks again', async () => {
    await ask(runForm);
    const first = await line.said(/1 of 2/);
    await line.deliver(says('ben', 'x'.repeat(31), { direct: true }));
    const second = await line.said(/The answer has 31 characters; there is room for 30/);
    await line.settled();
    expect([buttonsOf(first), buttonsOf(second)]).toEqual([[], ['Take as proposed', 'Cancel']]);
    await line.deliver(says('ben', '  \n ', { direct: true }));
    await line.said(/has to be text/);
    await line.deliver({ ...slash('ben', 'skip', { direct: true, channel: direct.channel }) });
    await line.said(/cannot be left out/);
    await line.deliver(says('ben', 'npm test', { direct: true }));
    await line.said(/2 of 2/);
  });

  it('takes several choices until Done', async () => {
    const many: Form = {
      ...runForm,
      fields: [
        ...runForm.fields.slice(0, 1),
        {
          type: 'select',
          id: 'project',
          label: 'Projects',
          required: true,
          multiple: true,
          options: ['a', 'b', 'demo'].map((value) => ({ value, label: value.toUpperCase() })),
        },
      ],
    };
    await ask(many);
    await line.deliver(pressed('ben', tokenIn(await line.said(/1 of 2/), 'Take as proposed')));
    const question = await line.said(/2 of 2/);
    expect(buttonsOf(question)).toEqual(['Cancel']);
    for (const value of ['demo', 'b', 'b', 'nothing']) await line.deliver(pressed('ben', tokenIn(question), [value]));
    await line.settled();
    expect([text(question), buttonsOf(question)]).toEqual([expect.stringContaining('Chosen: DEMO'), ['Done', 'Cancel']]);
    await line.deliver(pressed('ben', tokenIn(question, 'Done')));
    await line.settled();
    expect(await desk.database.db.task.findMany()).toMatchObject([{ command: 'npm test' }]);
  });

  it('answers a mistake in the whole form as it would for a form', async () => {
    await ask({ ...runForm, token: encodePress({ kind: 'command', text: 'gone' }) });
    await line.deliver(pressed('ben', tokenIn(await line.said(/1 of 2/), 'Take as proposed')));
    await line.deliver(pressed('ben', tokenIn(await line.said(/2 of 2/), 'Skip')));
    await line.said(/DH-208/);
    expect(await form()).toMatchObject({ state: 'submitted' });
  });
});

describe('what counts as an answer', () => {
  it('is what the person who is asked says, and nobody else', async () => {
    const question = await askedWhy();
    const others = [says('ben', 'because', { to: question }), says('ben', 'cancel', { to: question })];
    await line.deliver(...others, press('ben', cancelOf((await form()).id)));
    await line.settled();
    expect((await interaction()).state).toBe('pending');
    expect(await form()).toMatchObject({ state: 'open' });
    await line.said(/DH-209/);
  });

  it('is a reply to the question, not what one says in the channel or answers elsewhere', async () => {
    const question = await askedWhy();
    await line.deliver(mention('ben', 'queue'));
    const list = await line.said(/^Queue/);
    await line.settled();
    await line.deliver(
      says('ada', 'lunch?'),
      says('ada', 'nice list', { to: list }),
      says('ada', 'what?', { to: { ...list, id: '9.9' } }),
    );
    await line.settled();
    expect(await form()).toMatchObject({ state: 'open', answers: [] });
    await line.deliver(says('ada', 'no', { to: question }));
    await line.settled();
    expect(await interaction()).toMatchObject({ reason: 'no' });
  });

  it('in a thread is also what the person writes there without a reply', async () => {
    const question = await askedWhy({ thread: 't7' });
    expect(question.thread).toBe('t7');
    const event = says('ada', 'not here');
    await line.deliver({ ...event, conversation: { ...event.conversation, thread: 't7' } });
    await line.settled();
    expect(await interaction()).toMatchObject({ reason: 'not here' });
  });

  it('promise 2: counts once, also when it comes again after the next question or the end', async () => {
    await ask(runForm);
    await line.said(/1 of 2/);
    const event = says('ben', 'npm test', { direct: true });
    await line.deliver(event);
    await line.said(/2 of 2/);
    for (const again of [event, event]) expect(await desk.act(again)).toEqual([]);
    expect(await form()).toMatchObject({ field: 1, asked: 2 });
    const last = says('ben', 'the demo', { direct: true });
    await line.deliver(last);
    await line.settled();
    expect(await desk.act(last)).toEqual([]);
    expect(await desk.database.db.task.count()).toBe(1);
  });

  it('may be faster than the note that the question has arrived', async () => {
    const question = await askedWhy();
    await desk.database.db.outbox.updateMany({ where: { externalId: question.id }, data: { externalId: null } });
    await line.deliver(says('ada', 'quick', { to: question }));
    await line.settled();
    expect(await interaction()).toMatchObject({ reason: 'quick' });
  });
});

describe('the end of a form', () => {
  it('comes by Cancel or by the command, and nothing is done', async () => {
    await ask(runForm);
    const first = await line.said(/1 of 2/);
    await line.deliver(pressed('ben', tokenIn(first, 'Cancel')));
    await eventually(() => expect(text(first)).toContain('cancelled; nothing was done'));
    await ask(runForm, direct, 'again');
    const second = await line.said(/1 of 2/);
    await line.deliver(slash('ben', 'cancel', { direct: true, channel: direct.channel }));
    await eventually(() => expect(text(second)).toContain('cancelled; nothing was done'));
    expect(await desk.database.db.task.count()).toBe(0);
  });

  it('is said below a question that cannot change, and instead of one that was not sent yet', async () => {
    const question = await askedWhy();
    await line.deliver(says('ada', 'cancel', { to: question }));
    const word = await line.said(/cancelled; nothing was done/);
    expect([word.id === question.id, question.views.length, word.channel]).toEqual([false, 1, question.channel]);
    await line.stop();
    const payload = { type: 'form', form: runForm, user: ben, expiresAt: new Date(0).toISOString() } as const;
    const form = { workspace: desk.workspace, origin: 'row', conversation: channel, payload };
    await desk.database.transaction((tx) => startGuidedForm(tx, form, new Date()));
    await desk.act(slash('ben', 'cancel'));
    await line.resume();
    await line.settled();
    expect(line.platform.messages.map(text)).toContain('Hand to Deckhand · cancelled; nothing was done');
    expect(line.platform.messages.map(text).join()).not.toContain('Command to run');
  });

  it('leaves buttons of old questions without effect', async () => {
    await ask(runForm);
    const cancel = tokenIn(await line.said(/1 of 2/), 'Cancel');
    await line.deliver(says('ben', 'npm test', { direct: true }));
    await line.said(/2 of 2/);
    await line.deliver(pressed('ben', cancel));
    await line.said(/DH-208/);
    expect(await form()).toMatchObject({ state: 'open', field: 1 });
  });

  it('comes when a newer form is asked in the same conversation, but not in another', async () => {
    await ask(runForm);
    const first = await line.said(/1 of 2/);
    await ask(runForm, { ...direct, channel: 'CDEMO', kind: 'channel' }, 'elsewhere');
    await ask(runForm, direct, 'newer');
    await eventually(() => expect(text(first)).toContain('a newer form has taken its place'));
    expect(
      await desk.database.db.guidedForm.groupBy({ by: ['channel', 'state'], _count: true, orderBy: { channel: 'asc' } }),
    ).toEqual(
      expect.arrayContaining([
        { channel: 'CDEMO', state: 'open', _count: 1 },
        { channel: direct.channel, state: 'open', _count: 1 },
        { channel: direct.channel, state: 'superseded', _count: 1 },
      ]),
    );
  });

  it('promise 4: comes after ten minutes without an answer, with a word to the person', async () => {
    const question = await askedWhy();
    await desk.engine.sweep();
    expect(await form()).toMatchObject({ state: 'open' });
    await desk.database.db.guidedForm.updateMany({ data: { expiresAt: new Date(Date.now() - 1) } });
    await line.deliver(says('ada', 'too late', { to: question }));
    await line.settled();
    await Promise.all([desk.engine.sweep(), desk.engine.sweep()]);
    const word = await line.said(/was not answered in time, so nothing was done/);
    expect(word.channel).toBe(`D-${accounts.ada}`);
    await line.settled();
    expect([question.views.length, text(question)]).toEqual([
      1,
      expect.stringMatching(/There is time until \d{4}-\d\d-\d\d \d\d:\d\d UTC/),
    ]);
    expect((await interaction()).state).toBe('pending');
    expect(line.platform.messages.filter((one) => /was not answered/.test(text(one)))).toHaveLength(1);
  });

  it('promise 12: is not reached from another workspace', async () => {
    const question = await askedWhy();
    await desk.database.db.guidedForm.updateMany({ data: { workspaceId: 'wsp_other' } });
    await line.deliver(says('ada', 'no', { to: question }), press('ada', cancelOf((await form()).id)));
    await line.said(/DH-208/);
    expect(await form()).toMatchObject({ state: 'open' });
  });
});
