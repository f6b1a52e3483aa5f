import { z } from 'zod';
import { endAudited, sessionIdleMs } from '../access/session.ts';
import { AppError } from '../contracts/errors.ts';
import { may } from '../contracts/permissions.ts';
import { encodePress } from '../contracts/press.ts';
import type { SigninMethod } from '../contracts/signin.ts';
import { bold, plain, type View } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { textView, withFallback } from '../delivery/list-view.ts';
import { idsOf } from '../store/linked-people.ts';
import { namesOf } from '../store/people.ts';
import { openSessions, type SessionRow } from '../store/sessions.ts';
import { oneOf, optional, required } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { ago } from './task-lines.ts';

/** Longest list in one answer. */
const shownSessions = 20;

const methodWords: Record<SigninMethod, string> = {
  link: 'with a link from chat',
  github: 'with GitHub',
  oidc: 'with the OpenID provider',
  password: 'with a password',
};

export const sessionList = defineCommand({
  name: 'session list',
  group: 'people',
  summary: 'Lists the browsers in which you are signed in',
  details: ['Owners see those of everybody with `session list all`.'],
  permission: 'task.see',
  action: 'see sessions',
  unbound: 'with-role',
  positional: {
    whose: optional({ hint: 'all', about: 'those of everybody', values: ['mine', 'all'], schema: oneOf(['mine', 'all']) }),
  },
  options: {},
  permissionFor: ({ whose }) => (whose === 'all' ? 'session.manage' : 'task.see'),
  examples: [['session list', 'your browsers, with a button that signs each out']],
  async run(ctx, { whose = 'mine' }) {
    const sessions = await sessionsOf(ctx, whose === 'all' ? undefined : idsOf(ctx.person));
    const { workspace } = ctx.person;
    const names = await namesOf(
      ctx.tx,
      workspace,
      sessions.map(({ user }) => user),
    );
    const shown = sessions.slice(0, shownSessions);
    const title = whose === 'all' ? 'Signed in' : 'You are signed in';
    return {
      view: withFallback([
        { type: 'text', spans: [bold(`${title} · ${sessions.length}`)] },
        ...(sessions.length === 0
          ? [{ type: 'text' as const, spans: marked('Nowhere. `signin` gives a link that signs you in.') }]
          : []),
        ...shown.flatMap((session) =>
          sessionBlocks(session, whose === 'all' ? (names.get(session.user) ?? 'somebody') : undefined, ctx.deps.now()),
        ),
        ...(sessions.length > shown.length
          ? [{ type: 'context' as const, spans: [plain(`${sessions.length - shown.length} older ones are not shown.`)] }]
          : []),
      ]),
      audience: 'person',
      list: 'own',
    };
  },
});

export const sessionEnd = defineCommand({
  name: 'session end',
  group: 'people',
  summary: 'Signs you out of a browser, or of all',
  details: ['Owners can sign out everybody, with the buttons of `session list all`.'],
  permission: 'task.see',
  action: 'end sessions',
  unbound: 'with-role',
  positional: {
    session: required({ hint: 'all', about: '`all` of yours, or the id of one', schema: z.string().min(1).max(80) }),
  },
  options: {},
  examples: [['session end all', 'you are signed out everywhere']],
  async run(ctx, { session }) {
    const { workspace, user } = ctx.person;
    const own = await sessionsOf(ctx, idsOf(ctx.person));
    const at = ctx.deps.now();
    if (session === 'all') {
      const count = await endAudited(ctx.tx, workspace, { users: idsOf(ctx.person) }, user, 'by command', at);
      return { view: textView(`You are signed out of ${count} ${count === 1 ? 'browser' : 'browsers'}.`), audience: 'person' };
    }
    const found =
      own.find(({ id }) => id === session) ??
      (may(ctx.ownRights, 'session.manage') ? (await sessionsOf(ctx, undefined)).find(({ id }) => id === session) : undefined);
    if (found === undefined || (await endAudited(ctx.tx, workspace, { session: found.id }, user, 'by command', at)) === 0) {
      throw new AppError('DH-300', {
        what: 'You have no such session, or it has ended already.',
        instead: '`session list` shows yours.',
      });
    }
    return { view: textView(`${found.device} is signed out.`), audience: 'person' };
  },
});

function sessionsOf(ctx: CommandContext, users: readonly string[] | undefined): Promise<SessionRow[]> {
  const at = ctx.deps.now();
  return openSessions(ctx.tx, ctx.person.workspace, users, { at, seenAfter: new Date(at.getTime() - sessionIdleMs) });
}

function sessionBlocks(session: SessionRow, owner: string | undefined, now: Date): View['blocks'] {
  return [
    {
      type: 'text',
      spans: [
        plain(`${session.device} · ${owner === undefined ? '' : `${owner} · `}${methodWords[session.method]} · used `),
        ago(session.lastSeenAt, now),
      ],
    },
    {
      type: 'buttons',
      buttons: [
        {
          token: encodePress({ kind: 'command', text: `session end ${session.id}` }),
          label: 'Sign out',
          style: 'danger',
          confirm: { title: 'Sign out?', text: `${session.device} has to sign in again.`, ok: 'Sign out' },
        },
      ],
    },
  ];
}
