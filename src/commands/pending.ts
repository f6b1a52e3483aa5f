import { rolesFrom } from '../access/not-allowed.ts';
import { approvalsNeeded } from '../contracts/policy.ts';
import { encodePress } from '../contracts/press.ts';
import { type Block, bold, plain } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { reveal } from '../delivery/neutralise.ts';
import { coarse } from '../delivery/units.ts';
import { type InteractionRow, pendingInteractions } from '../store/decision-queries.ts';
import { name, optional } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { namesIn } from './named-targets.ts';
import { sightOf } from './subject.ts';
import { commandButton } from './task-lines.ts';
import { scopeOf } from './tasks.ts';

const shown = 5;

export const pending = defineCommand({
  name: 'pending',
  group: 'look',
  summary: 'Lists what waits for a decision, with its buttons',
  details: ['Who may decide is checked at the moment of the press.'],
  permission: 'task.see',
  action: 'see what waits for a decision',
  about: 'project',
  positional: {},
  options: {
    project: optional({ hint: 'name', about: 'only this project; `all` for every one', names: 'project', schema: name }),
  },
  examples: [['pending', 'what waits in the project of this channel']],
  async run(ctx, { project: named }) {
    const scope = await scopeOf(ctx, named);
    const waiting = await pendingInteractions(
      ctx.tx,
      ctx.person.workspace,
      { projects: scope.projects, sight: sightOf(ctx) },
      ctx.deps.now(),
    );
    const more = waiting.length - shown;
    return {
      view: withFallback([
        { type: 'text', spans: [bold(`Waiting for a decision${scope.title} · ${waiting.length}`)] },
        ...(waiting.length === 0 ? [{ type: 'text' as const, spans: marked('Nothing waits for a decision.') }] : []),
        ...(await decisionBlocks(ctx, waiting.slice(0, shown))),
        ...(more > 0 ? [{ type: 'context' as const, spans: [plain(`and ${more} more, once these are decided`)] }] : []),
        { type: 'buttons', buttons: [commandButton('Refresh', `pending${named === undefined ? '' : ` project=${named}`}`)] },
      ]),
      audience: 'asked',
      list: 'shared',
    };
  },
});

/** Each request with the whole command, why it asks and the buttons that decide it. */
export async function decisionBlocks(
  ctx: Pick<CommandContext, 'tx' | 'deps' | 'person'>,
  waiting: readonly InteractionRow[],
): Promise<Block[]> {
  const now = ctx.deps.now();
  const names = await namesIn(ctx, [
    { people: waiting.map(({ requester }) => requester) },
    ...waiting.map(({ approvers }) => approvers),
  ]);
  return waiting.flatMap((one): Block[] => {
    const end = one.expiresAt === null ? 'waits for a decision' : `ends in ${coarse(one.expiresAt.getTime() - now.getTime())}`;
    return [
      {
        type: 'text',
        spans: [
          plain('⏸ '),
          bold(`#${one.task.number}`),
          plain(` · ${one.task.project.name} · asked by ${names.get(one.requester) ?? 'somebody'} · ${end}`),
        ],
      },
      { type: 'code', text: reveal(one.task.command).text },
      { type: 'context', spans: marked(`because ${one.because} · ${decidersText(one.approvers, names)}`) },
      {
        type: 'buttons',
        buttons: [
          { token: encodePress({ kind: 'decide', secret: one.secret, verb: 'approve' }), label: 'Approve', style: 'primary' },
          {
            token: encodePress({ kind: 'decide', secret: one.secret, verb: 'approve_task' }),
            label: 'Approve for this task',
            style: 'default',
          },
          { token: encodePress({ kind: 'decide', secret: one.secret, verb: 'deny' }), label: 'Deny', style: 'danger' },
          { token: encodePress({ kind: 'decide', secret: one.secret, verb: 'details' }), label: 'Details', style: 'default' },
        ],
      },
    ];
  });
}

/** "Developers, maintainers and owners decide", "Ada or Ben decides, but not who asked". */
export function decidersText(approvers: InteractionRow['approvers'], names: ReadonlyMap<string, string>): string {
  const except = `${approvers.notRequester ? ', but not who asked' : ''}${several(approvers)}`;
  const { people, teams = [], among = [], channels, owned = [] } = approvers;
  const list = (ids: readonly string[]) => ids.map((id) => names.get(id) ?? 'somebody who is gone').join(' or ');
  const who =
    people.length + teams.length === 0 ? `${rolesFrom(approvers.role)} decide` : `${list([...people, ...teams])} decides`;
  const both = among.map((one) => `, who is ${list([...one.people, ...one.teams])} too`).join('');
  const owners = owned.length === 0 ? '' : '; owners of the files must approve';
  const where = channels === undefined ? '' : `; it counts in ${list(channels)} only`;
  return `${who}${both}${except}${owners}${where}`;
}

function several(approvers: InteractionRow['approvers']): string {
  const needed = approvalsNeeded(approvers);
  return needed === 1 ? '' : `; ${needed} people must approve`;
}
