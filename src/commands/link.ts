import { z } from 'zod';
import { issueLinkCode, type LinkActor, linkLifeMs, mostCodes, offerLink, unlink as split } from '../access/link.ts';
import { mostWrongCodes, wrongCodesMs } from '../access/wrong-codes.ts';
import { AppError } from '../contracts/errors.ts';
import type { Given } from '../contracts/permissions.ts';
import { platformNames } from '../contracts/platform.ts';
import type { View } from '../contracts/view.ts';
import { errorView } from '../delivery/error-view.ts';
import { putOutbox } from '../store/outbox.ts';
import { allAccountsOf, type Member } from '../store/people.ts';
import { oneOf, optional, required } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { codeView, offerView, splitView } from './link-views.ts';

export const linkable = ['slack', 'telegram', 'discord'] as const;
const minutes = (ms: number) => `${ms / 60_000} minutes`;

export const link = defineCommand({
  name: 'link',
  group: 'people',
  summary: 'Joins your accounts on two platforms, so that Deckhand knows them as one person',
  details: [
    'Without a code it gives you one. Send it back from your other account; then both accounts are asked whether they belong together.',
    'Joined accounts have the stronger of their two roles, in this workspace only. For rules that want a second person they count as one, also after `unlink`, until an owner lifts it with `member separate`.',
  ],
  permission: 'anyone',
  action: 'link accounts',
  unbound: 'yes',
  positional: {
    code: optional({
      hint: 'code',
      about: 'the code that your other account was given',
      schema: z.string().min(1).max(100),
      takes: 'words',
    }),
  },
  options: {},
  examples: [
    ['link', 'gives you a code'],
    ['link ABCD-EFGH-JKMN', 'sends it back from your other account'],
  ],
  async run(ctx, { code }) {
    if (code === undefined) return { view: await issue(ctx), audience: 'person' };
    const offered = await offerLink(ctx.tx, linkActor(ctx), code, ctx.deps.now());
    switch (offered.result) {
      case 'offered':
        return { view: offerView(offered.pair), audience: 'person', key: linkKey(offered.pair.id, 'other') };
      // Refusals are answers here, not errors: the counted try must not be rolled back.
      case 'wrong':
        return refused(
          'This is not a code that waits for you.',
          `\`link\` on your other platform gives a new one, for ${minutes(linkLifeMs)}.`,
        );
      case 'limited':
        return refused(
          `You have sent ${mostWrongCodes} wrong codes.`,
          `Wait ${minutes(wrongCodesMs)}, then get a new code and try again.`,
        );
      case 'own':
        return refused('This code was given to this very account.', 'Send it from your account on the other platform.');
      case 'joined_already':
      case 'same_platform':
        throw hindrance(offered);
    }
  },
});

export const unlink = defineCommand({
  name: 'unlink',
  group: 'people',
  summary: 'Splits your account on a platform off again',
  details: ['Each account has again what it had before it was joined, less what was taken from you since.'],
  permission: 'anyone',
  action: 'unlink accounts',
  unbound: 'yes',
  positional: {
    platform: required({ hint: 'platform', about: 'where the account is', values: linkable, schema: oneOf(linkable) }),
  },
  options: {},
  examples: [['unlink telegram', 'your account on Telegram is a person of its own again']],
  async run(ctx, { platform }) {
    const result = await split(ctx.tx, linkActor(ctx), platform);
    if (result.result !== 'unlinked') {
      const what =
        result.result === 'none'
          ? `You have no account on ${platformNames[platform]} that is joined with this one.`
          : 'This account is joined with no other.';
      throw new AppError('DH-300', { what, instead: '`who` shows your accounts.' });
    }
    const here = ctx.person.identity.platform === platform ? result.split : result.rest;
    const far = here === result.split ? result.rest : result.split;
    await tellPerson(ctx, far, await splitFrom(ctx, here, far));
    return { view: await splitFrom(ctx, far, here), audience: 'person' };
  },
});

/** Name of the outbox row of a question: what is answered is written on it. */
export function linkKey(id: string, part: 'asker' | 'other' | 'told-asker' | 'told-other'): string {
  return `link/${id}/${part}`;
}

export function linkActor(ctx: CommandContext): LinkActor {
  const { workspace, user, identity } = ctx.person;
  return { workspace, user, identity, conversation: ctx.act.event.conversation };
}

/** Why two accounts cannot be joined, as an error that is told. */
export function hindrance(
  why: { result: 'joined_already' } | { result: 'same_platform'; platform: keyof typeof platformNames },
): AppError {
  if (why.result === 'joined_already') {
    return new AppError('DH-300', { what: 'These accounts are joined already.', instead: '`who` shows your accounts.' });
  }
  return new AppError('DH-300', {
    what: `Both sides have an account on ${platformNames[why.platform]}, and a person has one per platform.`,
    instead: `If one of them is to go, split it off first: \`unlink ${why.platform}\`.`,
  });
}

async function issue(ctx: CommandContext): Promise<View> {
  const issued = await issueLinkCode(ctx.tx, linkActor(ctx), ctx.deps.now());
  if (issued.result === 'issued') return codeView(issued.code);
  throw new AppError('DH-300', {
    what: `You have asked for ${mostCodes} codes within an hour.`,
    instead: 'Use the last one, or wait.',
  });
}

function refused(why: string, what: string) {
  return { view: errorView(new AppError('DH-212', { why, what })), audience: 'person' as const };
}

/** What a person is told who is no longer one with `far`. */
async function splitFrom(ctx: CommandContext, far: Member, own: Given): Promise<View> {
  const accounts = (await allAccountsOf(ctx.tx, ctx.person.workspace, [far.user])).get(far.user) ?? [];
  return splitView({ name: far.name, platforms: accounts.map(({ platform }) => platformNames[platform]) }, own);
}

async function tellPerson(ctx: CommandContext, person: Member, view: View): Promise<void> {
  const [account] = (await allAccountsOf(ctx.tx, ctx.person.workspace, [person.user])).get(person.user) ?? [];
  if (account === undefined) return;
  const { platform, tenant, user } = account;
  await putOutbox(ctx.tx, {
    workspace: ctx.person.workspace,
    key: `unlink/${ctx.act.event.key}:${ctx.person.identity.platform}`,
    target: { type: 'conversation', conversation: { platform, tenant, channel: user, kind: 'direct' } },
    payload: { type: 'direct', user: { platform, tenant, user }, view },
    priority: 2,
  });
}
