import { seedLab } from '../../src/access/first-start.ts';
import type { Affiliation } from '../../src/contracts/affiliation.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { newId } from '../../src/runtime/ids.ts';
import { accounts, type Desk } from './desk.ts';

/** Platforms on which the people of a desk can act. */
export const deskPlatforms = ['slack', 'telegram', 'discord'] as const;
export type DeskPlatform = (typeof deskPlatforms)[number];

interface Place {
  tenant: string;
  channel: string;
  /** A tenant of another workspace, in which Ada's account is that of its owner. */
  foreign: string;
  /** What the platform says of somebody who is in the channel and not of the workspace. */
  outsider: Affiliation;
}

export const deskPlaces: Record<DeskPlatform, Place> = {
  slack: { tenant: 'T1', channel: 'CDEMO', foreign: 'T2', outsider: { kind: 'organisation', organisation: 'Initech' } },
  telegram: { tenant: '777', channel: '-100777', foreign: '778', outsider: { kind: 'newcomer' } },
  discord: { tenant: '900', channel: '9001', foreign: '901', outsider: { kind: 'newcomer' } },
};

const number = new Map(Object.values(accounts).map((user, at) => [user as string, String(101 + at)]));
const accountOn = (platform: DeskPlatform, user: string) => (platform === 'slack' ? user : (number.get(user) ?? user));

/** The same event as it would come from that platform. `foreign`: from a tenant of another workspace. */
export function on(platform: DeskPlatform, event: InboundEvent, { foreign = false, outside = false } = {}): InboundEvent {
  const { tenant, channel, foreign: elsewhere, outsider } = deskPlaces[platform];
  const { conversation, actor } = event;
  const direct = conversation.kind === 'direct';
  const user = accountOn(platform, actor.user);
  return {
    ...event,
    key: `${platform}:${event.key}`,
    conversation: {
      ...conversation,
      platform,
      tenant: foreign ? elsewhere : tenant,
      channel: direct ? `D${user}` : conversation.channel === 'CDEMO' ? channel : conversation.channel,
    },
    actor: { ...actor, user, ...(outside ? { affiliation: outsider } : {}) },
  };
}

/** Lets the people of the desk act on all platforms, each as one person, and makes another workspace whose owner is Ada's account there. */
export async function openPlatforms(desk: Desk): Promise<{ foreign: string }> {
  const { database } = desk;
  const people = [
    [accounts.ada, 'Ada', 'owner'],
    [accounts.mia, 'Mia', 'maintainer'],
    [accounts.ben, 'Ben', 'developer'],
    [accounts.gus, 'Gus', 'guest'],
  ] as const;
  for (const platform of ['telegram', 'discord'] as const) {
    const { tenant, channel } = deskPlaces[platform];
    await database.transaction((tx) =>
      seedLab(tx, {
        tenant: { platform, tenant, name: 'Acme', botUser: 'BOT' },
        people: people.map(([user, name, role]) => ({
          user: accountOn(platform, user),
          name,
          role,
          also: { platform: 'slack', tenant: 'T1', user },
        })),
        project: { name: 'demo', source: { kind: 'path', path: '/srv/demo' } },
        channel: { id: channel, name: 'demo', defaultRole: undefined },
      }),
    );
  }
  const foreign = newId('wsp');
  await database.db.workspace.create({ data: { id: foreign, name: 'Other' } });
  for (const platform of deskPlatforms) {
    const tenant = deskPlaces[platform].foreign;
    await database.db.tenant.create({ data: { platform, tenant, name: 'Other', botUser: 'B', workspaceId: foreign } });
  }
  return { foreign };
}
