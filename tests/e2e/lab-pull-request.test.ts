import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DeckhandProcess, startDeckhand } from '../support/deckhand-process.ts';
import { type Installation, newInstallation } from '../support/installation.ts';

/** Waits of this test are for a person's patience on a busy machine, not for speed. */
const patience = 60_000;

let installation: Installation;
let deckhand: DeckhandProcess;
let browser: Browser;
let lab: Page;
const pageErrors: string[] = [];

beforeAll(async () => {
  installation = await newInstallation();
  [deckhand, browser] = await Promise.all([
    startDeckhand(installation.path, { ...installation.settings, SANDBOX: 'local' }),
    chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--no-first-run'] }),
  ]);
  lab = await newPage();
}, 90_000);

afterAll(async () => {
  await browser?.close();
  await deckhand?.end('SIGTERM');
  await installation?.remove();
});

async function newPage(): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
  context.on('page', (page) => {
    page.setDefaultTimeout(patience);
    page.on('pageerror', (error) => pageErrors.push(error.message));
  });
  return await context.newPage();
}

const say = async (text: string) => {
  const composer = lab.locator('.pane.main .composer textarea');
  await composer.fill(text);
  await composer.press('Enter');
};
const thread = () => lab.locator('.pane.thread .message');
const press = (label: string) => thread().getByRole('button', { name: label, exact: true }).last().click();
const told = (text: string | RegExp) => thread().getByText(text).last().waitFor();

it('a newcomer goes from a mention to a merged pull request: CI fails, Fix CI, CI passes, Ada approves, Merge', {
  timeout: 240_000,
}, async () => {
  await lab.goto(`${deckhand.url}/lab`);
  await lab.getByText('bot connected').waitFor();
  await say('/deckhand settings policy=yolo');
  await lab.locator('.pane.main .message', { hasText: 'Every command runs without asking now' }).waitFor();
  await say('@Deckhand fix the failing test ');
  await lab.locator('.pane.main .message .replies').last().click();
  await press('Open PR');

  // The link of the thread leads to the page of the pull request.
  const opened = lab.context().waitForEvent('page');
  await thread().getByRole('link', { name: 'acme/demo#1' }).last().click();
  const github = await opened;
  await github.getByText('deckhand wants to merge 1 commit').waitFor();
  await github.getByRole('paragraph').filter({ hasText: 'Asked by Ada, approved by Ada: task 1 of Deckhand' }).waitFor();

  await github.getByRole('button', { name: 'Start checks' }).click();
  const box = github.locator('.lab-box');
  await box.locator('.job', { hasText: 'lint' }).getByText('Let it fail…').click();
  await box.getByRole('button', { name: 'Let it fail', exact: true }).click();
  await told('failed: lint');
  await press('Fix CI');
  await press('Push to PR #1');

  // The page has followed by itself.
  await github.getByText('deckhand wants to merge 2 commits').waitFor();
  await box.getByRole('button', { name: 'Start checks' }).click();
  for (const name of ['test', 'lint']) {
    const job = box.locator('.job', { hasText: name });
    await job.getByRole('button', { name: 'Let it pass' }).click();
    await job.waitFor({ state: 'detached' });
  }
  await told('all checks have passed');

  await github.getByRole('link', { name: 'Review the changes' }).click();
  await github.locator('.diff', { hasText: 'Rounded once, at the end.' }).waitFor();
  await github.getByText('Review changes', { exact: true }).click();
  await github.getByText('Approve', { exact: true }).click();
  await github.getByRole('button', { name: 'Submit review' }).click();
  await github.getByText('Changes approved').waitFor();
  await told('ada approved it');

  await press('Merge');
  await told('merged into main as');
  await github.getByText('Pull request successfully merged and closed').waitFor();

  // The card says so too, and the task is done.
  await told(/is merged into main/);
  await say('/deckhand show #1');
  await lab.locator('.pane.main .message', { hasText: '✔ done' }).filter({ hasText: 'Run 2: succeeded' }).waitFor();
  expect(pageErrors).toEqual([]);
});

it('the bar of the lab leads to the pull requests, as the person who is chosen', { timeout: 60_000 }, async () => {
  await lab.getByRole('button', { name: /Gus/ }).click();
  const opened = lab.context().waitForEvent('page');
  await lab.getByRole('link', { name: 'GitHub' }).click();
  const github = await opened;
  await github.getByRole('link', { name: '1 Closed' }).click();
  await github.getByText('fix the failing test').waitFor();
  expect(await github.locator('.people .here').textContent()).toContain('Gus');
  expect(new URL(github.url()).pathname).toBe('/acme/demo/pulls');
});
