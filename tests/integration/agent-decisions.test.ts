import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ask } from '../../src/contracts/agent.ts';
import { type DecisionVerb, encodePress } from '../../src/contracts/press.ts';
import { type Account, accounts, type Desk, mention, openDesk, press, submit } from '../support/desk.ts';
import { aQuestion, atWork, offer, offerAgents, secretOf } from '../support/desk-agent.ts';

let desk: Desk;
let runner: string;
beforeAll(async () => {
  desk = await openDesk();
  runner = await offerAgents(desk, offer('claude'));
});
afterAll(() => desk[Symbol.asyncDispose]());

/** An agent that waits for the answer to this. */
async function waiting(ask: Ask) {
  await desk.act(mention('ben', 'run mode=plan fix the failing test'));
  const turn = await atWork(desk, runner);
  await turn.step({ asks: [ask] });
  const secret = await secretOf(desk, turn.run);
  return {
    ...turn,
    secret,
    press: (who: Account, verb: DecisionVerb) => desk.act(press(who, encodePress({ kind: 'decide', secret, verb }))),
    submit: (who: Account, verb: DecisionVerb, values: Record<string, string[]>) =>
      desk.act(submit(who, encodePress({ kind: 'decide', secret, verb }), values)),
    choose: (who: Account, option: number | undefined, values: string[] = []) =>
      desk.act(press(who, encodePress({ kind: 'choose', secret, question: 0, option }), { values })),
    async decision() {
      const mail = await desk.engine.agents.mail(turn.run, 0);
      return mail.flatMap(({ mail: one }) => (one.type === 'decision' ? [one] : []));
    },
  };
}

const plan: Ask = { type: 'plan', ask: 'p', text: '1. Fix it.' };
const question = (options: string[], change = {}): Ask => ({
  type: 'question',
  ask: 'q',
  questions: [aQuestion('base', options, change)],
});

describe('a plan', () => {
  it.each([
    ['implement', { verdict: 'allow', mode: 'auto' }],
    ['implement_ask', { verdict: 'allow', mode: 'ask' }],
  ] as const)('is decided by %s, by those who may', async (verb, decision) => {
    const asked = await waiting(plan);
    expect(await asked.press('gus', verb)).toMatchObject([{ text: expect.stringContaining('DH-202') }]);
    expect(await asked.decision()).toEqual([]);
    await asked.press('mia', verb);
    expect(await asked.decision()).toMatchObject([decision]);
    expect((await asked.press('mia', verb))[0]?.text).toContain('DH-400');
  });

  it('is sent back with what is to change', async () => {
    const asked = await waiting(plan);
    const [form] = await asked.press('mia', 'revise');
    expect(form?.payload).toMatchObject({ type: 'form', form: { title: `Revise #${asked.number}`, fields: [{ id: 'reason' }] } });
    const [said] = await asked.submit('mia', 'revise', { reason: ['keep the interface'] });
    expect(said).toMatchObject({ only: accounts.mia, text: `#${asked.number} is to be planned anew.` });
    expect(await asked.decision()).toMatchObject([{ verdict: 'deny', reason: expect.stringContaining('keep the interface') }]);
  });

  it('shows all of it to whoever may look', async () => {
    const asked = await waiting(plan);
    expect((await asked.press('gus', 'details'))[0]?.text).toMatch(
      /asks whether this plan is to be carried out[\s\S]*1\. Fix it\./,
    );
  });
});

describe('a question', () => {
  it('is answered by a button', async () => {
    const asked = await waiting(question(['main', 'next']));
    expect((await asked.choose('mia', 7))[0]?.text).toContain('DH-208');
    await asked.choose('mia', 1);
    expect(await asked.decision()).toMatchObject([{ verdict: 'allow', answers: { base: ['next'] } }]);
  });

  it('is answered by a select', async () => {
    const asked = await waiting(question(['a', 'b', 'c', 'd', 'e', 'f']));
    expect((await asked.choose('mia', undefined, ['x']))[0]?.text).toContain('DH-208');
    await asked.choose('mia', undefined, ['5']);
    expect(await asked.decision()).toMatchObject([{ answers: { base: ['f'] } }]);
  });

  it('is answered in a form, with several choices and own words', async () => {
    const asked = await waiting(question(['main', 'next'], { multiple: true, free: true }));
    const [form] = await asked.press('mia', 'answer');
    expect(form?.payload).toMatchObject({ type: 'form', form: { title: `Answer #${asked.number}` } });
    await asked.submit('mia', 'answer', { q0: ['0', '1'], w0: ['and mine'] });
    expect(await asked.decision()).toMatchObject([{ answers: { base: ['main', 'next', 'and mine'] } }]);
  });

  it('takes no verb of another kind of request', async () => {
    const asked = await waiting(question(['main', 'next']));
    for (const verb of ['revise', 'implement'] as const) {
      expect(await asked.press('mia', verb), verb).toMatchObject([
        { only: accounts.mia, text: expect.stringMatching(/DH-\d+$/) },
      ]);
    }
    expect(await asked.decision()).toEqual([]);
  });
});
