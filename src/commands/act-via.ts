import type { InboundEvent } from '../contracts/inbound.ts';
import type { Via } from '../store/audit.ts';

/** By which act of which account something was asked for, for the audit. */
export function viaOf(event: InboundEvent): Via {
  const { platform, tenant, channel } = event.conversation;
  return { platform, tenant, account: event.actor.user, channel, act: event.key };
}
