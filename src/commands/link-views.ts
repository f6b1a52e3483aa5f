import { type LinkPair, linkLifeMs, type SideFacts } from '../access/link.ts';
import { isWords } from '../access/not-allowed.ts';
import { type Given, together } from '../contracts/permissions.ts';
import { platformNames } from '../contracts/platform.ts';
import { encodePress, type LinkVerb } from '../contracts/press.ts';
import { type Button, bold, code, plain, type Span, type View } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { oneLine } from '../delivery/neutralise.ts';

const minutes = linkLifeMs / 60_000;

/** The code, for the eyes of one person. */
export function codeView(text: string): View {
  return withFallback([
    { type: 'text', spans: [plain('Your code: '), code(text)] },
    {
      type: 'text',
      spans: marked(
        `Send \`link ${text}\` to Deckhand from your account on the other platform, within ${minutes} minutes. The code works once, and nothing is joined before both accounts have agreed. Give it to nobody else.`,
      ),
    },
  ]);
}

/** What the account that sent the code back is asked: whose account it would be joined with. */
export function offerView(pair: LinkPair): View {
  return withFallback([
    { type: 'text', spans: [plain('Join this account with '), ...accountSpans(pair.asker), plain('?')] },
    { type: 'text', spans: rightsSpans(pair) },
    {
      type: 'text',
      spans: [
        plain('Agree only when both accounts are yours and you asked for the code '),
        plain(`on ${platformOf(pair.asker)} yourself. `),
        plain('If somebody sent you the code, press Not me.'),
      ],
    },
    { type: 'buttons', buttons: [button(pair, 'agree', 'Both are mine', 'primary'), button(pair, 'refuse', 'Not me', 'danger')] },
  ]);
}

/** What the account that asked for the code is asked last. */
export function confirmView(pair: LinkPair): View {
  return withFallback([
    {
      type: 'text',
      spans: [...accountSpans(pair.other), plain(' has sent your code back and agreed. Join it with this account?')],
    },
    { type: 'text', spans: rightsSpans(pair) },
    {
      type: 'buttons',
      buttons: [button(pair, 'join', 'Join the accounts', 'primary'), button(pair, 'refuse', 'Not me', 'danger')],
    },
  ]);
}

/** Said to the account that agreed while the other side is asked. */
export function agreedView(pair: LinkPair): View {
  return withFallback([
    {
      type: 'text',
      spans: [
        plain('You agreed. '),
        ...accountSpans(pair.asker),
        plain(` is asked now: confirm it there, within ${minutes} minutes.`),
      ],
    },
  ]);
}

/** Said to one side once the accounts are joined. */
export function joinedView(far: SideFacts, own: Given): View {
  const rights = own.role === undefined ? 'Neither has a role of its own.' : `On both you are ${isWords(own)}.`;
  return withFallback([
    {
      type: 'text',
      spans: [
        plain('This account and '),
        ...accountSpans(far),
        plain(` are joined: they are one person in this workspace. ${rights} `),
        ...marked('`who` shows your accounts, `unlink <platform>` splits them again.'),
      ],
    },
  ]);
}

/** Said to one side when the accounts are not joined. `byYou`: this side said no. */
export function refusedView(far: SideFacts, byYou: boolean): View {
  const spans = byYou
    ? [plain('Nothing was joined with '), ...accountSpans(far), plain('. The code is void.')]
    : [...accountSpans(far), plain(' was not joined with this account: the other side said no. The code is void.')];
  return withFallback([{ type: 'text', spans }]);
}

/** Said to one side once the accounts are split. */
export function splitView(far: { name: string; platforms: readonly string[] }, own: Given): View {
  const rights = own.role === undefined ? 'You have no role of your own here.' : `Here you are ${isWords(own)}.`;
  return withFallback([
    {
      type: 'text',
      spans: [
        plain('This account and '),
        bold(oneLine(far.name)),
        plain(` on ${far.platforms.join(' and ')} are two people again. ${rights}`),
      ],
    },
  ]);
}

export function platformOf({ side }: SideFacts): string {
  return platformNames[side.identity.platform];
}

function accountSpans(facts: SideFacts): Span[] {
  return [bold(oneLine(facts.name)), plain(` on ${platformOf(facts)}`)];
}

/** Who brings which rights, and what both have together: never more than one of them has alone. */
function rightsSpans({ asker, other }: LinkPair): Span[] {
  const one = (facts: SideFacts) => [
    ...accountSpans(facts),
    plain(facts.person.role === undefined ? ' has no role of its own' : ` is ${isWords(facts.person)}`),
  ];
  const is = isWords(together([asker.person, other.person]).given);
  const both = is === undefined ? 'joined, neither has one' : `joined, both are ${is}`;
  return [...one(asker), plain(', '), ...one(other), plain(`; ${both}. What one may do, the other may do too.`)];
}

function button({ id }: LinkPair, verb: LinkVerb, label: string, style: Button['style']): Button {
  return { token: encodePress({ kind: 'link', link: id, verb }), label, style };
}
