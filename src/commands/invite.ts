import { z } from 'zod';
import { inviteRoles, makeInvite, mostInvites } from '../access/invites.ts';
import { isWords, notAllowed } from '../access/not-allowed.ts';
import { givenWith, nameOf } from '../contracts/custom-roles.ts';
import { AppError } from '../contracts/errors.ts';
import { may } from '../contracts/permissions.ts';
import { encodePress } from '../contracts/press.ts';
import { type Block, bold, plain, type Span } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { textView, withFallback } from '../delivery/list-view.ts';
import { oneLine } from '../delivery/neutralise.ts';
import { secretPlace } from '../delivery/view-secret.ts';
import { recordAudit } from '../store/audit.ts';
import { goodInvites, type InviteRow, revokeInvite } from '../store/invites.ts';
import { idsOf } from '../store/linked-people.ts';
import { labelsOf, personById } from '../store/people.ts';
import { duration, optional, required, shortDuration } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { namedRole, roleArgument } from './role-argument.ts';

const dayMs = 24 * 60 * 60_000;
const usualLifeMs = 7 * dayMs;
const longestLifeMs = 30 * dayMs;
/** Longest list in one answer. */
const shownInvites = 25;

export const invite = defineCommand({
  name: 'invite',
  group: 'people',
  summary: 'Makes a one-time code with which somebody gives themselves a role, on any platform',
  details: [
    'Whoever sends `join CODE` to Deckhand gets the role, once. It is never more than you may give at that moment: who loses that right has invited nobody.',
    'Give the code to the person alone. `invite list` shows the invitations that are open, and takes them back.',
  ],
  permission: 'member.manage',
  action: 'invite people',
  unbound: 'with-role',
  positional: { role: roleArgument('the role', inviteRoles) },
  options: {
    for: optional({
      hint: 'Nele',
      about: 'who it is for, as a note to yourself',
      schema: z.string().trim().min(1).max(80),
    }),
    expires: optional({
      hint: '7d',
      about: `how long it can be used, at most ${shortDuration(longestLifeMs)}; ${shortDuration(usualLifeMs)} if left out`,
      schema: duration(60_000, longestLifeMs),
    }),
  },
  examples: [
    ['invite developer for=Nele', 'a code that makes Nele a developer'],
    ['invite guest expires=1d', 'one for somebody who may look, until tomorrow'],
  ],
  async run(ctx, { role: named, for: label, expires = usualLifeMs }) {
    const role = await namedRole(ctx, named, inviteRoles);
    const { workspace, user } = ctx.person;
    const by = await personById(ctx.tx, workspace, user);
    if (by === undefined) throw new AppError('DH-208');
    const { role: own, extra } = ctx.ownRights;
    const now = ctx.deps.now();
    const expiresAt = new Date(now.getTime() + expires);
    const made = await makeInvite(ctx.tx, { workspace, by: { ...by, role: own, extra }, role, label, expiresAt }, now);
    if (made.result === 'not_allowed')
      throw await notAllowed(ctx.tx, ctx.person, `invite people as ${nameOf(role)}`, 'workspace.own');
    if (made.result === 'too_many') {
      throw new AppError('DH-300', {
        what: `You have ${mostInvites} invitations open, and nobody has more.`,
        instead: '`invite list` shows them and takes them back.',
      });
    }
    const view = withFallback([
      {
        type: 'text',
        spans: [
          plain('Whoever sends this to Deckhand in a direct message becomes '),
          bold(isWords(givenWith(role)) ?? nameOf(role)),
          plain(', once:'),
        ],
      },
      { type: 'code', text: `join ${secretPlace}` },
      {
        type: 'context',
        spans: [
          plain('It is shown this once, to you alone, and is good until '),
          moment(expiresAt),
          plain('. Give it to the person and to nobody else.'),
        ],
      },
    ]);
    return { view: { ...view, secret: ctx.deps.sealSecret(made.code) }, audience: 'person' };
  },
});

export const inviteList = defineCommand({
  name: 'invite list',
  group: 'people',
  summary: 'Lists invitations that nobody has used yet, with a button that takes each back',
  details: ['Maintainers see their own, owners those of everybody.'],
  permission: 'member.manage',
  action: 'see invitations',
  unbound: 'with-role',
  positional: {},
  options: {},
  examples: [['invite list', 'the invitations that are open']],
  async run(ctx) {
    const { workspace } = ctx.person;
    const open = await goodInvites(ctx.tx, workspace, reachOf(ctx), ctx.deps.now());
    const names = await labelsOf(
      ctx.tx,
      workspace,
      open.map(({ by }) => by),
    );
    return {
      view: withFallback([
        { type: 'text', spans: [bold(`Open invitations · ${open.length}`)] },
        ...(open.length === 0 ? [{ type: 'text' as const, spans: marked('There is none. `invite <role>` makes one.') }] : []),
        ...open.slice(0, shownInvites).flatMap((one) => blocksOf(one, names.get(one.by) ?? 'somebody')),
        ...(open.length > shownInvites
          ? [{ type: 'context' as const, spans: [plain(`${open.length - shownInvites} newer ones are not shown.`)] }]
          : []),
      ]),
      audience: 'person',
      list: 'own',
    };
  },
});

export const inviteRevoke = defineCommand({
  name: 'invite revoke',
  group: 'people',
  summary: 'Takes an invitation back: its code is good for nothing any more',
  details: ['The buttons of `invite list` do the same. Who has used a code already keeps the role; `member remove` takes it.'],
  permission: 'member.manage',
  action: 'take invitations back',
  unbound: 'with-role',
  positional: {
    invite: required({ hint: 'id', about: 'the id that the button of `invite list` carries', schema: z.string().min(1).max(80) }),
  },
  options: {},
  examples: [['invite revoke inv_01k9', 'that code makes nobody anything']],
  async run(ctx, { invite: id }) {
    const { workspace, user } = ctx.person;
    const now = ctx.deps.now();
    const open = await goodInvites(ctx.tx, workspace, reachOf(ctx), now);
    const found = open.find((one) => one.id === id);
    if (found === undefined || !(await revokeInvite(ctx.tx, workspace, id, user, now))) {
      throw new AppError('DH-300', {
        what: 'There is no such invitation of yours, or it is used, taken back or over.',
        instead: '`invite list` shows those that are open.',
      });
    }
    await recordAudit(ctx.tx, {
      workspace,
      actor: user,
      action: 'invite.revoked',
      subject: id,
      data: { role: nameOf(found.role), by: found.by },
    });
    return { view: textView('The invitation is taken back. Its code is good for nothing any more.'), audience: 'person' };
  },
});

/** Whose invitations the person may see and take back; undefined: everybody's. */
function reachOf(ctx: CommandContext): string[] | undefined {
  return may(ctx.ownRights, 'workspace.own') ? undefined : idsOf(ctx.person);
}

function blocksOf({ id, role, label, expiresAt }: InviteRow, by: string): Block[] {
  const what = label === undefined ? nameOf(role) : `${nameOf(role)}, for ${oneLine(label)}`;
  return [
    { type: 'text', spans: [bold(what), plain(` · from ${oneLine(by)} · good until `), moment(expiresAt)] },
    {
      type: 'buttons',
      buttons: [
        {
          token: encodePress({ kind: 'command', text: `invite revoke ${id}` }),
          label: 'Take back',
          style: 'danger',
          confirm: { title: 'Take the invitation back?', text: 'Its code is good for nothing then.', ok: 'Take back' },
        },
      ],
    },
  ];
}

function moment(at: Date): Span {
  return { type: 'time', at: at.toISOString(), text: `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC` };
}
