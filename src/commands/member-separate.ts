import { AppError } from '../contracts/errors.ts';
import { textView } from '../delivery/list-view.ts';
import { recordAudit } from '../store/audit.ts';
import { isSamePerson, lockPeople, separatePerson } from '../store/linked-people.ts';
import { personById } from '../store/people.ts';
import { required } from './arguments.ts';
import { defineCommand } from './command.ts';
import { namedPerson, personText } from './member-target.ts';

/** Linked accounts count as one pair of eyes, also once they are split. This lifts that, for accounts that were never one person's. */
export const memberSeparate = defineCommand({
  name: 'member separate',
  group: 'people',
  summary: 'Lets somebody count as a second person again beside accounts that were linked with theirs once',
  details: [
    'Whoever ever was one person by `link` counts as one where a rule wants a second person, also after `unlink`. This ends that for the named person, when the accounts were linked by mistake or belong to two people after all.',
    'Only an owner may do it, and not about accounts of their own. It is written down.',
  ],
  permission: 'workspace.own',
  action: 'let people count as different again',
  unbound: 'with-role',
  positional: {
    person: required({
      hint: '@person',
      about: 'a mention, or the name of somebody whose accounts were split',
      names: 'person',
      schema: personText,
    }),
  },
  options: {},
  examples: [['member separate @ben', 'Ben counts as a person of his own again']],
  async run(ctx, args) {
    const { workspace, user } = ctx.person;
    const named = await namedPerson(ctx, args.person, 'member separate @ben');
    await lockPeople(ctx.tx, workspace);
    // Read again under the lock: who is who may have changed.
    const person = await personById(ctx.tx, workspace, named.user);
    if (person === undefined) throw new Error('a person without a row');
    if (isSamePerson(person, user)) {
      throw new AppError('DH-300', {
        what: 'These are accounts that were yours.',
        instead: 'Another owner can say that they are two people.',
      });
    }
    const from = await separatePerson(ctx.tx, person);
    if (from.length === 0) {
      throw new AppError('DH-300', {
        what: `${person.name} counts as one person with nobody else.`,
        instead: 'Accounts that are linked now are split with `unlink`, by the person.',
      });
    }
    await recordAudit(ctx.tx, {
      workspace,
      actor: user,
      action: 'member.separate',
      subject: person.user,
      data: { from: [...from].join(' '), on: ctx.person.identity.platform, account: ctx.person.identity.user },
    });
    return {
      view: textView(`${person.name} counts as a person of their own again, also where a rule wants a second person.`),
      audience: 'person',
    };
  },
});
