import { afterAll, beforeAll, expect, it } from 'vitest';
import { type SlackSetup, startSlack } from '../support/slack-adapter.ts';
import { eventually } from '../support/wait-for.ts';

let setup: SlackSetup;
let clock = new Date();
beforeAll(async () => {
  setup = await startSlack({ mode: 'socket', now: () => clock });
});
afterAll(async () => {
  const { errors } = setup.slack.controls;
  await setup[Symbol.asyncDispose]();
  expect(errors).toEqual([]);
});

const initech = { id: 'T0INITECH', name: '  Initech\n Ltd ', domain: 'initech' };
const newest = () => setup.inbox.events.at(-1)?.actor;

async function says(name: string, text: string): Promise<void> {
  const before = setup.inbox.events.length;
  setup.slack.person(name).mention('#demo', text);
  await eventually(() => expect(setup.inbox.events.length).toBe(before + 1));
}

it('Slack is asked who is a guest and who is of another organisation: accounts once an hour, organisations once a day', async () => {
  const { controls } = setup.slack;
  const count = (method: string) => setup.slack.callsOf(method).length;
  const contractor = controls.addPerson({ name: 'cleo', real_name: 'Cleo Ray', guest: 'single_channel' });
  const partners = ['pia', 'pit'].map((name) => controls.addPerson({ name, real_name: `${name} Lund`, team: initech }));
  await says('ada', 'hello');
  expect(newest()).toMatchObject({ name: 'Ada', affiliation: { kind: 'member' } });
  await says(contractor.id, 'hello');
  expect(newest()).toMatchObject({ name: 'Cleo', affiliation: { kind: 'guest' } });
  const accounts = count('users.info');
  for (const { id } of [...partners, ...partners]) {
    await says(id, 'hello');
    expect(newest()).toMatchObject({ user: id, affiliation: { kind: 'organisation', organisation: 'Initech Ltd' } });
  }
  expect(count('users.info')).toBe(accounts + 2);
  expect(count('team.info')).toBe(1);
  clock = new Date(clock.getTime() + 61 * 60_000);
  await says(partners[0]?.id ?? '', 'an hour later');
  expect([count('users.info'), count('team.info')]).toEqual([accounts + 3, 1]);
});

it('what Slack said last counts while it does not answer; of an account nobody has heard of it is not known', async () => {
  const { controls } = setup.slack;
  controls.failNext('users.info', { error: 'fatal_error', times: 20 });
  clock = new Date(clock.getTime() + 61 * 60_000);
  await says('ada', 'again');
  expect(newest()).toMatchObject({ name: 'Ada', affiliation: { kind: 'member' } });
  await says('ben', 'for the first time');
  expect(newest()).toMatchObject({ affiliation: { kind: 'unknown' } });
  const quin = controls.addPerson({ name: 'quin', real_name: 'Quin Lund', team: initech });
  await says(quin.id, 'for the first time');
  expect(newest()).toMatchObject({ affiliation: { kind: 'organisation' } });
});

it('the slash command is not for people of another organisation, which has not installed the app', async () => {
  const pia = setup.slack.person('pia');
  await expect(pia.slash('#demo', '/deckhand help')).rejects.toThrow('your organisation has not installed');
});
