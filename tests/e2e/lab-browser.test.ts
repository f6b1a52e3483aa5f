import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DeckhandProcess, newDataDir, startDeckhand } from '../support/deckhand-process.ts';
import { eventually } from '../support/wait-for.ts';

/** Waits of this test are for a person's patience on a busy machine, not for speed. */
const patience = 30_000;

let dataDir: Awaited<ReturnType<typeof newDataDir>>;
let deckhand: DeckhandProcess;
let browser: Browser;
let page: Page;
const pageErrors: string[] = [];

beforeAll(async () => {
  dataDir = await newDataDir();
  deckhand = await startDeckhand(dataDir.path);
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  page.setDefaultTimeout(patience);
  page.on('pageerror', (error) => pageErrors.push(error.message));
}, 90_000);

afterAll(async () => {
  await browser?.close();
  await deckhand?.end('SIGTERM');
  await dataDir?.remove();
});

const composer = () => page.locator('.pane.main .composer textarea');
const channel = () => page.locator('.pane.main .message');
const thread = () => page.locator('.pane.thread .message');

it('a newcomer types sh, presses Approve, and reads how it ended', { timeout: 120_000 }, async () => {
  await page.goto(`${deckhand.url}/lab`);
  await page.getByText('bot connected').waitFor();

  // The page suggests what to type first; the suggestion lands in the composer.
  await page.locator('.suggestions button', { hasText: 'sh npm test' }).click();
  expect(await composer().inputValue()).toBe('/deckhand sh npm test');
  await composer().press('Enter');

  const card = channel().filter({ hasText: '#1 npm test' });
  await card.getByText('waits for a decision').waitFor();
  await card.locator('.replies').click();
  await thread().getByRole('button', { name: 'Approve', exact: true }).click();

  // The decision is written on the card and its buttons are gone.
  const decision = thread().filter({ hasText: 'wanted to run a command' });
  await decision.getByText('Ada approved it on Slack').waitFor();
  expect(await decision.getByRole('button', { name: 'Approve' }).count()).toBe(0);

  const end = thread().filter({ hasText: /failed after/ });
  await end.getByText('501 !== 500').waitFor();
  await end.getByRole('button', { name: 'Retry' }).waitFor();
  await card.getByText('failed').first().waitFor();
  expect(pageErrors).toEqual([]);
});

it('slash commands complete while they are typed', async () => {
  await composer().fill('/deckhand sto');
  const choice = page.locator('.choices-list [role="option"]').filter({ hasText: 'stop' });
  await choice.first().waitFor();
  await composer().press('Tab');
  await eventually(async () => expect(await composer().inputValue()).toMatch(/^\/deckhand stop/));
  await composer().fill('');
});

it('a person who may not decide is told so, alone, and the form for a reason opens', { timeout: 90_000 }, async () => {
  await composer().fill('/deckhand sh npm run stamp');
  await composer().press('Enter');
  const card = channel().filter({ hasText: '#2 npm run stamp' });
  await card.getByText('waits for a decision').waitFor();
  await card.locator('.replies').click();

  await page.getByRole('button', { name: /Gus/ }).click();
  const decision = thread().filter({ hasText: 'wants to run a command' });
  await decision.getByRole('button', { name: 'Approve', exact: true }).click();
  await thread().filter({ hasText: 'Only visible to you' }).filter({ hasText: 'Gus may not' }).waitFor();

  await page.getByRole('button', { name: /Ben/ }).click();
  await decision.getByRole('button', { name: 'Deny with reason…' }).click();
  const form = page.locator('.dialog');
  await form.waitFor();
  await form.locator('textarea, input[type=text]').first().fill('not before the release');
  await form.locator('button[type=submit]').click();
  await thread().filter({ hasText: 'not before the release' }).first().waitFor();
  await page.getByRole('button', { name: /Ada/ }).click();
  await channel().filter({ hasText: '#2 npm run stamp' }).getByText('cancelled').first().waitFor();
  expect(pageErrors).toEqual([]);
});

it('the page goes on by itself when the program is killed and started again', { timeout: 120_000 }, async () => {
  const port = new URL(deckhand.url).port;
  await deckhand.end('SIGKILL');
  await page.locator('.offline').waitFor();
  deckhand = await startDeckhand(dataDir.path, { PORT: port });
  await page.locator('.offline').waitFor({ state: 'detached' });
  await page.getByText('bot connected').waitFor();
  await channel().filter({ hasText: '#1 npm test' }).first().waitFor();
  await composer().fill('/deckhand sh git log --oneline');
  await composer().press('Enter');
  const card = channel().filter({ hasText: '#3 git log --oneline' });
  await card.getByText('done').first().waitFor();
  await card.locator('.replies').click();
  await thread().filter({ hasText: 'Add the basket' }).first().waitFor();
});
