import { isWords } from '../access/not-allowed.ts';
import { type AnyRole, givenWith } from '../contracts/custom-roles.ts';
import { AppError } from '../contracts/errors.ts';
import { roleSchema } from '../contracts/roles.ts';
import { plain, type Span } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { isGiven } from '../store/people.ts';
import { required } from './arguments.ts';
import { type CommandContext, defineCommand, type Reach, type Reply } from './command.ts';
import { atPlace } from './member-place.ts';
import { grant, namedPerson, personSpan, personText } from './member-target.ts';
import { mayWords, powers } from './permission-words.ts';
import { placeOf, placeOptions } from './place.ts';
import { namedRole, roleArgument } from './role-argument.ts';

const person = required({
  hint: '@person',
  about: 'a mention, or the name of somebody who has written here',
  names: 'person',
  schema: personText,
});
const roles = [...roleSchema.options, 'none'] as const;
const role = roleArgument('the role; `none` for nothing at all, which only holds about a project or in a folder', roles);
const whoGives =
  'Maintainers give and take `guest` and `developer`, and custom roles of which they have everything themselves; owners every role.';
const placeGives =
  'With `project` or `folder` it holds only there, counts before the role in the workspace, and may be less. Maintainers of the place give it. Owners stay owners everywhere.';

const noneAlone = new AppError('DH-201', {
  problem: '`none` is about a project or a folder.',
  example: '`member role @gus none project=web`, or `member remove @gus` for the role in the workspace',
});

/** What is about one place is for its maintainers; the rest takes the role in the workspace. */
function about({ project, folder }: { project?: string | undefined; folder?: string | undefined }): Reach {
  return project === undefined && folder === undefined ? 'workspace' : 'project';
}

export const memberAdd = defineCommand({
  name: 'member add',
  group: 'people',
  summary: 'Gives somebody a role who has none',
  details: [whoGives, 'Roles hold in the whole workspace, on every platform.', placeGives],
  permission: 'member.manage',
  action: 'give roles',
  about,
  unbound: 'with-role',
  positional: { person, role },
  options: placeOptions,
  examples: [
    ['member add @ben developer', 'lets Ben run commands'],
    ['member add @ben release-manager', 'gives Ben the custom role `release-manager`'],
    ['member add @gus developer folder=Payments', 'lets Gus run commands in the projects of a folder'],
  ],
  async run(ctx, args) {
    const place = await placeOf(ctx, args, 'member add @ben developer project=web');
    const member = await namedPerson(ctx, args.person, 'member add @ben developer');
    const given = await namedRole(ctx, args.role, roles);
    if (place !== undefined) return atPlace(ctx, place, member, given);
    if (given === 'none') throw noneAlone;
    if (member.role !== undefined && !isGiven(member, given)) {
      return said('person', marked(`${member.name} is ${isWords(member)} already. \`member role\` changes that.`));
    }
    return changed(ctx, member, given, await grant(ctx, member, given));
  },
});

export const memberRole = defineCommand({
  name: 'member role',
  group: 'people',
  summary: "Changes somebody's role",
  details: [whoGives, 'The last owner stays owner.', placeGives],
  permission: 'member.manage',
  action: 'change roles',
  about,
  unbound: 'with-role',
  positional: { person, role },
  options: placeOptions,
  examples: [
    ['member role @ben maintainer', 'makes Ben a maintainer'],
    ['member role @ben guest project=web', 'lets Ben only look in the project `web`'],
    ['member role @gus none folder=Payments', 'hides the projects of a folder from Gus'],
  ],
  async run(ctx, args) {
    const place = await placeOf(ctx, args, 'member role @ben guest project=web');
    const member = await namedPerson(ctx, args.person, 'member role @ben maintainer');
    const given = await namedRole(ctx, args.role, roles);
    if (place !== undefined) return atPlace(ctx, place, member, given);
    if (given === 'none') throw noneAlone;
    return changed(ctx, member, given, await grant(ctx, member, given));
  },
});

export const memberRemove = defineCommand({
  name: 'member remove',
  group: 'people',
  summary: "Takes somebody's role away",
  details: [whoGives, 'What a channel gives its members is not touched; `bind <project> role=none` takes that back.'],
  permission: 'member.manage',
  action: 'take roles away',
  about,
  unbound: 'with-role',
  positional: { person },
  options: placeOptions,
  examples: [
    ['member remove @gus', 'Gus has no role of his own any more'],
    ['member remove @gus project=web', 'what Gus is about `web` follows from the rest again'],
  ],
  async run(ctx, args) {
    const place = await placeOf(ctx, args, 'member remove @gus project=web');
    const member = await namedPerson(ctx, args.person, 'member remove @gus');
    if (place !== undefined) return atPlace(ctx, place, member, undefined);
    const taken = await grant(ctx, member, undefined);
    if (!taken) return said('person', [plain(`${member.name} has no role of their own.`)]);
    const left =
      ctx.channel.defaultRole === undefined
        ? ''
        : ` As a member of this channel they are ${isWords({ ...ctx.channel, role: ctx.channel.defaultRole })} here.`;
    return said('all', [await personSpan(ctx, member), plain(` has no role of their own any more.${left}`)]);
  },
});

async function changed(
  ctx: CommandContext,
  member: Parameters<typeof personSpan>[1],
  to: AnyRole,
  isNew: boolean,
): Promise<Reply> {
  const is = isWords(givenWith(to));
  if (!isNew) return said('person', [plain(`${member.name} is ${is} already.`)]);
  const powersOf = typeof to === 'string' ? powers[to] : mayWords(to);
  return said('all', [await personSpan(ctx, member), ...marked(` is ${is} now: ${powersOf}.`)]);
}

function said(audience: Reply['audience'], spans: Span[]): Reply {
  return { view: withFallback([{ type: 'text', spans }]), audience };
}
