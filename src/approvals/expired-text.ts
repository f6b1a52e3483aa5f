import { duration } from '../delivery/units.ts';

/** Why a request counts as refused that nobody decided on. */
export function expiredText(interaction: { openedAt: Date; expiresAt: Date | null }): string {
  if (interaction.expiresAt === null) return 'Nobody decided, so it counts as no.';
  const waited = duration(interaction.expiresAt.getTime() - interaction.openedAt.getTime());
  return `Nobody decided within ${waited}, so it counts as no.`;
}
