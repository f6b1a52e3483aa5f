import { join } from 'node:path';
import { addressOfRunning } from '../../src/store/postgres-address.ts';
import { chatVariables, openDatabase, startChat } from '../chat.ts';
import { durations, type Figure } from '../figures.ts';
import { createActs, drained, missing, times } from '../inbound-load.ts';
import { cpuSecondsOf } from '../processes.ts';
import { complaints, startProgram } from '../program.ts';
import { closedLoop, createSender, openLoop } from '../signed-requests.ts';
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
    const next = createActs(slack, channelCount);
    const dataDir = join(site.dir, 'data');
    const program = await startProgram(site, { role: 'start', dataDir, variables: chatVariables(slack, 'http') });
    const database = await openDatabase(site, (await addressOfRunning(dataDir)) ?? '');
    const { signingSecret } = slack.credentials;
    const broken: string[] = [];

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
