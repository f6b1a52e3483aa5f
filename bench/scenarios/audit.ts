import { join } from 'node:path';
import { type AuditEntry, recordAudit, recordRefusal } from '../../src/store/audit.ts';
import type { Tx } from '../../src/store/database.ts';
import { migrate } from '../../src/store/migrate.ts';
import { openEngine, startPostgres } from '../engine.ts';
import { durations } from '../figures.ts';
import type { Scenario } from './scenario.ts';

const lines = 1_000_000;
const lately = 5000;
const refused = 200;

/** What a refusal costs where much is written down. */
export const audit: Scenario = {
  name: 'audit',
  about: `${lines.toLocaleString('en-US')} lines of the audit of a workspace, ${lately.toLocaleString('en-US')} of them of the last minute: writing that something was refused`,
  async run(site) {
    const url = await startPostgres(site, join(site.dir, 'data'));
    await migrate({ url });
    const { database } = await openEngine(site, url);
    const { db } = database;
    site.say('filling the audit');
    // Half of what came lately are refusals of one person who tries a lot, the rest of all others.
    await db.$executeRaw`
      INSERT INTO "Audit" ("id", "workspaceId", "at", "actorId", "action", "subject", "data")
      SELECT 'aud_' || n, 'wsp_busy', now() - CASE WHEN n <= ${lately} THEN interval '20 seconds' ELSE n * interval '1 second' END,
        'usr_' || n % CASE WHEN n <= ${lately} THEN 100 ELSE 1000 END, CASE WHEN n % 2 = 0 THEN 'refused' ELSE 'task.run' END, 'usr_' || n % 1000,
        jsonb_build_object('code', 'DH-202', 'role', 'developer', 'action', 'do number ' || n)
      FROM generate_series(1, ${lines}) n`;
    await db.$executeRawUnsafe('VACUUM ANALYZE "Audit"');
    const times = async (write: (tx: Tx, line: AuditEntry) => Promise<void>): Promise<number[]> => {
      const ms: number[] = [];
      for (let at = 0; at < refused; at += 1) {
        const data = { code: 'DH-202', role: 'developer', action: `something new, number ${at}` };
        const actor = `usr_${at % 100}`;
        const line = { workspace: 'wsp_busy', actor, action: 'refused', subject: actor, data };
        const since = performance.now();
        await database.transaction((tx) => write(tx, line));
        ms.push(performance.now() - since);
      }
      return ms;
    };
    const written = await times(recordAudit);
    const asked = await times(recordRefusal);
    return {
      figures: [...durations('a line of the audit', written), ...durations('a refusal that is looked up first', asked)],
      notes: [],
      broken: [],
    };
  },
};
