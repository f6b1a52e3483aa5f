import { chatVariables, startChat } from '../chat.ts';
import { type Backend, type Cluster, type Shape, startCluster } from '../cluster.ts';
import { durations, type Figure, type Outcome } from '../figures.ts';
import { createActs, drained, missing, times } from '../inbound-load.ts';
import { cpuSecondsOf } from '../processes.ts';
import { complaints } from '../program.ts';
import { createSender, openLoop, type SendAct } from '../signed-requests.ts';
import { onSite, type Site } from '../site.ts';
import { countStatements, statementText } from '../statements.ts';
import type { Scenario } from './scenario.ts';

const channelCount = 50;
const load = { perSecond: 500, seconds: 8 };
const warmUp = { perSecond: 100, seconds: 6 };
const targetP99 = 150;

const shapes: readonly { name: string; shape: Shape }[] = [
  { name: '1 process', shape: 'start' },
  { name: '1 gateway, 1 runner', shape: { gateways: 1, runners: 1 } },
  { name: '2 gateways, 2 runners', shape: { gateways: 2, runners: 2 } },
];

function ackOn(backend: Backend): Scenario {
  return {
    name: `ack-${backend.toLowerCase()}`,
    about: `signed requests at ${load.perSecond} a second to 1, 2 and 4 processes, jobs and wake-ups in ${backend}`,
    async run(site) {
      const outcomes: Outcome[] = [];
      for (const { name, shape } of shapes) {
        site.say(name);
        outcomes.push(
          await onSite(`${site.name}-${outcomes.length + 1}`, site.signal, (own) => measureAck(own, name, shape, backend)),
        );
      }
      return {
        figures: outcomes.flatMap(({ figures }) => figures),
        notes: ['requests go to the HTTP doors of all gateways in turn', ...outcomes.flatMap(({ notes }) => notes)],
        broken: outcomes.flatMap(({ broken }) => broken),
      };
    },
  };
}

export const ackPostgres = ackOn('PostgreSQL');
export const ackRedis = ackOn('Redis');

export async function measureAck(site: Site, name: string, shape: Shape, backend: Backend): Promise<Outcome> {
  const slack = await startChat(site);
  const next = createActs(slack, channelCount);
  const cluster = await startCluster(site, { backend, shape, variables: chatVariables(slack, 'http') });
  const { database, members } = cluster;
  const send = inTurn(site, cluster, slack.credentials.signingSecret);
  // The first requests load Bolt, look people up and make channels known.
  await openLoop(send, next, warmUp, site.signal);
  await drained(site, database);

  const counting = await countStatements(database);
  const cpu = cpuOf(cluster);
  const answers = await openLoop(send, next, load, site.signal);
  const acked = cpuOf(cluster);
  const handledAfter = await drained(site, database);
  const handled = cpuOf(cluster);
  const use = await counting.read();
  const broken = await missing(database, answers, name);
  for (const kind of use.kinds.slice(0, Number(process.env.BENCH_STATEMENTS ?? 0))) site.say(statementText(kind, answers.length));
  const notes = members.flatMap((program) => complaints(program).map((text) => `${name}: logged ${text}`));
  for (const program of members.toReversed()) await program.stop();

  const figure = (what: string, value: number, unit: Figure['unit']): Figure => ({ name: `${name}: ${what}`, value, unit });
  const perAct = (seconds: number) => (seconds * 1000) / answers.length;
  return {
    figures: [
      ...durations(`${name}: request to acknowledgement`, times(answers), { p99: targetP99 }),
      figure('CPU of all processes while requests come', (acked.programs - cpu.programs) / load.seconds, 'cores'),
      figure('CPU of the database while requests come', (acked.database - cpu.database) / load.seconds, 'cores'),
      figure('last request to all handled', handledAfter, 'ms'),
      figure('CPU of all processes for a request, until handled', perAct(handled.programs - cpu.programs), 'ms'),
      figure('CPU of the database for a request, until handled', perAct(handled.database - cpu.database), 'ms'),
      figure('statements for a request, until handled', use.statements / answers.length, ''),
      figure('transactions for a request, until handled', use.transactions / answers.length, ''),
    ],
    notes,
    broken,
  };
}

/** Each request to the next gateway. */
function inTurn(site: Site, { gateways }: Cluster, signingSecret: string): SendAct {
  const senders = gateways.map(({ url }) => createSender(url, signingSecret, 256));
  site.onEnd(async () => {
    for (const sender of senders) sender.close();
  });
  let turn = 0;
  return (act) => {
    turn += 1;
    const sender = senders[turn % senders.length];
    if (sender === undefined) throw new Error('there is no gateway');
    return sender.send(act);
  };
}

function cpuOf({ members, postgresPid, redisPid }: Cluster): { programs: number; database: number } {
  return {
    programs: members.reduce((sum, { pid }) => sum + cpuSecondsOf(pid), 0),
    database: cpuSecondsOf(postgresPid) + (redisPid === undefined ? 0 : cpuSecondsOf(redisPid)),
  };
}
