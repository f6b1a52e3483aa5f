import { z } from 'zod';
import { type Joined, redeemInvite } from '../access/invites.ts';
import { isWords } from '../access/not-allowed.ts';
import { mostWrongCodes, wrongCodesMs } from '../access/wrong-codes.ts';
import { givenWith } from '../contracts/custom-roles.ts';
import { AppError } from '../contracts/errors.ts';
import { errorView } from '../delivery/error-view.ts';
import { textView } from '../delivery/list-view.ts';
import { oneLine } from '../delivery/neutralise.ts';
import { required } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { endInvited, whereWords, writeTo } from './invite-words.ts';

export const join = defineCommand({
  name: 'join',
  group: 'people',
  summary: 'Takes an invitation up: gives you the role that its code stands for',
  details: [
    'Best sent in a direct message. The code works once, for whoever sends it first.',
    'Whoever is invited by name gets a message with a button that does the same.',
  ],
  permission: 'anyone',
  action: 'take invitations up',
  unbound: 'yes',
  positional: {
    code: required({
      hint: 'code',
      about: 'the code that somebody gave you',
      schema: z.string().min(1).max(100),
      takes: 'words',
    }),
  },
  options: {},
  examples: [['join ABCD-EFGH-JKMN', 'gives you the role you were invited to']],
  async run(ctx, { code }) {
    const joined = await redeemInvite(ctx.tx, ctx.person, code, ctx.deps.now());
    if (joined.result === 'joined') {
      await tellInviter(ctx, joined);
      await endInvited(ctx, joined.invite);
      return {
        view: textView(
          `You are ${isWords(givenWith(joined.invite.role))}${whereWords(joined.invite.place)} now. \`help\` shows what you can do.`,
        ),
        audience: 'person',
      };
    }
    if (joined.result === 'has_it') {
      throw new AppError('DH-300', {
        what: `You are ${isWords(joined.is)}${whereWords(joined.place)} already, which is no less than the code stands for. It is not used up.`,
        instead: 'Give it back to who sent it, so that they can take it back.',
      });
    }
    if (joined.result === 'would_lose') {
      throw new AppError('DH-300', {
        what: `You are ${isWords(joined.is)}${whereWords(joined.place)}, which lets you do what the role of this invitation does not. It is not used up.`,
        instead: 'Ask an owner to give you the role by name: `member role` replaces the one you have.',
      });
    }
    // Refusals are answers here, not errors: the counted try must not be rolled back.
    return { view: errorView(new AppError('DH-212', refusals[joined.result])), audience: 'person' };
  },
});

const refusals = {
  wrong: {
    why: 'This is not the code of an invitation that is open.',
    what: 'Codes work once, and for a limited time. Ask who invited you for a new one.',
  },
  limited: {
    why: `You have sent ${mostWrongCodes} wrong codes.`,
    what: `Wait ${wrongCodesMs / 60_000} minutes, then try again.`,
  },
  void: {
    why: 'Who made this invitation may not give you this role, or not any more.',
    what: 'Ask an owner: `who` lists them, `member add` gives roles by name.',
  },
  own: { why: 'This invitation is your own.', what: 'Give the code to the person whom you invite.' },
} as const satisfies Partial<Record<Joined['result'], { why: string; what: string }>>;

/** Who invited somebody learns that the code was used, and by whom: it could have fallen into other hands. */
async function tellInviter(ctx: CommandContext, { invite, by }: Extract<Joined, { result: 'joined' }>): Promise<void> {
  const { workspace, name, identity } = ctx.person;
  const label = invite.label === undefined ? '' : ` for ${oneLine(invite.label)}`;
  const view = textView(
    `${oneLine(name)} has used your invitation${label} and is ${isWords(givenWith(invite.role))}${whereWords(invite.place)} now.`,
  );
  await writeTo(ctx.tx, { workspace, person: by, on: identity.platform, key: `invite/${invite.id}`, view });
}
