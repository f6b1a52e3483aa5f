import { exportLines } from '../audit/export.ts';
import { AppError } from '../contracts/errors.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { bytes, count } from '../delivery/units.ts';
import { redactText } from '../runtime/redact-patterns.ts';
import { recordAudit } from '../store/audit.ts';
import { duration, optional, shortDuration } from './arguments.ts';
import { defineCommand } from './command.ts';
import { visibleProjects } from './subject.ts';

const dayMs = 24 * 60 * 60_000;
/** A message of the outbox holds it until the platform has it. */
const mostBytes = 1024 * 1024;

export const auditExport = defineCommand({
  name: 'audit export',
  group: 'look',
  summary: 'Sends you the audit of this workspace as a file',
  details: [
    'The file has one line of JSON for each line of the audit. `deckhand audit verify FILE` verifies it anywhere.',
    'It comes as a direct message, wherever you ask. Up to 1 MB; `deckhand audit export FILE` on the machine writes more.',
  ],
  permission: 'audit.export',
  action: 'export the audit',
  unbound: 'with-role',
  positional: {},
  options: {
    since: optional({ hint: '7d', about: 'only what happened in this time', schema: duration(60_000, 3650 * dayMs) }),
  },
  examples: [
    ['audit export', 'all that is kept'],
    ['audit export since=7d', 'the last week'],
  ],
  async run(ctx, { since }) {
    const { workspace, user } = ctx.person;
    const from = since === undefined ? undefined : new Date(ctx.deps.now().getTime() - since);
    // As in the list: lines about everything name every project.
    if ((await visibleProjects(ctx)) !== undefined)
      throw new AppError('DH-300', {
        what: 'There are projects that you may not see, and the audit of the workspace is about all of them.',
        instead: 'An owner who sees all projects can export it.',
      });
    let text = '';
    const lines = await exportLines(ctx.tx.db, workspace, { since: from }, (more) => {
      text += more;
      if (Buffer.byteLength(text) > mostBytes)
        throw new AppError('DH-300', {
          what: `The audit${since === undefined ? '' : ` of the last ${shortDuration(since)}`} is larger than ${bytes(mostBytes)}, which is too much for a message.`,
          instead:
            'A shorter time is smaller: `audit export since=1d`. On the machine `deckhand audit export FILE` writes all of it.',
        });
    });
    if (lines === undefined) throw new AppError('DH-300', { what: 'Nothing is chained yet.', instead: 'Ask again in a minute.' });
    if (redactText(text, []) !== text)
      throw new AppError('DH-300', {
        what: 'Something in it reads like a secret, such as a key that somebody typed, and secrets are not sent to chats.',
        instead: '`deckhand audit export FILE` on the machine writes all of it.',
      });
    await recordAudit(ctx.tx, {
      workspace,
      actor: user,
      action: 'audit.exported',
      subject: workspace,
      data: { lines, from: 'chat', ...(since === undefined ? {} : { since: shortDuration(since) }) },
    });
    const name = `audit-${ctx.deps.now().toISOString().slice(0, 10)}.jsonl`;
    return {
      view: {
        ...withFallback([
          {
            type: 'text',
            spans: marked(
              `${count(lines, 'line')} of the audit, sent to you alone as \`${name}\`. \`deckhand audit verify ${name}\` verifies it anywhere.`,
            ),
          },
        ]),
        files: [{ from: 'text', name, text, exact: true }],
      },
      audience: 'person',
    };
  },
});
