import { askTransfer } from '../access/owner-transfer.ts';
import { AppError } from '../contracts/errors.ts';
import { personById } from '../store/people.ts';
import { oneOf, optional, required } from './arguments.ts';
import { defineCommand } from './command.ts';
import { linkActor } from './link.ts';
import { namedPerson, personText } from './member-target.ts';
import { confirmTransferView } from './transfer-views.ts';

const kept = ['maintainer', 'developer', 'guest', 'none'] as const;

export const ownerTransfer = defineCommand({
  name: 'owner transfer',
  group: 'people',
  summary: 'Hands your ownership of the workspace over to somebody else',
  details: [
    'You are asked once more, then the other has a day to accept. Only then the ownership changes hands, both at once.',
    'To have one owner more, `member role @name owner` is enough. When the only owner is gone, whoever runs Deckhand types `deckhand owner code` on its machine.',
  ],
  permission: 'workspace.own',
  action: 'hand the ownership over',
  unbound: 'with-role',
  positional: {
    person: required({
      hint: '@person',
      about: 'a mention, or the name of somebody who has written here',
      names: 'person',
      schema: personText,
    }),
  },
  options: {
    keeps: optional({
      hint: 'maintainer',
      about: 'what you are afterwards; `maintainer` if left out',
      values: kept,
      schema: oneOf(kept),
    }),
  },
  examples: [
    ['owner transfer @mia', 'makes Mia the owner, and you a maintainer, once both have agreed'],
    ['owner transfer @mia keeps=none', 'leaves you without a role'],
  ],
  async run(ctx, { person, keeps = 'maintainer' }) {
    const { workspace, user } = ctx.person;
    const heir = await namedPerson(ctx, person, 'owner transfer @mia');
    const owner = await personById(ctx.tx, workspace, user);
    if (owner === undefined) throw new AppError('DH-208');
    if (heir.role === 'owner') {
      throw new AppError('DH-300', {
        what: heir.user === owner.user ? 'You are the owner yourself.' : `${heir.name} is an owner already.`,
        instead: 'Name somebody else. `member role @name maintainer` takes the ownership from one of several owners.',
      });
    }
    const { identity, conversation } = linkActor(ctx);
    const role = keeps === 'none' ? undefined : keeps;
    const side = { identity, conversation };
    const transfer = await askTransfer(ctx.tx, { workspace, owner, heir, keeps: role, side }, ctx.deps.now());
    return { view: confirmTransferView(transfer), audience: 'person', key: transferKey(transfer.id, 'owner') };
  },
});

/** Name of the outbox row of a question: what becomes of it is written on it. */
export function transferKey(id: string, part: 'owner' | 'heir' | 'told-owner' | 'told-heir'): string {
  return `transfer/${id}/${part}`;
}
