import { notAllowed } from '../access/not-allowed.ts';
import { AppError } from '../contracts/errors.ts';
import { may } from '../contracts/permissions.ts';
import { bold, code, plain } from '../contracts/view.ts';
import { textView, withFallback } from '../delivery/list-view.ts';
import { setBundle } from '../store/access-bundles.ts';
import { recordAudit } from '../store/audit.ts';
import { namedBundle } from './bundle.ts';
import { bundleFields } from './bundle-words.ts';
import type { CommandContext, Reply } from './command.ts';

/**
 * Gives this channel an access bundle, or takes it away with `none`. What the present bundle allows does not matter: owners could not undo
 * it otherwise. `more`: something else was to be changed as well.
 */
export async function chosenBundle(ctx: CommandContext, text: string, more: boolean): Promise<Reply> {
  const { tx, channel, member, person } = ctx;
  if (!may(member, 'workspace.own')) {
    throw await notAllowed(
      tx,
      { ...person, limit: undefined, about: undefined },
      'change the access bundle of a channel',
      'workspace.own',
    );
  }
  if (more) {
    throw new AppError('DH-201', { problem: '`bundle` is changed by itself.', example: '`settings bundle=support`' });
  }
  if (channel.kind !== 'channel') {
    throw new AppError('DH-300', {
      what: 'An access bundle is of a channel, and this is a direct conversation, which has none.',
      instead: 'Send it in the channel.',
    });
  }
  const bundle = text.toLowerCase() === 'none' ? undefined : await namedBundle(ctx, text);
  await setBundle(tx, channel.id, bundle);
  await recordAudit(tx, {
    workspace: person.workspace,
    actor: person.user,
    action: 'channel.bundle',
    subject: channel.id,
    data: { from: channel.bundle?.name ?? 'none', to: bundle?.name ?? 'none' },
  });
  if (bundle === undefined) {
    const text = `This channel has no access bundle${channel.bundle === undefined ? '' : ' any more'}: what people may here follows from their roles.`;
    return { view: textView(text), audience: 'all' };
  }
  return {
    view: withFallback([
      { type: 'text', spans: [bold('This channel has the access bundle '), code(bundle.name)] },
      { type: 'fields', items: bundleFields(bundle) },
      {
        type: 'context',
        spans: [plain('It counts at once, for everybody: nobody has more here, and work that is begun here uses no more.')],
      },
    ]),
    audience: 'all',
  };
}
