import { givenWith } from '../contracts/custom-roles.ts';
import { permissionsOf, rightsOf } from '../contracts/permissions.ts';
import { encodePress } from '../contracts/press.ts';
import { roleSchema } from '../contracts/roles.ts';
import { type Block, bold, plain, type Span } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { customRolesOf, usesOf } from '../store/custom-roles.ts';
import { count, optional } from './arguments.ts';
import { permissionLines } from './bundle-words.ts';
import { defineCommand } from './command.ts';
import { pageBlocks } from './fitting-buttons.ts';
import { powers } from './permission-words.ts';
import { namedRole, roleArgument } from './role-argument.ts';
import { madeOf, usesWords } from './role-words.ts';

const pageSize = 15;

export const roleList = defineCommand({
  name: 'role list',
  group: 'people',
  summary: 'Lists the roles: the built-in ones, and those that owners have made',
  permission: 'task.see',
  action: 'see roles',
  about: 'project',
  unbound: 'with-role',
  positional: {},
  options: { page: optional({ hint: '2', about: 'further ones', schema: count(999) }) },
  examples: [['role list', 'all roles, with what they allow']],
  async run(ctx, args) {
    const page = args.page ?? 1;
    const custom = await customRolesOf(ctx.tx, ctx.person.workspace);
    const last = Math.max(1, Math.ceil(custom.length / pageSize));
    const shown = custom.slice((page - 1) * pageSize, page * pageSize);
    const builtIn = roleSchema.options.flatMap((role, at) => line(role, plain(powers[role]), at));
    const own = shown.flatMap((role, at) => line(role.name, marked(madeOf(role.permissions)), at));
    const names = [...(page === 1 ? roleSchema.options : []), ...shown.map(({ name }) => name)];
    const again = (to: number) => `role list${to === 1 ? '' : ` page=${to}`}`;
    const none = 'Owners have made no other. `role add release-manager with=change.publish,action.approve` makes one.';
    return {
      view: withFallback([
        ...(page === 1
          ? [
              { type: 'text' as const, spans: [bold('Built-in roles')] },
              { type: 'text' as const, spans: builtIn },
            ]
          : []),
        { type: 'text', spans: [bold(`Custom roles · ${custom.length}${last > 1 ? ` · page ${page} of ${last}` : ''}`)] },
        { type: 'text', spans: shown.length > 0 ? own : marked(page > 1 ? 'There are no more.' : none) },
        ...(names.length === 0
          ? []
          : [
              {
                type: 'select' as const,
                token: encodePress({ kind: 'command', text: 'role show' }),
                placeholder: 'Show…',
                options: names.map((name) => ({ value: name, label: name })),
              },
            ]),
        ...pageBlocks({ page, last }, { before: 'Back', after: 'More' }, again),
      ]),
      audience: 'asked',
      list: 'own',
    };
  },
});

export const roleShow = defineCommand({
  name: 'role show',
  group: 'people',
  summary: 'Shows what a role allows, and who has it',
  permission: 'task.see',
  action: 'see roles',
  about: 'project',
  unbound: 'with-role',
  positional: { name: roleArgument('the role', roleSchema.options) },
  options: {},
  examples: [
    ['role show release-manager', 'what it allows, in words, and who has it'],
    ['role show developer', 'what developers may'],
  ],
  async run(ctx, args) {
    const role = await namedRole(ctx, args.name, roleSchema.options);
    if (typeof role === 'string') {
      const blocks: Block[] = [
        { type: 'text', spans: [bold(role), plain(' · built-in role')] },
        { type: 'text', spans: permissionLines(permissionsOf(givenWith(role))) },
        { type: 'context', spans: marked('`who` says who has it.') },
      ];
      return { view: withFallback(blocks), audience: 'asked' };
    }
    const { role: floor = 'guest', extra = [] } = rightsOf(role.permissions);
    const uses = await usesWords(ctx, await usesOf(ctx.tx, role, ctx.deps.now()), 'seen');
    const blocks: Block[] = [
      { type: 'text', spans: [bold(role.name), plain(' · custom role')] },
      {
        type: 'text',
        spans: [
          plain(`All that ${floor}s may${extra.length === 0 ? '.' : ', and besides:'}`),
          ...(extra.length === 0 ? [] : [plain('\n'), ...permissionLines(extra)]),
        ],
      },
      { type: 'fields', items: [{ label: 'in use by', spans: [plain(uses.join('; ') || 'nobody')] }] },
      {
        type: 'context',
        spans: marked(`\`role show ${floor}\` says what ${floor}s may. Owners change it with \`role change\`.`),
      },
    ];
    return { view: withFallback(blocks), audience: 'asked' };
  },
});

function line(name: string, words: Span | Span[], at: number): Span[] {
  return [plain(at === 0 ? '' : '\n'), bold(name), plain(' · '), ...[words].flat()];
}
