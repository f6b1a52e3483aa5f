import { type Platform, platformNames } from '../contracts/platform.ts';
import type { InteractionState } from '../contracts/states.ts';
import { duration } from '../delivery/units.ts';
import type { Tx } from '../store/database.ts';
import type { InteractionRecord } from '../store/interactions.ts';
import { idsOf } from '../store/linked-people.ts';
import { personById } from '../store/people.ts';
import type { Person } from '../tasks/task-engine.ts';
import { expiredText } from './expired-text.ts';

/** Who settled it, when and where: "Ben approved it 2m 5s ago on Slack." */
export async function settledText(tx: Tx, interaction: InteractionRecord, by: Person, now: Date): Promise<string> {
  const { state, decidedAt, decidedBy, decidedOn, reason, choice } = interaction;
  const person = decidedBy === null ? undefined : await personById(tx, interaction.workspace, decidedBy);
  const who = decidedBy !== null && idsOf(by).includes(decidedBy) ? 'You' : (person?.name ?? 'Somebody');
  const when = decidedAt === null ? '' : ` ${duration(now.getTime() - decidedAt.getTime())} ago`;
  const where = decidedOn === null ? '' : ` on ${platformNames[decidedOn as Platform] ?? decidedOn}`;
  const no = choice === 'revise' ? 'asked for another plan' : 'denied it';
  const publish = interaction.action.type === 'publish';
  const texts: Record<InteractionState, string> = {
    pending: 'It waits for a decision.',
    approved: `${who} approved it${when}${where}.`,
    denied: `${who} ${no}${when}${where}${reason === null ? '.' : `: ${reason}`}`,
    answered: `${who} answered it${when}${where}.`,
    expired: expiredText(interaction),
    superseded: publish
      ? 'The task has gone on since, so this is not its newest change.'
      : 'What would run has changed since, so it was asked anew.',
    cancelled:
      interaction.action.type === 'quota'
        ? 'The quota was free again, or its run ended, before anybody decided.'
        : publish
          ? 'The change was discarded before anybody decided.'
          : interaction.ask === null
            ? 'The run ended before anybody decided.'
            : 'The agent did not need it any more, or its run ended, before anybody decided.',
  };
  return texts[state];
}
