import { join } from 'node:path';
import type { Database } from '../../src/store/database.ts';
import { addressOfRunning } from '../../src/store/postgres-address.ts';
import { addChannels, chatVariables, openDatabase, startChat } from '../chat.ts';
import { durations, type Figure } from '../figures.ts';
import { cpuSecondsOf } from '../processes.ts';
import { complaints, startProgram } from '../program.ts';
import { type Act, type Answer, closedLoop, commandAct, createSender, messageAct, openLoop } from '../signed-requests.ts';
import type { Site } from '../site.ts';
import type { Scenario } from './scenario.ts';

const channelCount = 50;
const load = { perSecond: 200, seconds: 10 };
const burst = { senders: 32, seconds: 10 };
const targetP99 = 100;

/** From a signed request to its answer, which comes only when the event is a row. */
export const ack: Scenario = {
  name: 'ack',
  about: `signed requests over ${channelCount} channels, half commands and half talk, from the request to the stored acknowledgement`,
  async run(site) {
    const slack = await startChat(site);
    const names = addChannels(slack, channelCount);
    const channels = names.flatMap((name) => [...slack.core.state.channels.values()].find((one) => one.name === name) ?? []);
    const dataDir = join(site.dir, 'data');
    const program = await startProgram(site, { role: 'start', dataDir, variables: chatVariables(slack, 'http') });
    const database = await openDatabase(site, (await addressOfRunning(dataDir)) ?? '');
    const { signingSecret } = slack.credentials;
    const broken: string[] = [];

    let turn = 0;
    const next = (): Act => {
      turn += 1;
      const channel = channels[turn % channels.length];
      if (channel === undefined) throw new Error('there are no channels');
      // Each channel gets both kinds: its turns alternate.
      return Math.floor(turn / channels.length) % 2 === 0 ? commandAct(slack, channel) : messageAct(slack, channel);
    };

    const one = createSender(program.url, signingSecret, 256);
    site.onEnd(async () => one.close());
    // The first requests load Bolt, look people up and make channels known; whoever is first waits for that, not everybody.
    await openLoop(one.send, next, { perSecond: 20, seconds: 5 }, site.signal);
    site.say(`${load.perSecond} requests a second for ${load.seconds} s`);
    const cpu = cpuSecondsOf(program.pid);
    const began = performance.now();
    const answers = await openLoop(one.send, next, load, site.signal);
    const seconds = (performance.now() - began) / 1000;
    const cpuUsed = (cpuSecondsOf(program.pid) - cpu) / seconds;
    broken.push(...(await missing(database, answers, 'open loop')));
    const handledAfter = await drained(site, database);

    site.say(`${burst.senders} connections for ${burst.seconds} s`);
    const many = createSender(program.url, signingSecret, burst.senders);
    site.onEnd(async () => many.close());
    const most = await closedLoop(many.send, next, burst, site.signal);
    broken.push(...(await missing(database, most, 'closed loop')));
    const mostHandledAfter = await drained(site, database);

    const rate: Figure = { name: `${burst.senders} connections: requests`, value: most.length / burst.seconds, unit: '/s' };
    const notes = complaints(program).map((text) => `logged ${text}`);
    await program.stop();
    return {
      figures: [
        ...durations(`${load.perSecond}/s: request to acknowledgement`, times(answers), { p99: targetP99 }),
        { name: `${load.perSecond}/s: CPU of the program with its database`, value: cpuUsed, unit: 'cores' },
        { name: `${load.perSecond}/s: last request to all handled`, value: handledAfter, unit: 'ms' },
        rate,
        ...durations(`${burst.senders} connections: request to acknowledgement`, times(most)),
        { name: `${burst.senders} connections: last request to all handled`, value: mostHandledAfter, unit: 'ms' },
      ],
      notes: [`${answers.length} and ${most.length} requests, every acknowledged one looked up in the inbox`, ...notes],
      broken,
    };
  },
};

function times(answers: readonly Answer[]): number[] {
  return answers.map(({ ms }) => ms);
}

/** Promise 1: what was acknowledged is a row. */
async function missing(database: Database, answers: readonly Answer[], name: string): Promise<string[]> {
  const acked = answers.filter(({ status }) => status === 200).map(({ key }) => key);
  const rows = await database.db.$queryRaw<{ key: string }[]>`SELECT "key" FROM "Inbox" WHERE "key" = ANY(${acked}::text[])`;
  const stored = new Set(rows.map(({ key }) => key));
  const lost = acked.filter((key) => !stored.has(key));
  const refused = answers.length - acked.length;
  return [
    ...(lost.length === 0 ? [] : [`${name}: ${lost.length} acknowledged requests are not in the inbox, for example ${lost[0]}`]),
    ...(refused === 0 ? [] : [`${name}: ${refused} of ${answers.length} requests were not acknowledged`]),
  ];
}

/** How long the program needs until nothing in the inbox waits. */
async function drained(site: Site, database: Database): Promise<number> {
  const since = performance.now();
  const isEmpty = async () => (await database.db.inbox.count({ where: { state: 'pending' } })) === 0;
  await site.until('the inbox to be empty', isEmpty, 120_000, 50);
  return performance.now() - since;
}
