import { type AccessBundle, type Among, ceilingOf } from '../contracts/access-bundle.ts';
import { type Permission, permissions } from '../contracts/permissions.ts';
import { type Block, code, plain, type Span } from '../contracts/view.ts';
import type { Channel } from '../store/channels.ts';

/** "at most what developers may, plus `quota.manage`": a built-in role stands for its permissions where all of them are there. */
export function permissionSpans({ permissions: allowed }: Pick<AccessBundle, 'permissions'>): Span[] {
  return allowed === 'all' ? [plain('all that their roles allow')] : [plain('at most '), ...mostSpans(allowed)];
}

function mostSpans(allowed: readonly Permission[]): Span[] {
  const { role = 'guest', extra = [] } = ceilingOf({ permissions: allowed });
  return [plain(`what ${role}s may`), ...extra.flatMap((one, at) => [plain(at === 0 ? ', plus ' : ', '), code(one)])];
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
  const { permissions: allowed } = bundle;
  const most =
    allowed === 'all'
      ? [plain(', which limits what work begun here uses, and not what people may.')]
      : [plain(': nobody may do more here than '), ...mostSpans(allowed), plain('.')];
  const spans = [plain('This channel has the access bundle '), code(bundle.name), ...most];
  return { type: 'context', spans };
}
