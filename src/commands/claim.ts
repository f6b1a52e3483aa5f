import { z } from 'zod';
import { claim as claimOwnership } from '../access/claim-code.ts';
import { AppError } from '../contracts/errors.ts';
import { errorView } from '../delivery/error-view.ts';
import { textView } from '../delivery/list-view.ts';
import { recordAudit } from '../store/audit.ts';
import { required } from './arguments.ts';
import { defineCommand } from './command.ts';

const refusals = {
  wrong: {
    why: 'This is not the code.',
    what: 'The code is in the last lines of the log of the start. After ten wrong tries it is void.',
  },
  used_up: {
    why: 'There is no code to claim with now.',
    what: 'A restart of Deckhand prints a new one, as long as there is no owner.',
  },
  has_owner: {
    why: 'Deckhand has an owner already.',
    what: 'An owner gives roles with `member add @name <role>`; `who` shows who that is. When none can be reached, whoever runs Deckhand types `deckhand owner code` on its machine.',
  },
} as const;

export const claim = defineCommand({
  name: 'claim',
  group: 'people',
  summary: 'Makes you the owner, with the code that the first start prints',
  details: [
    'Best sent in a direct message. The code works once.',
    'Where there is an owner whom nobody can reach, `deckhand owner code` on the machine makes a code for one more.',
  ],
  permission: 'anyone',
  action: 'claim Deckhand',
  unbound: 'yes',
  positional: {
    code: required({
      hint: 'code',
      about: 'the code from the log of the start',
      schema: z.string().min(1).max(100),
      takes: 'words',
    }),
  },
  options: {},
  examples: [['claim ABCD-EFGH-JKMN', 'becomes owner']],
  async run(ctx, { code }) {
    const { workspace, user } = ctx.person;
    const result = await claimOwnership(ctx.tx, workspace, user, code, ctx.deps.now());
    await recordAudit(ctx.tx, { workspace, actor: user, action: 'owner.claim', subject: user, data: { result } });
    // A refusal is an answer here, not an error: the counted try must not be rolled back.
    if (result !== 'claimed') return { view: errorView(new AppError('DH-212', refusals[result])), audience: 'person' };
    const text =
      'You are the owner of Deckhand now. Next: `project add web https://example.com/acme/web.git` adds a repository, `bind web` in a channel binds it, `member add @name developer` lets others in.';
    return { view: textView(text), audience: 'person' };
  },
});
