import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Conformance, type OnPlatform, openConformance, platforms } from '../support/conformance.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let world: Conformance;
beforeAll(async () => {
  world = await openConformance();
});
afterAll(() => world.close());

/** The program is one for all platforms, so what kills it is played on all of them at once. An error says on which. */
async function atOnce<Item extends { at: OnPlatform }, T>(items: readonly Item[], act: (item: Item) => Promise<T>): Promise<T[]> {
  const outcomes = await Promise.allSettled(items.map(act));
  return outcomes.map((outcome, index) => {
    if (outcome.status === 'fulfilled') return outcome.value;
    throw new Error(`on ${items[index]?.at.driver.platform}: ${String(outcome.reason)}`, { cause: outcome.reason });
  });
}

const everywhere = () => platforms.map((name) => ({ at: world.on(name) }));

describe('a connection that is cut', () => {
  it.concurrent.each(platforms)('promise 5: comes back on %s, and what was said meanwhile is heard', async (name) => {
    const at = world.on(name);
    const [place, meanwhile] = [await at.place('cut', at.projects.free), await at.place('cut-meanwhile')];
    const held = await world.heldCommand();
    at.driver.mention('ben', place, `sh ${held.command}`);
    const card = await at.sees(place, /▸ running the command/);
    at.driver.cut();
    at.driver.mention('ben', meanwhile, 'sh echo said meanwhile');
    await at.sees(meanwhile, /#\d+/);
    at.driver.reply('ben', card, 'show');
    const answer = await at.sees(place, /^#\d+[\s\S]*running/, { after: card });
    expect(answer.thread).toBe(card.thread);
    await held.letGo();
    await Promise.all([at.endsOnce(place, /begun\nthrough/), at.endsOnce(meanwhile, /said meanwhile/)]);
  });
});

describe('a storm of refusals', () => {
  it.concurrent.each(platforms)(
    'promise 5: told on %s to wait again and again, all cards end right and nothing is lost',
    async (name) => {
      const at = world.on(name);
      const places = await Promise.all(['one', 'two'].map((which) => at.place(`storm-${which}`)));
      at.driver.throttle(8);
      for (const place of places) at.driver.mention('ben', place, 'sh echo through the storm');
      await Promise.all(places.map((place) => at.endsOnce(place, /through the storm/)));
    },
  );
});

describe('on all platforms', () => {
  it('promise 2: what is delivered twice, also before and after a crash, happens once', async () => {
    const places = await atOnce(everywhere(), async ({ at }) => ({ at, place: await at.place('redelivery') }));
    // One after the other: Telegram delivers again what a program that was killed had not confirmed.
    for (const { at, place } of places) {
      const said = await at.driver.redelivered(() => at.driver.mention('ben', place, 'sh echo only once'), world.program);
      expect(await world.program.stored(at.driver.platform, said)).toBe(1);
    }
    await atOnce(places, ({ at, place }) => at.endsOnce(place, /only once/));
  });

  it('promise 8: killed while commands run and others wait for a decision, it goes on with both, and hears what was said', async () => {
    const before = await atOnce(everywhere(), async ({ at }) => {
      const asking = await at.place('killed-asking');
      const running = await at.place('killed-running', at.projects.free);
      at.driver.mention('ben', asking, "sh touch made; printf 'it %s' ran");
      const held = await world.heldCommand();
      at.driver.mention('ben', running, `sh ${held.command}`);
      const request = await at.sees(asking, /wants to run a command/, { button: 'Approve' });
      await at.sees(running, /▸ running the command[\s\S]*begun/);
      return { at, asking, running, held, request, meanwhile: await at.place('killed-meanwhile') };
    });
    await world.program.restart(() => {
      for (const { at, meanwhile } of before) at.driver.mention('ben', meanwhile, 'sh echo said while nobody heard');
    });
    await atOnce(before, async ({ at, asking, running, held, request, meanwhile }) => {
      await held.letGo();
      await at.driver.press('ada', request, 'Approve');
      await Promise.all([
        at.endsOnce(asking, /it ran/),
        at.endsOnce(running, /begun\nthrough/),
        at.endsOnce(meanwhile, /said while nobody heard/),
      ]);
    });
  });

  it('keeps to the published limits, whatever has happened', async () => {
    await atOnce(everywhere(), async ({ at: { driver } }) => {
      expect(driver.overLimit()).toEqual([]);
      expect(driver.errors()).toEqual([]);
    });
  });
});
