import { z } from 'zod';
import { type AnyRole, nameOf } from '../contracts/custom-roles.ts';
import { AppError } from '../contracts/errors.ts';
import { textView } from '../delivery/list-view.ts';
import { isId } from '../runtime/ids.ts';
import { recordAudit } from '../store/audit.ts';
import { bindChannel, channelById, customDefault } from '../store/channels.ts';
import { name, optional, required } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { endForeignMirrors } from './mirror-end.ts';
import { channelRoles, roleForChannel, roleOption } from './role-argument.ts';
import { namedProject, personFor } from './subject.ts';

const need = { command: 'bind', permission: 'channel.manage', action: 'bind channels' } as const;

export const bind = defineCommand({
  name: 'bind',
  group: 'setup',
  summary: 'Binds this channel to a project, so that commands here run in it',
  details: [
    'With `role` the members of the channel who have no role of their own get one here, for this project. `guest` may look, `developer` may run commands.',
    '`bind none` unbinds the channel.',
    'Mirrors of tasks of the project it was bound to before end, unless a maintainer has shared them with `share=on`. Tasks that were started here stay.',
  ],
  permission: need.permission,
  action: need.action,
  about: 'project',
  unbound: 'with-role',
  direct: false,
  positional: {
    project: required({ hint: 'project', about: 'the name of the project, or `none`', names: 'project', schema: name }),
  },
  options: {
    role: roleOption('developer', 'what members without a role of their own may do here', channelRoles),
    in: optional({
      hint: 'channel',
      about: 'another channel than this one, by the id that buttons carry',
      schema: z.string().refine((text) => isId('chn', text), { error: ({ input }) => `\`${input}\` is not a channel.` }),
    }),
  },
  examples: [
    ['bind web', 'commands in this channel run in `web`'],
    ['bind web role=developer', 'and every member of the channel may run them'],
    ['bind none', 'unbinds the channel'],
  ],
  async run(here, args) {
    const ctx = args.in === undefined ? here : { ...here, channel: await otherChannel(here, args.in) };
    const elsewhere = ctx.channel.id !== here.channel.id;
    if (ctx.channel.kind === 'direct') {
      throw new AppError('DH-300', {
        what: 'A direct conversation is bound to no project.',
        instead: 'Name the project in the command, such as `sh project=web npm test`.',
      });
    }
    if (args.project.toLowerCase() === 'none') return unbind(ctx);
    const project = await namedProject(ctx, args.project);
    const own = await personFor(ctx, project.id, need);
    await mayUnbind(ctx, project.id);
    const role = args.role === undefined ? await keptRole(ctx, project.id) : await roleForChannel(ctx, args.role, own);
    await bindChannel(ctx.tx, ctx.channel.id, {
      project: project.id,
      defaultRole: role,
      keepsExternal: ctx.channel.project === project.id,
    });
    const ended = await endForeignMirrors(ctx, ctx.channel.id, project.id);
    await audit(ctx, { project: project.name, role: nameOf(role) });
    const who =
      role === undefined
        ? 'People need a role of their own here.'
        : `Members without a role of their own are ${typeof role === 'string' ? `${role}s` : role.name} here.`;
    return {
      view: textView(
        `${elsewhere ? 'The' : 'This'} channel is bound to \`${project.name}\`. ${who} \`sh <command>\` runs a command, \`help\` shows the rest.${endedWords(ended)}`,
      ),
      audience: elsewhere ? 'person' : 'all',
    };
  },
});

/** What the channel gives already, when it stays bound to the project. */
async function keptRole({ tx, person, channel }: CommandContext, project: string): Promise<AnyRole | undefined> {
  if (channel.project !== project) return undefined;
  return (await customDefault(tx, person.workspace, channel.id)) ?? channel.defaultRole;
}

async function otherChannel(ctx: CommandContext, id: string) {
  const channel = await channelById(ctx.tx, ctx.person.workspace, id);
  if (channel !== undefined) return channel;
  throw new AppError('DH-300', {
    what: 'That channel is not known any more.',
    instead: 'Send `bind` in the channel itself.',
  });
}

/** What the channel is bound to now loses it: that takes the same right there. */
async function mayUnbind(ctx: CommandContext, to: string | undefined): Promise<void> {
  const { project } = ctx.channel;
  if (project !== undefined && project !== to) await personFor(ctx, project, need);
}

async function unbind(ctx: CommandContext) {
  if (ctx.channel.project === undefined) {
    return { view: textView('This channel is bound to no project.'), audience: 'person' as const };
  }
  await mayUnbind(ctx, undefined);
  await bindChannel(ctx.tx, ctx.channel.id, { project: undefined, defaultRole: undefined });
  const ended = await endForeignMirrors(ctx, ctx.channel.id, undefined);
  await audit(ctx, { project: 'none' });
  const text = `This channel is bound to no project any more. Tasks that run go on.${endedWords(ended)}`;
  return { view: textView(text), audience: 'all' as const };
}

function endedWords(mirrors: number): string {
  if (mirrors === 0) return '';
  return mirrors === 1
    ? ' A task of another project that was mirrored here is not followed here any more.'
    : ` ${mirrors} tasks of other projects that were mirrored here are not followed here any more.`;
}

async function audit(ctx: CommandContext, data: { project: string; role?: string }): Promise<void> {
  await recordAudit(ctx.tx, {
    workspace: ctx.person.workspace,
    actor: ctx.person.user,
    action: 'channel.bind',
    subject: ctx.channel.id,
    data: { ...data },
  });
}
