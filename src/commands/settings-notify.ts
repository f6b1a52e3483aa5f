import { z } from 'zod';
import { AppError } from '../contracts/errors.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { type Notify, notifyWays, quietHoursSchema } from '../contracts/notify.ts';
import { type Platform, platformNames } from '../contracts/platform.ts';
import { encodePress } from '../contracts/press.ts';
import { type Button, bold, code, type Form, plain, type Span, type View } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { isTimeZone } from '../delivery/quiet-hours.ts';
import { askForm } from '../delivery/reply.ts';
import { unreachedWords } from '../delivery/unreached.ts';
import { recordAudit } from '../store/audit.ts';
import { noteRefusalTold, refusedAccounts } from '../store/direct-reach.ts';
import { readNotify, writeNotify } from '../store/notify.ts';
import { putOutbox } from '../store/outbox.ts';
import { allAccountsOf } from '../store/people.ts';
import { answered } from './answer.ts';
import { oneOf, optional } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { linkable } from './link.ts';
import { commandButton } from './task-lines.ts';

const example = '`settings notify quiet=22:00-07:00 zone=Europe/Berlin`';
/** What the button carries that asks for the quiet hours in a form: no command, because it cannot be typed. */
export const quietFormText = 'settings notify …';

const quietWord = z
  .string()
  .toLowerCase()
  .regex(/^(off|([01]?\d|2[0-3]):[0-5]\d\s*[-–]\s*([01]?\d|2[0-3]):[0-5]\d)$/, {
    error: ({ input }) => `\`${input}\` is no span of time, such as \`22:00-07:00\`, nor \`off\`.`,
  })
  .transform((text) => {
    const [from = '', to = ''] = text.split(/[-–]/).map((time) => time.trim().padStart(5, '0'));
    return text === 'off' ? ('off' as const) : { from, to };
  });
const zoneWord = z
  .string()
  .min(1)
  .max(64)
  .refine(isTimeZone, {
    error: ({ input }) => `\`${input}\` is no time zone, such as \`Europe/Berlin\` or \`UTC\`.`,
  });

export const settingsNotify = defineCommand({
  name: 'settings notify',
  group: 'people',
  summary: 'Shows or changes how you hear of decisions that wait for you and of ends of your tasks',
  details: [
    'With `default` you are mentioned where a decision waits for you, and the end of a task shows in its thread. With `mention` you are mentioned at the end too. With `direct` you get a direct message for both instead.',
    'With `direct` whoever can raise a quota is told, too, when most of it is used.',
    'In quiet hours nothing pings you; at their end one direct message says what still waits and, unless you keep to `default`, which of your tasks have ended.',
    'Where a direct message cannot reach you (on Telegram before you press Start), you are told once, and mentioned in the thread instead.',
    'This is yours alone: it holds on every platform and in every project.',
  ],
  permission: 'anyone',
  action: 'change your notifications',
  unbound: 'yes',
  positional: {
    how: optional({ hint: 'how', about: 'how you want to hear', values: notifyWays, schema: oneOf(notifyWays) }),
  },
  options: {
    on: optional({
      hint: 'telegram',
      about: 'where you get direct messages; `any` for the platform of the task',
      values: [...linkable, 'any'],
      schema: oneOf([...linkable, 'any']),
    }),
    quiet: optional({ hint: '22:00-07:00', about: 'hours in which nothing pings you; `off` for none', schema: quietWord }),
    zone: optional({ hint: 'Europe/Berlin', about: 'the time zone of the quiet hours', schema: zoneWord }),
  },
  examples: [
    ['settings notify', 'shows how it is'],
    ['settings notify direct on=telegram', 'sends you direct messages on Telegram'],
    ['settings notify quiet=22:00-07:00 zone=Europe/Berlin', 'nothing pings you at night'],
    ['settings notify default quiet=off', 'as it was in the beginning'],
  ],
  async run(ctx, { how, on, quiet, zone }) {
    const { user, workspace } = ctx.person;
    const now = await readNotify(ctx.tx, user);
    const changes = how !== undefined || on !== undefined || quiet !== undefined || zone !== undefined;
    if (!changes) return { view: notifyView(now, await unreachedOn(ctx, now)), audience: 'person', list: 'own' };
    if (on !== undefined && on !== 'any') await checkAccount(ctx, on);
    const next: Notify = {
      by: how ?? now.by,
      on: on === undefined ? now.on : on === 'any' ? undefined : on,
      quiet: quietHours(now.quiet, quiet, zone),
    };
    await writeNotify(ctx.tx, user, next, ctx.deps.now());
    await recordAudit(ctx.tx, {
      workspace,
      actor: user,
      action: 'person.notify',
      subject: user,
      data: { by: next.by, on: next.on ?? 'any', quiet: next.quiet === undefined ? 'off' : { ...next.quiet } },
    });
    return { view: notifyView(next, await unreachedOn(ctx, next)), audience: 'person', list: 'own' };
  },
});

