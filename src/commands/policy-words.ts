import type { Demand, DemandKind } from '../contracts/demands.ts';
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
  const { role, people, notRequester, count, expiresMs, remindMs } = needs;
  return [
    ...(count === undefined || count === 1 ? [] : [`${count} people must approve`]),
    ...(role === undefined ? [] : [`${role === 'owner' ? 'owners' : `${role}s and above`} decide`]),
    ...(people === undefined || people.length === 0
      ? []
      : [`only ${people.map((user) => names.get(user) ?? 'somebody who is gone').join(' or ')} may`]),
    ...(notRequester === true ? ['not who asked'] : []),
    ...(expiresMs === undefined ? [] : [`within ${shortDuration(expiresMs)}`]),
    ...(remindMs === undefined ? [] : [`reminder after ${shortDuration(remindMs)}`]),
  ].join(', ');
}
