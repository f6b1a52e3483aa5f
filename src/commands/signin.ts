import { strongestAnywhere } from '../access/role-about.ts';
import { issueSigninLink, signinAddress, signinLinkLifeMs } from '../access/signin-link.ts';
import { AppError } from '../contracts/errors.ts';
import { bold, plain } from '../contracts/view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { secretPlace } from '../delivery/view-secret.ts';
import { defineCommand } from './command.ts';

export const signin = defineCommand({
  name: 'signin',
  group: 'people',
  summary: 'Gives you a link that signs you in to Deckhand in a browser',
  details: [
    `The link is shown to you alone, works once, and only for ${signinLinkLifeMs / 60_000} minutes. A newer one voids it.`,
    'You are signed in after you have pressed the button on the page that it opens.',
  ],
  permission: 'task.see',
  action: 'sign in',
  unbound: 'with-role',
  positional: {},
  options: {},
  examples: [['signin', 'a link for your browser']],
  async run(ctx) {
    if (strongestAnywhere(ctx.member, ctx.grants) === undefined) {
      throw new AppError('DH-300', {
        what: 'Signing in is for people with a role of their own, and what you may do comes from this channel.',
        instead: 'An owner or a maintainer gives you a role with `member add`.',
      });
    }
    const reached = ctx.deps.apiUrl();
    const address = signinAddress(reached);
    if (address === undefined) throw new AppError('DH-231', { address: reached });
    const code = await issueSigninLink(ctx.tx, ctx.person, ctx.person.identity.platform, ctx.deps.now());
    const url = `${address}/signin/link?code=${secretPlace}`;
    const view = withFallback([
      { type: 'text', spans: [bold('Sign in'), plain(` as ${ctx.person.name}`)] },
      {
        type: 'text',
        spans: [
          { type: 'link', url, text: 'Open Deckhand in a browser' },
          plain(
            `. The link is for you alone, works once, and for ${signinLinkLifeMs / 60_000} minutes. Do not pass it on: whoever has it is you.`,
          ),
        ],
      },
      { type: 'context', spans: [plain('To copy it:')] },
      { type: 'code', text: url },
    ]);
    return { view: { ...view, secret: ctx.deps.sealSecret(code) }, audience: 'person' };
  },
});
