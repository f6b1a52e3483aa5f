import { type Platform, platformNames } from '../contracts/platform.ts';
import { bold, plain, type Span } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { coarse } from '../delivery/units.ts';
import { alertChannels, alertsSince, setAlerts } from '../store/alerts.ts';
import { recordAudit } from '../store/audit.ts';
import { onOff, optional } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';

export const settingsAlerts = defineCommand({
  name: 'settings alerts',
  group: 'setup',
  summary: 'Tells this conversation when something is wrong with Deckhand itself, and when it is over',
  details: [
    'Told are: messages that cannot be sent, events that are not dealt with or were given up, runners that are gone, long queues, full disks, a database or a queue that was away, keys that a model server refuses.',
    'So is a quota of the whole workspace of which most is used, once in each of its periods.',
    'Each thing is told once, and once that it is over. What comes back within half an hour changes the message that is there.',
    'Any number of conversations may be told, best on more than one platform.',
  ],
  permission: 'alert.manage',
  action: 'choose where alerts are told',
  unbound: 'with-role',
  positional: {
    here: optional({ hint: 'on', about: 'whether this conversation is told', values: ['on', 'off'], schema: onOff }),
  },
  options: {},
  examples: [
    ['settings alerts on', 'alerts are told here'],
    ['settings alerts', 'shows where they are told, and what is wrong now'],
  ],
  async run(ctx, { here }) {
    if (here !== undefined) {
      await setAlerts(ctx.tx, ctx.channel.id, here);
      const { workspace, user } = ctx.person;
      await recordAudit(ctx.tx, {
        workspace,
        actor: user,
        action: 'channel.alerts',
        subject: ctx.channel.id,
        data: { alerts: here ? 'on' : 'off' },
      });
    }
    return { view: await alertsView(ctx), audience: 'person' };
  },
});

async function alertsView(ctx: CommandContext) {
  const now = ctx.deps.now();
  const told = await alertChannels(ctx.tx, ctx.person.workspace);
  const wrong = (await alertsSince(ctx.tx, now)).filter(({ raisedAt, endedAt }) => raisedAt !== null && endedAt === null);
  // The answer may be read elsewhere, in a direct conversation: "here", or a button for here, would be wrong there.
  const places = told.map(({ name, conversation: { platform, kind } }) => {
    const what = kind === 'direct' ? 'a direct conversation' : name === null ? 'a channel' : channelName(platform, name);
    return `${what} on ${platformNames[platform]}`;
  });
  const lines = wrong.flatMap(({ text, remedy, firstAt }, at): Span[] => [
    plain(at === 0 ? '✖ ' : '\n✖ '),
    ...marked(`${text} ${remedy}`),
    plain(` (since ${coarse(now.getTime() - firstAt.getTime())})`),
  ]);
  return withFallback([
    {
      type: 'text',
      spans: [bold('Alerts'), plain(places.length === 0 ? ' are told nowhere.' : ` are told in ${list(places)}.`)],
    },
    { type: 'text', spans: lines.length === 0 ? [plain('Nothing is wrong now, as far as is known.')] : lines },
    {
      type: 'context',
      spans: marked('`settings alerts on` and `settings alerts off` change it for the conversation where they are said.'),
    },
  ]);
}

function channelName(platform: Platform, name: string): string {
  return platform === 'slack' || platform === 'discord' ? `#${name}` : name;
}

function list(places: readonly string[]): string {
  return places.length < 2 ? places.join('') : `${places.slice(0, -1).join(', ')} and ${places.at(-1)}`;
}
