import type { SlackEmulator } from '../lab/slack/emulator.ts';
import type { Database } from '../src/store/database.ts';
import { addChannels } from './chat.ts';
import { type Act, type Answer, commandAct, messageAct } from './signed-requests.ts';
import type { Site } from './site.ts';

/** Makes acts over so many channels in turn, in each of them commands and talk by turns. */
export function createActs(slack: SlackEmulator, channelCount: number): () => Act {
  const names = addChannels(slack, channelCount);
  const channels = names.flatMap((name) => [...slack.core.state.channels.values()].find((one) => one.name === name) ?? []);
  let turn = 0;
  return () => {
    turn += 1;
    const channel = channels[turn % channels.length];
    if (channel === undefined) throw new Error('there are no channels');
    return Math.floor(turn / channels.length) % 2 === 0 ? commandAct(slack, channel) : messageAct(slack, channel);
  };
}

export function times(answers: readonly Answer[]): number[] {
  return answers.map(({ ms }) => ms);
}

/** Promise 1: what was acknowledged is a row. */
export async function missing({ db }: Database, answers: readonly Answer[], name: string): Promise<string[]> {
  const acked = answers.filter(({ status }) => status === 200).map(({ key }) => key);
  const rows = await db.$queryRaw<{ key: string }[]>`SELECT "key" FROM "Inbox" WHERE "key" = ANY(${acked}::text[])`;
  const stored = new Set(rows.map(({ key }) => key));
  const lost = acked.filter((key) => !stored.has(key));
  const refused = answers.length - acked.length;
  return [
    ...(lost.length === 0 ? [] : [`${name}: ${lost.length} acknowledged requests are not in the inbox, for example ${lost[0]}`]),
    ...(refused === 0 ? [] : [`${name}: ${refused} of ${answers.length} requests were not acknowledged`]),
  ];
}

/** How long the program needs until nothing in the inbox waits. */
export async function drained(site: Site, { db }: Database): Promise<number> {
  const since = performance.now();
  const isEmpty = async () => (await db.inbox.count({ where: { state: 'pending' } })) === 0;
  await site.until('the inbox to be empty', isEmpty, 120_000, 50);
  return performance.now() - since;
}
