import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DeckhandProcess, startDeckhand } from '../support/deckhand-process.ts';
import { type Installation, newInstallation } from '../support/installation.ts';
import { eventually } from '../support/wait-for.ts';

/** Waits of this test are for a person's patience on a busy machine, not for speed. */
const patience = 60_000;

let installation: Installation;
let deckhand: DeckhandProcess;
let browser: Browser;
let page: Page;
const pageErrors: string[] = [];

beforeAll(async () => {
  installation = await newInstallation();
  deckhand = await startDeckhand(installation.path, installation.settings);
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
  await installation?.remove();
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
  deckhand = await startDeckhand(installation.path, { ...installation.settings, PORT: port });
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

it('a task that is started on Telegram, mirrored, approved on Discord and stopped on Slack ends the same on all three', {
  timeout: 180_000,
}, async () => {
  const act = (name: RegExp) => page.locator('.people button').filter({ hasText: name }).click();
  const telegram = page.locator('.telegram');
  const discord = page.locator('.discord');
  await page.getByRole('tab', { name: 'Side by side' }).click();
  await telegram.locator('textarea').fill('/sh npm run slow');
  await telegram.locator('textarea').press('Enter');
  await telegram.getByText('#4 wants to run a command').last().waitFor();

  await page.locator('.pane.thread .close').click();
  await composer().fill('/deckhand mirror #4 here');
  await composer().press('Enter');
  const onSlack = channel().filter({ hasText: '#4 npm run slow' });
  await onSlack.getByText('waits for a decision').waitFor();

  const box = discord.locator('textarea');
  await box.fill('/deckhand mirror');
  await discord.getByText('/deckhand mirror').first().waitFor();
  await page.keyboard.press('Enter');
  await page.keyboard.type('#4');
  await page.keyboard.press('Tab');
  await page.keyboard.type('here');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await discord.getByText('1 Message').click();

  await act(/Ben/);
  await discord.getByRole('button', { name: 'Approve', exact: true }).click();
  for (const pane of [telegram, discord])
    await pane
      .getByText(/Ben approved it on Discord/)
      .last()
      .waitFor();
  await onSlack.getByText('step 3 of 120').waitFor();
  await onSlack.getByRole('button', { name: 'Stop', exact: true }).click();
  await onSlack.locator('.replies').click();
  await thread().getByText('Ben approved it on Discord').last().waitFor();
  for (const pane of [thread(), telegram, discord]) {
    await pane.getByText('The command was stopped by Ben.').last().waitFor();
    await pane
      .getByText(/exit code 143.* approved: 1 \(Ben\)/)
      .last()
      .waitFor();
    await pane.getByText('4.log').last().waitFor();
  }
  expect(pageErrors).toEqual([]);
});

it('what a command has changed is seen as a picture, and read line by line by whoever presses Review diff', {
  timeout: 120_000,
}, async () => {
  await page.getByRole('tab', { name: 'Slack' }).click();
  await composer().fill('/deckhand sh npm run stamp && cp README.md COPY.md');
  await composer().press('Enter');
  const card = channel().filter({ hasText: '#5 npm run stamp' });
  await card.locator('.replies').click();
  await thread().getByRole('button', { name: 'Approve', exact: true }).click();
  await thread().getByRole('button', { name: 'Review diff' }).click();
  const review = thread().filter({ hasText: 'Only visible to you' }).last();
  await review.locator('select').selectOption({ label: '2 README.md' });
  await review.getByText(/\+Stamped at /).waitFor();
  await review.getByRole('button', { name: 'All files' }).click();
  // Pages take the place of one another.
  await review.getByText(/2 +README\.md +\+2/).waitFor();
  expect(await thread().filter({ hasText: 'Only visible to you' }).count()).toBe(1);
  const picture = thread().locator('img[alt="diff.png"], img[src*="diff.png"]').first();
  await eventually(async () => expect(await picture.evaluate((img) => Reflect.get(img, 'naturalWidth'))).toBe(1080));
  expect(pageErrors).toEqual([]);
});