/** The form for the quiet hours; where the platform has none its fields are asked one by one. */
export async function askQuietHours(ctx: CommandContext, press: Extract<InboundEvent, { type: 'press' }>): Promise<void> {
  const { quiet } = await readNotify(ctx.tx, ctx.person.user);
  const form: Form = {
    token: encodePress({ kind: 'command', text: settingsNotify.name }),
    title: 'Quiet hours',
    submit: 'Save',
    fields: [
      {
        type: 'text',
        id: 'quiet',
        label: 'From and to, or off',
        multiline: false,
        required: true,
        placeholder: '22:00-07:00',
        ...(quiet === undefined ? {} : { initial: `${quiet.from}-${quiet.to}` }),
        maxLength: 20,
      },
      {
        type: 'text',
        id: 'zone',
        label: 'Your time zone',
        multiline: false,
        required: false,
        placeholder: 'Europe/Berlin',
        ...(quiet === undefined ? {} : { initial: quiet.zone }),
        maxLength: 64,
      },
    ],
  };
  const act = answered(press, ctx.person, press.conversation);
  await putOutbox(ctx.tx, askForm(act, press.trigger, form, new Date(press.at)));
}

function quietHours(
  now: Notify['quiet'],
  change: 'off' | { from: string; to: string } | undefined,
  zone: string | undefined,
): Notify['quiet'] {
  if (change === 'off') return undefined;
  const span = change ?? now;
  if (span === undefined && zone === undefined) return undefined;
  if (span === undefined) throw new AppError('DH-201', { problem: 'A time zone says nothing without quiet hours.', example });
  const where = zone ?? now?.zone;
  if (where === undefined) throw new AppError('DH-201', { problem: 'The time zone of the quiet hours is missing.', example });
  if (span.from === span.to) {
    throw new AppError('DH-201', { problem: 'Quiet hours that begin when they end would be all day or never.', example });
  }
  return quietHoursSchema.parse({ from: span.from, to: span.to, zone: where });
}

async function checkAccount(ctx: CommandContext, on: (typeof linkable)[number]): Promise<void> {
  const accounts = (await allAccountsOf(ctx.tx, ctx.person.workspace, [ctx.person.user])).get(ctx.person.user) ?? [];
  if (accounts.some(({ platform }) => platform === on)) return;
  throw new AppError('DH-300', {
    what: `Deckhand knows no account of yours on ${platformNames[on]}.`,
    instead: '`link` joins the one you have there with this one.',
  });
}

const ways: Record<Notify['by'], string> = {
  default: 'mentioned where a decision waits for you; an end shows in the thread',
  mention: 'mentioned in the thread when a decision waits for you and when a task of yours ends',
  direct: 'a direct message when a decision waits for you and when a task of yours ends',
};

/** Platforms from which direct messages would come if they could. The person is told so here, and needs not be told again. */
async function unreachedOn(ctx: CommandContext, { by, on }: Notify): Promise<Platform[]> {
  if (by !== 'direct') return [];
  const refused = (await refusedAccounts(ctx.tx, ctx.person.user)).filter(({ platform }) => on === undefined || platform === on);
  for (const account of refused) await noteRefusalTold(ctx.tx, account, ctx.deps.now());
  return [...new Set(refused.map(({ platform }) => platform))];
}

function notifyView({ by, on, quiet }: Notify, unreached: readonly Platform[]): View {
  const field = (label: string, ...spans: Span[]) => ({ label, spans });
  const choices: Button[] = [
    ...notifyWays.filter((way) => way !== by).map((way) => commandButton(labels[way], `settings notify ${way}`)),
    { ...commandButton('Quiet hours…', quietFormText), form: true },
    ...(quiet === undefined ? [] : [commandButton('No quiet hours', 'settings notify quiet=off')]),
  ];
  return withFallback([
    { type: 'text', spans: [bold('How you hear of things')] },
    {
      type: 'fields',
      items: [
        field('how', code(by), plain(`: ${ways[by]}`)),
        ...(by === 'direct' || on !== undefined
          ? [field('on', plain(on === undefined ? 'the platform of the task, where you have an account' : platformNames[on]))]
          : []),
        field('quiet', plain(quiet === undefined ? 'no quiet hours' : `${quiet.from} to ${quiet.to}, ${quiet.zone}`)),
      ],
    },
    ...unreached.map((platform) => ({ type: 'text' as const, spans: [plain(unreachedWords(platform))] })),
    { type: 'buttons', buttons: choices },
    { type: 'context', spans: marked('`help settings notify` says what each means.') },
  ]);
}

const labels: Record<Notify['by'], string> = { default: 'Default', mention: 'Mention me', direct: 'Direct messages' };
