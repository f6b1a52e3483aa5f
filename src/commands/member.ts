import { aRole } from '../access/not-allowed.ts';
import type { Role } from '../contracts/roles.ts';
import { roleSchema } from '../contracts/roles.ts';
import { plain, type Span } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { required, roleWord } from './arguments.ts';
import { type CommandContext, defineCommand, type Reply } from './command.ts';
import { grant, namedPerson, personSpan, personText } from './member-target.ts';

const person = required({
  hint: '@person',
  about: 'a mention, or the name of somebody who has written here',
  names: 'person',
  schema: personText,
});
const role = required({ hint: 'role', about: 'the role', values: roleSchema.options, schema: roleWord });
const whoGives = 'Maintainers give and take `guest` and `developer`; owners every role.';

const powers: Record<Role, string> = {
  guest: 'may look, and change nothing',
  developer: 'may run, stop and retry commands',
  maintainer: 'may also manage projects, channels and people',
  owner: 'may do everything',
};

export const memberAdd = defineCommand({
  name: 'member add',
  group: 'people',
  summary: 'Gives somebody a role who has none',
  details: [whoGives, 'Roles hold in the whole workspace, on every platform.'],
  role: 'maintainer',
  action: 'give roles',
  unbound: 'with-role',
  positional: { person, role },
  options: {},
  examples: [['member add @ben developer', 'lets Ben run commands']],
  async run(ctx, args) {
    const member = await namedPerson(ctx, args.person, 'member add @ben developer');
    if (member.role !== undefined && member.role !== args.role) {
      return said('person', marked(`${member.name} is ${aRole(member.role)} already. \`member role\` changes that.`));
    }
    return changed(ctx, member, args.role, await grant(ctx, member, args.role));
  },
});

export const memberRole = defineCommand({
  name: 'member role',
  group: 'people',
  summary: "Changes somebody's role",
  details: [whoGives, 'The last owner stays owner.'],
  role: 'maintainer',
  action: 'change roles',
  unbound: 'with-role',
  positional: { person, role },
  options: {},
  examples: [['member role @ben maintainer', 'makes Ben a maintainer']],
  async run(ctx, args) {
    const member = await namedPerson(ctx, args.person, 'member role @ben maintainer');
    return changed(ctx, member, args.role, await grant(ctx, member, args.role));
  },
});

export const memberRemove = defineCommand({
  name: 'member remove',
  group: 'people',
  summary: "Takes somebody's role away",
  details: [whoGives, 'What a channel gives its members is not touched; `bind <project> role=none` takes that back.'],
  role: 'maintainer',
  action: 'take roles away',
  unbound: 'with-role',
  positional: { person },
  options: {},
  examples: [['member remove @gus', 'Gus has no role of his own any more']],
  async run(ctx, args) {
    const member = await namedPerson(ctx, args.person, 'member remove @gus');
    const taken = await grant(ctx, member, undefined);
    if (!taken) return said('person', [plain(`${member.name} has no role of their own.`)]);
    const left =
      ctx.channel.defaultRole === undefined
        ? ''
        : ` As a member of this channel they are ${aRole(ctx.channel.defaultRole)} here.`;
    return said('all', [await personSpan(ctx, member), plain(` has no role of their own any more.${left}`)]);
  },
});

async function changed(ctx: CommandContext, member: Parameters<typeof personSpan>[1], to: Role, isNew: boolean): Promise<Reply> {
  if (!isNew) return said('person', [plain(`${member.name} is ${aRole(to)} already.`)]);
  return said('all', [await personSpan(ctx, member), plain(` is ${aRole(to)} now: ${powers[to]}.`)]);
}

function said(audience: Reply['audience'], spans: Span[]): Reply {
  return { view: withFallback([{ type: 'text', spans }]), audience };
}
