import { rolesFrom } from '../access/not-allowed.ts';
import type { Demand, DemandKind } from '../contracts/demands.ts';
import type { Policy } from '../contracts/policy.ts';
import { code, plain, type Span } from '../contracts/view.ts';
import { shortDuration } from './arguments.ts';

const kindWords: Record<DemandKind, string> = {
  command: 'commands of tasks',
  tool: 'what agents want to do',
  plan: 'plans',
  spend: 'more money',
  push: 'changes that leave',
};

/** What a demand is about: "changes that leave, of files like `infra/**`". */
export function whenSpans({ when }: Demand): Span[] {
  const parts: Span[][] = [
    [plain(when.kind === undefined ? 'everything that is approved' : kindWords[when.kind])],
    ...(when.command === undefined ? [] : [[plain('with the command '), code(when.command)]]),
    ...(when.path === undefined ? [] : [[plain('of files like '), code(when.path)]]),
    ...(when.risk === undefined ? [] : [[plain('with the risk '), code(when.risk)]]),
  ];
  return parts.flatMap((part, at) => (at === 0 ? part : [plain(', '), ...part]));
}

/** What it needs: "2 people must approve, owners decide". */
export function needsText({ needs }: Demand, names: ReadonlyMap<string, string>): string {
  const { role, people = [], teams = [], channels = [], codeowners, notRequester, count, expiresMs, remindMs } = needs;
  const list = (ids: readonly string[]) => ids.map((id) => names.get(id) ?? 'somebody who is gone').join(' or ');
  return [
    ...(count === undefined || count === 1 ? [] : [`${count} people must approve`]),
    ...(role === undefined ? [] : [`${role === 'owner' ? 'owners' : `${role}s and above`} decide`]),
    ...(people.length + teams.length === 0 ? [] : [`only ${list([...people, ...teams])} may`]),
    ...(codeowners === true ? ['an owner of each file must approve, as CODEOWNERS says'] : []),
    ...(channels.length === 0 ? [] : [`in ${list(channels)} only`]),
    ...(notRequester === true ? ['not who asked'] : []),
    ...(expiresMs === undefined ? [] : [`within ${shortDuration(expiresMs)}`]),
    ...(remindMs === undefined ? [] : [`reminder after ${shortDuration(remindMs)}`]),
  ].join(', ');
}

/** What becomes of a request that nobody decides on: "counts as no after 1h". */
export function endText({ waits, expiresMs }: { waits?: true | undefined; expiresMs: number }): string {
  return waits === true ? 'waits until somebody decides' : `counts as no after ${shortDuration(expiresMs)}`;
}

/** What happens before the end: "a reminder after 10m, owners are asked after 30m". */
export function meanwhileText({ waits, expiresMs, remindMs, escalate }: Policy): string {
  const before = (ms: number) => waits === true || ms < expiresMs;
  const parts = [
    ...(before(remindMs) ? [`a reminder after ${shortDuration(remindMs)}`] : []),
    ...(escalate !== undefined && before(escalate.afterMs)
      ? [`${rolesFrom(escalate.to).toLowerCase()} are asked after ${shortDuration(escalate.afterMs)}`]
      : []),
  ];
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}
