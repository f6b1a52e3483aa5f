import { aRole } from '../access/not-allowed.ts';
import { acceptWithinMs, confirmWithinMs, type Transfer } from '../access/owner-transfer.ts';
import { encodePress, type TransferVerb } from '../contracts/press.ts';
import { type Button, bold, plain, type Span, type View } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { oneLine } from '../delivery/neutralise.ts';

/** What the owner is asked before anybody else hears of it. */
export function confirmTransferView(transfer: Transfer): View {
  return view(
    [plain('Hand the ownership of this workspace over to '), name(transfer.heir), plain('?')],
    [
      plain('They may then do everything, also take every role from you. '),
      ...keeps(transfer, 'You are'),
      ...marked(' Whoever `DECKHAND_OWNERS` names becomes owner again at the next start.'),
    ],
    [button(transfer, 'confirm', 'Hand over', 'danger'), button(transfer, 'withdraw', 'Cancel')],
    `This question is open for ${confirmWithinMs / 60_000} minutes. They have to accept before anything changes.`,
  );
}

/** What the owner reads while the other is asked. */
export function waitingTransferView(transfer: Transfer): View {
  return view(
    [
      name(transfer.heir),
      plain(` is asked to take the ownership over, within ${acceptWithinMs / 3_600_000} hours. Until then you are the owner.`),
    ],
    undefined,
    [button(transfer, 'withdraw', 'Withdraw')],
  );
}

/** What the other is asked. */
export function acceptTransferView(transfer: Transfer): View {
  return view(
    [name(transfer.owner), plain(' wants to hand the ownership of this Deckhand workspace over to you.')],
    [
      plain('An owner may do everything: give and take roles, change policies, use every account of agents. '),
      ...keeps(transfer, `${oneLine(transfer.owner.name)} is`),
    ],
    [button(transfer, 'accept', 'Become the owner', 'primary'), button(transfer, 'decline', 'Decline')],
    `This question is open for ${acceptWithinMs / 3_600_000} hours.`,
  );
}

/** What became of it, for both. */
export function endedTransferView(transfer: Transfer, result: 'accepted' | 'declined' | 'withdrawn'): View {
  const { owner, heir } = transfer;
  if (result === 'accepted')
    return view([name(heir), plain(' is the owner now. '), ...keeps(transfer, `${oneLine(owner.name)} is`, 'now')]);
  const who = result === 'declined' ? heir : owner;
  return view([
    name(who),
    plain(result === 'declined' ? ' has declined. ' : ' has taken the offer back. '),
    name(owner),
    plain(' stays the owner.'),
  ]);
}

function keeps({ keeps: role }: Transfer, who: string, when = 'afterwards'): Span[] {
  return [plain(`${who} ${role === undefined ? 'without a role' : aRole(role)} ${when}.`)];
}

function name({ name: text }: { name: string }): Span {
  return bold(oneLine(text));
}

function button({ id }: Transfer, verb: TransferVerb, label: string, style: Button['style'] = 'default'): Button {
  return { token: encodePress({ kind: 'transfer', transfer: id, verb }), label, style };
}

function view(first: Span[], second?: Span[], buttons?: Button[], note?: string): View {
  return withFallback([
    { type: 'text', spans: first },
    ...(second === undefined ? [] : [{ type: 'text' as const, spans: second }]),
    ...(buttons === undefined ? [] : [{ type: 'buttons' as const, buttons }]),
    ...(note === undefined ? [] : [{ type: 'context' as const, spans: [plain(note)] }]),
  ]);
}
