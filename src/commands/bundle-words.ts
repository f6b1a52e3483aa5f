import { type AccessBundle, type Among, ceilingOf } from '../contracts/access-bundle.ts';
import { isWithin, type Permission, permissions, permissionsOf, rightsOf } from '../contracts/permissions.ts';
import { roleSchema } from '../contracts/roles.ts';
import { type Block, code, plain, type Span } from '../contracts/view.ts';
import type { Channel } from '../store/channels.ts';

/** "all that developers may, and `action.approve-as-maintainer`": a built-in role stands for its permissions where all of them are there. */
export function permissionSpans({ permissions: allowed }: Pick<AccessBundle, 'permissions'>): Span[] {
  if (allowed === 'all') return [plain('whatever the people there may')];
  const given = permissionsOf(ceilingOf({ permissions: allowed }));
  const role = roleSchema.options.findLast((one) => isWithin({ role: one }, rightsOf(given)));
  const extra = given.filter((one) => role === undefined || !permissionsOf({ role }).includes(one));
  const base = role === undefined ? [] : [plain(`at most what ${role}s may`)];
  return [
    ...base,
    ...extra.flatMap((one, at) => [plain(at === 0 && base.length > 0 ? ', and ' : at === 0 ? '' : ', '), code(one)]),
  ];
}

/** What each of these permissions lets people do, one line each. */
export function permissionLines(list: readonly Permission[]): Span[] {
  return list.flatMap((one, at) => [plain(at === 0 ? '' : '\n'), code(one), plain(`: ${permissions[one].may}`)]);
}

export function amongSpans(allowed: Among, all: string): Span[] {
  if (allowed === 'all') return [plain(all)];
  if (allowed.length === 0) return [plain('none')];
  return allowed.flatMap((one, at) => [plain(at === 0 ? '' : ', '), code(one)]);
}

/** What a bundle allows, as fields under the names that change it. */
export function bundleFields(bundle: AccessBundle): { label: string; spans: Span[] }[] {
  return [
    { label: 'may', spans: permissionSpans(bundle) },
    { label: 'agents', spans: amongSpans(bundle.agents, 'all') },
    { label: 'accounts', spans: amongSpans(bundle.accounts, 'all that there are') },
    { label: 'hosts', spans: amongSpans(bundle.hosts, 'all that the project allows') },
  ];
}

/** What the access bundle of a channel means for what was said about people; undefined: it has none. */
export function bundleNote({ bundle }: Pick<Channel, 'bundle'>): Block | undefined {
  if (bundle === undefined) return undefined;
  const spans = [
    plain('This channel has the access bundle '),
    code(bundle.name),
    plain(': whoever acts here may '),
    ...permissionSpans(bundle),
    plain(', and only what their own role allows as well.'),
  ];
  return { type: 'context', spans };
}
