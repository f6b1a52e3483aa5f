import type { Actor, Nobody } from '../access/who-acts.ts';
import type { AppError } from '../contracts/errors.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { calledAs } from '../contracts/permissions.ts';
import { actsVia, recordRefusal } from '../store/audit.ts';
import { installationChain } from '../store/audit-line.ts';
import type { Tx } from '../store/database.ts';
import { workspaceOfTenant } from '../store/workspaces.ts';
import { viaOf } from './act-via.ts';

/** Writes down what somebody was not allowed to do. Mistyped commands are nobody's business. */
export async function auditRefusal(tx: Tx, event: InboundEvent, { person }: Actor, error: AppError): Promise<void> {
  const wanted = wantedBy(event, error);
  if (wanted === undefined) return;
  actsVia(tx, viaOf(event));
  const bundle = error.params.bundle === undefined ? {} : { bundle: String(error.params.bundle) };
  const data = { code: error.code, ...bundle, role: calledAs(person), action: wanted };
  await recordRefusal(tx, { workspace: person.workspace, actor: person.user, action: 'refused', subject: person.user, data });
}

/** Completes "wanted to …": refused for want of a right, of a bound channel, or of what a button stands for. Undefined: nothing was. */
function wantedBy({ type }: InboundEvent, { code, params: { action, what } }: AppError): string | undefined {
  switch (code) {
    case 'DH-202':
    // What an access bundle does not allow.
    case 'DH-248':
    case 'DH-250':
      return String(action ?? what ?? type);
    case 'DH-203':
      return 'work in a channel without a project';
    case 'DH-208':
      // Also with what is of another workspace, which is as what is nowhere.
      return type === 'press' || type === 'form' ? 'use a button of something that is not here, or not any more' : undefined;
    case 'DH-209':
      return 'answer what somebody else was asked';
    default:
      return undefined;
  }
}

/** Writes down an event of an account that no workspace knows: in that which serves the tenant, else in what is of the installation. */
export async function auditNobody(tx: Tx, event: InboundEvent, why: Exclude<Nobody, 'bot'>): Promise<void> {
  const { platform, tenant } = event.conversation;
  const workspace = why === 'unknown_tenant' ? undefined : await workspaceOfTenant(tx, platform, tenant);
  const from = workspace === undefined ? `${platform}/${tenant}` : `${platform}/${tenant}/${event.actor.user}`;
  await recordRefusal(tx, {
    workspace: workspace?.id ?? installationChain,
    action: 'stranger.refused',
    subject: from,
    data: { from, why: strangers[why] },
  });
}

const strangers = {
  unknown_tenant: 'no workspace belongs to it',
  foreign_account: 'the account or the channel belongs to another workspace',
} as const satisfies Record<Exclude<Nobody, 'bot'>, string>;
