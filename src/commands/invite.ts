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
import { deadline } from '../delivery/moments.ts';
import { oneLine } from '../delivery/neutralise.ts';
import { secretPlace } from '../delivery/view-secret.ts';
import { recordAudit } from '../store/audit.ts';
import { goodInvites, type InviteRow, revokeInvite } from '../store/invites.ts';
import { idsOf } from '../store/linked-people.ts';
import { labelsOf, type Member, personById } from '../store/people.ts';
import { duration, optional, required, shortDuration } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { invitedKey, whereWords, writeTo } from './invite-words.ts';
import { namedPerson, personText } from './member-target.ts';
import { placeOf, placeOptions } from './place.ts';
import { namedRole, roleArgument } from './role-argument.ts';
import { personFor } from './subject.ts';

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
    'With `project` or `folder` the role holds only there, and maintainers of the place invite. With a person it is for them alone: they get a direct message with a button.',
    'Give the code to the person alone. `invite list` shows the invitations that are open, and takes them back.',
  ],
  permission: 'member.manage',
  action: 'invite people',
  about: ({ project, folder }) => (project === undefined && folder === undefined ? 'workspace' : 'project'),
  unbound: 'with-role',
  positional: {
    role: roleArgument('the role', inviteRoles),
    person: optional({
      hint: '@person',
      about: 'who alone can use it: a mention, or the name of somebody who has written here',
      names: 'person',
      schema: personText,
    }),
  },
  options: {
    ...placeOptions,
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
    ['invite developer @nele project=web', 'asks Nele in a direct message whether she wants to be a developer about web'],
    ['invite guest folder=Clients', 'a code for somebody who may look at the projects of a folder'],
  ],
  async run(ctx, { role: named, person: asked, for: label, expires = usualLifeMs, ...at }) {
    const place = await placeOf(ctx, at, 'invite developer project=web');
    const role = await namedRole(ctx, named, inviteRoles);
    const { workspace, user } = ctx.person;
    const need = { command: 'invite', permission: 'member.manage', action: `invite people${whereWords(place)}` } as const;
    const own = place === undefined ? ctx.ownRights : await personFor(ctx, place.id, need);
    const person = asked === undefined ? undefined : await namedPerson(ctx, asked, 'invite developer @nele');
    const by = await personById(ctx.tx, workspace, user);
    if (by === undefined) throw new AppError('DH-208');
    const now = ctx.deps.now();
    const expiresAt = new Date(now.getTime() + expires);
    const made = await makeInvite(ctx.tx, { workspace, by, own, role, place, person, label, expiresAt }, now);
    if (made.result === 'not_allowed')
      throw await notAllowed(ctx.tx, ctx.person, `invite people as ${nameOf(role)}${whereWords(place)}`, 'workspace.own');
    if (made.result === 'too_many') {
      throw new AppError('DH-300', {
        what: `You have ${mostInvites} invitations open, and nobody has more.`,
        instead: '`invite list` shows them and takes them back.',
      });
    }
    const becomes = [bold(isWords(givenWith(role)) ?? nameOf(role)), plain(whereWords(place))];
    const told = person !== undefined && (await ask(ctx, { id: made.id, person, becomes, expiresAt }));
    const view = withFallback([
      ...(person === undefined
        ? [
            {
              type: 'text' as const,
              spans: [plain('Whoever sends this to Deckhand in a direct message becomes '), ...becomes, plain(', once:')],
            },
          ]
        : [{ type: 'text' as const, spans: toldSpans(oneLine(person.name), becomes, told) }]),
      { type: 'code', text: `join ${secretPlace}` },
      {
        type: 'context',
        spans: [
          plain('It is shown this once, to you alone, and is good until '),
          deadline(expiresAt),
          plain(person === undefined ? '. Give it to the person and to nobody else.' : '. It is worth nothing to anybody else.'),
        ],
      },
    ]);
    return { view: { ...view, secret: ctx.deps.sealSecret(made.code) }, audience: 'person' };
  },
});

/** Asks the person directly whether they want to, with a button. False: they cannot be reached, as far as is known. */
async function ask(
  ctx: CommandContext,
  { id, person, becomes, expiresAt }: { id: string; person: Member; becomes: readonly Span[]; expiresAt: Date },
): Promise<boolean> {
  const { workspace, name, identity } = ctx.person;
  const view = withFallback([
    {
      type: 'text',
      spans: [
        plain(`${oneLine(name)} invites you to be `),
        ...becomes,
        plain('. It is good until '),
        deadline(expiresAt),
        plain('.'),
      ],
    },
    {
      type: 'buttons',
      buttons: [{ token: encodePress({ kind: 'command', text: `join ${id}` }), label: 'Join', style: 'primary' }],
    },
  ]);
  return writeTo(ctx.tx, { workspace, person, on: identity.platform, key: invitedKey(id), view });
}

function toldSpans(name: string, becomes: readonly Span[], told: boolean): Span[] {
  return told
    ? [
        plain(`${name} is asked in a direct message, with a button, to become `),
        ...becomes,
        plain('. Where that does not arrive, sending this does the same:'),
      ]
    : [
        plain(
          `Deckhand cannot write to ${name} directly. Give them this: whoever of their accounts sends it to Deckhand becomes `,
        ),
        ...becomes,
        plain(', once:'),
      ];
}

export const inviteList = defineCommand({
  name: 'invite list',
  group: 'people',
  summary: 'Lists invitations that nobody has used yet, with a button that takes each back',
  details: ['Maintainers see their own, owners those of everybody.'],
  permission: 'member.manage',
  action: 'see invitations',
  about: 'project',
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
      open.flatMap(({ by, person }) => [by, ...(person === undefined ? [] : [person])]),
    );
    return {
      view: withFallback([
        { type: 'text', spans: [bold(`Open invitations · ${open.length}`)] },
        ...(open.length === 0 ? [{ type: 'text' as const, spans: marked('There is none. `invite <role>` makes one.') }] : []),
        ...open.slice(0, shownInvites).flatMap((one) => blocksOf(one, names)),
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
  about: 'project',
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
      data: { role: nameOf(found.role), by: found.by, ...(found.place === undefined ? {} : { in: found.place.name }) },
    });
    return { view: textView('The invitation is taken back. Its code is good for nothing any more.'), audience: 'person' };
  },
});

/** Whose invitations the person may see and take back; undefined: everybody's. */
function reachOf(ctx: CommandContext): string[] | undefined {
  return may(ctx.ownRights, 'workspace.own') ? undefined : idsOf(ctx.person);
}

function blocksOf(
  { id, role, place, person, label, by: maker, expiresAt }: InviteRow,
  names: ReadonlyMap<string, string>,
): Block[] {
  const nameFor = (user: string) => names.get(user) ?? 'somebody';
  const by = nameFor(maker);
  const whom = [...(person === undefined ? [] : [nameFor(person)]), ...(label === undefined ? [] : [label])].map(oneLine);
  const what = [`${nameOf(role)}${whereWords(place)}`, ...whom.map((one) => `for ${one}`)].join(', ');
  return [
    { type: 'text', spans: [bold(what), plain(` · from ${oneLine(by)} · good until `), deadline(expiresAt)] },
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
