import { join } from 'node:path';
import type { ApiCall } from '../../lab/slack/calls.ts';
import { addressOfRunning } from '../../src/store/postgres-address.ts';
import { addChannels, bindPlaces, chatVariables, makeRepository, openDatabase, slackPlaces, startChat } from '../chat.ts';
import { durations } from '../figures.ts';
import { complaints, startProgram } from '../program.ts';
import type { Scenario } from './scenario.ts';

const commands = 40;
const mentions = 20;
const channelCount = 10;
const targetP50 = 300;
/** Receipts on messages: at most 18 a minute. */
const mentionGapMs = 3500;
const endWithinMs = 120_000;

/** From what a person types to what the platform is asked to show, with nothing else going on. */
export const card: Scenario = {
  name: 'card',
  about: 'from a command to its first card, and from a mention to the first sign of life, one at a time',
  async run(site) {
    const slack = await startChat(site);
    const channels = addChannels(slack, channelCount);
    const dataDir = join(site.dir, 'data');
    const program = await startProgram(site, { role: 'start', dataDir, variables: chatVariables(slack, 'socket') });
    const database = await openDatabase(site, (await addressOfRunning(dataDir)) ?? '');
    const repository = await makeRepository(join(site.dir, 'repository'));
    await bindPlaces(database, slackPlaces(slack, channels), { repository, projects: 1, concurrency: 4 });
    const ada = slack.person('ada');
    let turn = 0;

    /** Runs `echo n` and waits until its end card is shown. Returns the calls it caused. */
    async function once(begin: (channel: string, command: string) => unknown): Promise<{ at: number; calls: ApiCall[] }> {
      turn += 1;
      const command = `echo ${turn}-of-the-benchmark`;
      const channel = channels[turn % channels.length] ?? '';
      const from = slack.calls.length;
      const at = Date.now();
      await begin(channel, command);
      // Of the cards of a run that is over only the end card has buttons.
      await ada.waitForMessage(({ plain, buttons }) => plain.includes(`${turn}-of-`) && buttons.includes('Retry'), {
        channel,
        timeoutMs: endWithinMs,
      });
      const calls = slack.calls.slice(from);
      // The live card says once more that it is over, and files go up: that belongs to this run, not to the next.
      await site.pause(700);
      return { at, calls };
    }
    const firstAt = (calls: readonly ApiCall[], ...methods: string[]) =>
      calls.find(({ method, ok }) => ok && methods.includes(method))?.at ?? Number.NaN;

    const type = (channel: string, command: string) => ada.slash(channel, `/deckhand sh ${command}`);
    const mention = (channel: string, command: string) => ada.mention(channel, `sh ${command}`);
    await once(type); // the first one fetches the repository and warms the container engine
    const toCard: number[] = [];
    const toEnd: number[] = [];
    for (let n = 0; n < commands; n += 1) {
      const { at, calls } = await once(type);
      toCard.push(firstAt(calls, 'chat.postMessage') - at);
      toEnd.push((calls.findLast(({ method }) => method === 'chat.postMessage')?.at ?? Number.NaN) - at);
    }
    site.say(`${commands} commands done, now ${mentions} mentions`);
    const toSign: number[] = [];
    const mentionToCard: number[] = [];
    for (let n = 0; n < mentions; n += 1) {
      const began = performance.now();
      const { at, calls } = await once(mention);
      toSign.push(firstAt(calls, 'chat.postMessage', 'reactions.add') - at);
      mentionToCard.push(firstAt(calls, 'chat.postMessage') - at);
      await site.pause(Math.max(0, mentionGapMs - (performance.now() - began)));
    }
    const notes = complaints(program).map((text) => `logged ${text}`);
    const sandbox = program.log.find(({ msg }) => msg === 'runner is ready')?.sandbox;
    await program.stop();
    const over = slack.overLimit();
    return {
      figures: [
        ...durations('command to first card', toCard, { p50: targetP50 }),
        ...durations('mention to reaction or card', toSign),
        ...durations('mention to first card', mentionToCard),
        ...durations('command `echo` to end card', toEnd),
      ],
      notes: [`${commands} commands and ${mentions} mentions; each run is over before the next; sandbox ${sandbox}`, ...notes],
      broken: over.length === 0 ? [] : [`${over.length} calls over the published limits`],
    };
  },
};
