import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createGithubEmulator, type GithubEmulator } from '../../lab/github/emulator.ts';
import type { LabRepository } from '../../lab/github/repositories.ts';
import { type Conformance, openConformance, platforms } from '../support/conformance.ts';
import { waitFor } from '../support/wait-for.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000, maxConcurrency: 12 });

const secret = 'the-secret-of-the-hook';
let github: GithubEmulator;
let shop: LabRepository;
let world: Conformance;
beforeAll(async () => {
  github = await createGithubEmulator();
  shop = await github.repository({ name: 'shop', files: { 'README.md': 'hello\n' }, protect: { main: { approvals: 1 } } });
  world = await openConformance({
    shop: shop.cloneUrl,
    variables: { GITHUB_TOKEN: github.token('ben'), GITHUB_API_URL: github.apiUrl, GITHUB_WEBHOOK_SECRET: secret },
  });
  shop.hook({ url: `${world.url()}/hooks/events/github`, secret });
});
afterAll(async () => {
  await world?.close();
  const mistakes = github?.controls.errors ?? [];
  await github?.close();
  expect(mistakes).toEqual([]);
});

/** The one pull request of a branch, once it is there. */
async function pullOf(branch: string): Promise<number> {
  const found = () =>
    [...github.core.repositories.values()]
      .flatMap(({ issues }) => [...issues.values()])
      .filter(({ pull }) => pull?.headRef === branch);
  await waitFor(`a pull request of ${branch}`, () => found().length > 0);
  expect(found()).toHaveLength(1);
  return found()[0]?.number ?? 0;
}

describe.concurrent.each(platforms)('on %s', (name) => {
  it('promise 10: from a mention to a merged pull request without leaving the thread', async () => {
    const at = world.on(name);
    const place = await at.place('merge', at.projects.shop);
    const file = `${name}.txt`;
    at.driver.mention('ben', place, `sh echo from ${name} > ${file}`);
    const { end } = await at.endsOnce(place, /1 file \+1/);
    await at.driver.press('ben', end, 'Open PR');
    const opened = await at.sees(place, /acme\/shop#\d+|PR #\d+/, { after: end });
    const branch = /deckhand\/\d+-[\w-]+/.exec(end.text)?.[0] ?? '';
    const number = await pullOf(branch);
    expect(opened.thread).toBe(end.thread);
    expect(shop.branches()).toContain(branch);
    expect((await shop.git('diff', '--name-only', `main...${branch}`)).split('\n')).toEqual([file]);
    // What it must not be merged with: no approval yet.
    const checks = await github.person('ben').startChecks(shop.fullName, { branch, jobs: ['test'] });
    await checks.finish('test', 'success');
    await github.person('ada').review(shop.fullName, number, { verdict: 'APPROVE' });
    const approved = await at.sees(place, /it can be merged/, { button: 'Merge' });
    expect(approved.thread).toBe(end.thread);
    await at.driver.press('ben', approved, 'Merge');
    await at.sees(place, /merged into main/);
    expect(await shop.read(file)).toBe(`from ${name}`);
    await at.settled(place);
  });

  it('Approve & push brings exactly the change to its branch, once, though two press', async () => {
    const at = world.on(name);
    const place = await at.place('push', at.projects.shop);
    at.driver.mention('ben', place, `sh echo pushed from ${name} > pushed-${name}.txt`);
    const { end } = await at.endsOnce(place, /1 file \+1/);
    const branch = /deckhand\/\d+-[\w-]+/.exec(end.text)?.[0] ?? '';
    await Promise.all([at.driver.press('ben', end, 'Approve & push'), at.driver.press('ada', end, 'Approve & push')]);
    await at.sees(place, /pushed/i, { after: end });
    expect(await shop.read(`pushed-${name}.txt`, branch)).toBe(`pushed from ${name}`);
    await at.settled(place);
    expect(await at.database.db.publication.count({ where: { branch } })).toBe(1);
    expect(shop.branches().filter((one) => one === branch)).toHaveLength(1);
  });

  it('whoever may not decide is told who can, and nothing leaves', async () => {
    const at = world.on(name);
    const place = await at.place('refused', at.projects.shop);
    at.driver.mention('ben', place, 'sh echo x > x.txt');
    const { end } = await at.endsOnce(place, /1 file \+1/);
    const branch = /deckhand\/\d+-[\w-]+/.exec(end.text)?.[0] ?? '';
    await at.driver.press('gus', end, 'Approve & push');
    await at.isTold('gus', /Gus[\w ]* may not bring changes out[\s\S]*DH-202/);
    await at.settled(place);
    expect(shop.branches()).not.toContain(branch);
  });
});
