import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DeckhandProcess, startDeckhand } from '../support/deckhand-process.ts';
import { type Installation, newInstallation } from '../support/installation.ts';
import { LabClient, type Told } from '../support/lab-client.ts';
import { waitFor } from '../support/wait-for.ts';

const agents = ['claude', 'claude-code', 'codex'] as const;
const request = 'ask me a question, work slowly in 5 steps of 1 s, fix the failing test and push the result';
const patience = { timeoutMs: 90_000 };

let installation: Installation;
let deckhand: DeckhandProcess;
let ada: LabClient;
let ben: LabClient;

async function start(): Promise<void> {
  deckhand = await startDeckhand(installation.path, installation.settings);
  ada = new LabClient(deckhand.url, 'ada');
  ben = new LabClient(deckhand.url, 'ben');
}

beforeAll(async () => {
  installation = await newInstallation();
  await start();
}, 90_000);

afterAll(async () => {
  await deckhand?.end('SIGTERM');
  await installation?.remove();
});

const isOpen = ({ buttons }: Told) => buttons.some((label) => /^(Deny|No answer|Revise…|Implement)$/.test(label));

/** What the thread of a task says of its decisions when all of them are made. */
const asked = {
  plan: /had a plan[\s\S]*approved the plan/,
  question: /asked a question[\s\S]*answered/,
  command: /wanted to run a command\s+✔ approved/,
  push: /wanted to run a command\s+✖ denied[\s\S]*Nothing is pushed on a Friday\.[\s\S]*git push/,
} as const;

/**
 * Ada decides what a task asks about, as it comes, until it is over: yes to all but pushing, for which she gives a reason; Ben says
 * something while it counts. Goes on over restarts of Deckhand.
 */
async function accompany(number: number): Promise<Told> {
  let said = false;
  return await waitFor(
    `the end of #${number}`,
    async () => {
      const thread = await ada.thread(number);
      const open = thread.find((told) => isOpen(told) && !decided.has(told.message.ts));
      if (open !== undefined) await inTurn(() => decide(open));
      const [card] = thread;
      if (!said && card !== undefined && /step 2/i.test(thread.map(({ text }) => text).join('\n'))) {
        said = true;
        await ben.say('also count the lines', 'demo', card.message.ts);
      }
      const over = thread.find(({ text, buttons }) => buttons.includes('Retry') && /(done in|failed after|cancelled)/.test(text));
      if (over === undefined) throw new Error(thread.map(({ text }) => text.slice(0, 160)).join('\n'));
      return over;
    },
    { timeoutMs: 150_000, everyMs: 400 },
  );
}

/** Ada has one form open at a time. */
let turns: Promise<unknown> = Promise.resolve();
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const done = turns.then(work);
  turns = done.catch(() => undefined);
  return done;
}

const decided = new Set<string>();

async function decide(open: Told): Promise<void> {
  await press(open);
  decided.add(open.message.ts);
}

async function press(open: Told): Promise<void> {
  if (open.buttons.includes('Implement')) return ada.press(open, 'Implement');
  if (open.buttons.includes('NOTES.md')) return ada.press(open, 'NOTES.md');
  if (/git push/.test(open.text)) {
    await ada.press(open, 'Deny with reason…');
    const form = await waitFor('the form', () => ada.form(), { timeoutMs: 5000 });
    return ada.submit(form, 'Nothing is pushed on a Friday.');
  }
  await ada.press(open, 'Approve');
}

it('each agent plans, is approved, asks, is denied something, hears a message and survives two kills', {
  timeout: 240_000,
}, async () => {
  // Where an engine and the image are, containers are chosen without a word.
  expect(deckhand.logged(/^Commands /)).toEqual([]);
  await ada.slash('/deckhand settings project=demo concurrency=3');
  await ada.waitFor(/concurrency: 3 at once/, patience);
  const numbers = agents.map((_, index) => index + 1);
  for (const [index, agent] of agents.entries()) {
    await ben.slash(`/deckhand run agent=${agent} mode=plan ${request}`);
    await ben.waitFor(new RegExp(`#${index + 1} `), patience);
  }
  const isWaiting = async (number: number) => (await ada.thread(number)).some(isOpen);
  for (const number of numbers) await waitFor(`a request of #${number}`, () => isWaiting(number), patience);

  // Killed while all three wait for people.
  await deckhand.end('SIGKILL');
  await start();
  const all = Promise.allSettled(numbers.map(accompany));
  // Killed once more in the middle of the work.
  const isAtWork = async (number: number) => (await ada.thread(number)).some(({ text }) => /step 1/i.test(text));
  await waitFor('somebody at work', async () => (await Promise.all(numbers.map(isAtWork))).includes(true), patience);
  await deckhand.end('SIGKILL');
  await start();

  for (const [index, watched] of (await all).entries()) {
    if (watched.status === 'rejected') throw new Error(`${agents[index]}: ${watched.reason}`);
    const end = watched.value;
    expect(end.text).toMatch(/done in/);
    expect(end.text).toContain('src/basket.js');
    // Cards follow within what the platform allows.
    await waitFor(
      `the cards of #${index + 1} to settle`,
      async () => {
        const thread = await ada.thread(index + 1);
        const said = thread.find(({ text }) => text === 'also count the lines');
        const isRead = said?.message.reactions.some(({ name }) => name === 'white_check_mark') === true;
        const missing = Object.entries(asked).filter(([, words]) => !thread.some(({ text }) => words.test(text)));
        if (missing.length > 0) throw new Error(`${agents[index]} was not asked for ${missing.map(([what]) => what).join(', ')}`);
        return isRead && !thread.some(isOpen);
      },
      { ...patience, everyMs: 400 },
    );
  }
});
