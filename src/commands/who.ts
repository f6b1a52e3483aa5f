import { isWords } from '../access/not-allowed.ts';
import { withoutBundle } from '../access/who-acts.ts';
import { externalWords } from '../contracts/affiliation.ts';
import { platformNames } from '../contracts/platform.ts';
import { type Block, bold, plain } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { oneLine } from '../delivery/neutralise.ts';
import { type Account, affiliationOfPerson, allAccountsOf, membersOf, namesOf } from '../store/people.ts';
import { optional } from './arguments.ts';
import { bundleNote } from './bundle-words.ts';
import { defineCommand } from './command.ts';
import { namedPerson, personText } from './member-target.ts';
import { decidersText } from './pending.ts';
import { byRole, rolesGiven } from './permission-words.ts';
import { placeOf, placeOptions } from './place.ts';
import { whoAt, whoIs } from './who-about.ts';

export const who = defineCommand({
  name: 'who',
  group: 'people',
  summary: 'Lists people with their roles and linked accounts, and who may decide here; says what somebody is where, and why',
  permission: 'task.see',
  action: 'see members',
  about: 'project',
  unbound: 'with-role',
  positional: {
    person: optional({
      hint: '@person',
      about: 'only this person: what they are, and why',
      names: 'person',
      schema: personText,
    }),
  },
  options: placeOptions,
  examples: [
    ['who', 'members and roles'],
    ['who project=web', 'who is what about the project `web`, and why'],
    ['who @ben', 'what Ben is, about each project'],
    ['who @ben project=web', 'what Ben is about `web`, and why'],
  ],
  async run(ctx, args) {
    const place = await placeOf(ctx, args, 'who @ben project=web');
    if (args.person !== undefined) return whoIs(ctx, await namedPerson(ctx, args.person, 'who @ben'), place);
    if (place !== undefined) return whoAt(ctx, place);
    const members = await membersOf(ctx.tx, ctx.person.workspace);
    const approvers = ctx.bound?.policy.approvers;
    const names = await namesOf(ctx.tx, ctx.person.workspace, approvers?.people ?? []);
    const accounts = await allAccountsOf(ctx.tx, ctx.person.workspace, [...members.map(({ user }) => user), ctx.person.user]);
    const own = accounts.get(ctx.person.user) ?? [];
    const items = byRole(members).map(({ label, people }) => {
      const names = people.map(({ user, name }) => named(name, accounts.get(user)));
      return { label, spans: [plain(names.join(', '))] };
    });
    const { person } = withoutBundle(ctx);
    const far = ctx.person.limit === undefined ? '' : ', as far as its access bundle allows';
    const limits = bundleNote(ctx.channel);
    const notes: Block[] = [
      ...(ctx.bound === undefined
        ? []
        : [{ type: 'context' as const, spans: marked(decidersText(ctx.bound.policy.approvers, names)) }]),
      ...(ctx.channel.defaultRole === undefined
        ? []
        : [
            {
              type: 'context' as const,
              spans: marked(
                `Members of this channel without a role of their own are ${rolesGiven(ctx.channel)} here; external people ${ctx.channel.externalRole === undefined ? 'have no role' : 'are guests'}.`,
              ),
            },
          ]),
      {
        type: 'context',
        spans: marked(ctx.person.role === undefined ? 'You have no role here.' : `You are ${isWords(person)} here${far}.`),
      },
      ...(limits === undefined ? [] : [limits]),
      ...(own.length < 2
        ? []
        : [
            {
              type: 'context' as const,
              spans: [
                plain(
                  `Your accounts: ${own.map((account) => `${account.name} on ${platformNames[account.platform]}`).join(', ')}.`,
                ),
              ],
            },
          ]),
    ];
    return {
      view: withFallback([
        { type: 'text', spans: [bold('People')] },
        items.length === 0 ? { type: 'text', spans: marked('Nobody has a role yet.') } : { type: 'fields', items },
        ...notes,
      ]),
      audience: 'asked',
    };
  },
});

/** With the platforms of a person who has accounts on several, and marked when they are external on one. */
function named(name: string, accounts: readonly Account[] = []): string {
  const platforms = [...new Set(accounts.map(({ platform }) => platformNames[platform]))];
  const external = externalWords(affiliationOfPerson(accounts));
  const notes = [...(platforms.length < 2 ? [] : platforms), ...(external === undefined ? [] : [oneLine(external)])];
  return notes.length === 0 ? name : `${name} (${notes.join(', ')})`;
}
