import { expect } from 'vitest';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { type Desk, mention, openDesk, type Said, slash } from './desk.ts';
import { offer, offerAgents } from './desk-agent.ts';
import { type DeskPlatform, deskPlatforms, on, openPlatforms } from './desk-platforms.ts';

interface Line {
  /** Undefined: that of the desk. */
  workspace?: string;
  action: string;
  /** Name of the person; null: Deckhand itself. */
  actor: string | null;
  /** Undefined: the person. */
  subject?: string;
  data: object;
  /** Where it was tried. */
  via?: object;
}

/** Something that somebody tries in vain. */
export interface Refusal {
  /** Completes "… is refused". */
  what: string;
  /** Makes what it takes and returns the try, which returns all that people read. */
  given(): Promise<{ attempt(): Promise<string>; line: Line }>;
  says: RegExp;
  /** What does change, so that it is not looked at. */
  but?: string[];
}

export const onEach = (of: (platform: DeskPlatform) => Refusal): Refusal[] => deskPlatforms.map(of);
export const words = (said: readonly Said[]) => said.map(({ text }) => text).join('\n');

/** A desk whose project asks for everything, on all platforms, with a workspace of somebody else beside it. */
export async function openRefusals() {
  const desk = await openDesk();
  const { foreign } = await openPlatforms(desk);
  const runner = await offerAgents(desk, offer('claude'));
  await desk.act(slash('ada', 'settings policy=ask'));
  for (const platform of deskPlatforms) await desk.act(on(platform, slash('ada', 'help'), { foreign: true }));
  await desk.database.db.user.updateMany({ where: { workspaceId: foreign }, data: { role: 'owner' } });
  const { db } = desk.database;
  let made = 0;
  return {
    desk,
    foreign,
    /** It has agents and runs nothing. */
    runner,
    userOf: (name: string) => userOf(desk, name),
    say: async (event: InboundEvent) => words(await desk.act(event)),
    latest: () => latest(desk),
    /** A command of Ben's that waits for an approval. */
    async waiting(command = 'touch file', who: 'ben' | 'ada' = 'ben') {
      made += 1;
      await desk.act(mention(who, `sh ${command}`, { message: `${made}00.000` }));
      return latest(desk);
    },
    /** It is refused with these words and one line of the audit, and nothing else changes. */
    async isRefused({ given, says, but = [] }: Refusal): Promise<void> {
      const { attempt, line } = await given();
      const before = (await facts(desk)) as Record<string, unknown>;
      const seen = (await db.audit.findMany({ select: { id: true } })).map(({ id }) => id);
      expect(await attempt()).toMatch(says);
      const after = (await facts(desk)) as Record<string, unknown>;
      for (const kind of Object.keys(before)) if (!but.includes(kind)) expect(after[kind], kind).toEqual(before[kind]);
      const actor = line.actor === null || line.actor.startsWith('usr_') ? line.actor : await userOf(desk, line.actor);
      const lines = await db.audit.findMany({ where: { id: { notIn: seen }, action: line.action } });
      const {
        workspace = desk.workspace,
        subject = line.action === 'refused' ? actor : expect.any(String),
        data,
        via = {},
      } = line;
      expect(lines).toMatchObject([
        { workspaceId: workspace, actorId: actor, subject, data, ...(Object.keys(via).length === 0 ? {} : { via }) },
      ]);
    },
    /** All that `audit kind=refused` lists. */
    async listed(): Promise<string> {
      const pages: string[] = [];
      for (let page = 1; page < 12; page += 1) pages.push(words(await desk.act(slash('ada', `audit kind=refused page=${page}`))));
      return pages.join('\n');
    },
    [Symbol.asyncDispose]: () => desk[Symbol.asyncDispose](),
  };
}

export type RefusalWorld = Awaited<ReturnType<typeof openRefusals>>;

const userOf = async ({ database, workspace }: Desk, name: string) =>
  (await database.db.user.findFirstOrThrow({ where: { name, workspaceId: workspace, linkedToId: null } })).id;
const latest = ({ database }: Desk) =>
  database.db.interaction.findFirstOrThrow({ where: { state: 'pending' }, orderBy: { id: 'desc' } });

async function facts({ database: { db } }: Desk): Promise<unknown> {
  const by = { orderBy: { id: 'asc' } } as const;
  return {
    tasks: await db.task.findMany({ ...by, select: { id: true, column: true, projectId: true } }),
    runs: await db.run.findMany({ ...by, select: { id: true, state: true } }),
    interactions: await db.interaction.findMany({ ...by, select: { id: true, state: true, approvals: true, consumedBy: true } }),
    publications: await db.publication.count(),
    rules: await db.rule.findMany(by),
    people: await db.user.findMany({ ...by, select: { id: true, role: true } }),
    memberships: await db.membership.findMany(by),
    invites: await db.invite.findMany({ ...by, select: { id: true, usedById: true, revokedAt: true } }),
    sessions: await db.session.findMany({ ...by, select: { id: true, endedAt: true } }),
    tokens: await db.accessToken.findMany({ ...by, select: { id: true, revokedAt: true } }),
  };
}
