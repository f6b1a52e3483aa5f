import { hostFits } from '../contracts/hosts.ts';
import type { Block, Span, View } from '../contracts/view.ts';

/**
 * Makes links of the addresses in a card whose hosts the project names (`settings links=`). Every other address stays words that nothing
 * can be made of by a tap: whoever got an agent to write it decides where it leads (promise 11). What is shown is always the whole address.
 */
export function withAllowedLinks(view: View, hosts: readonly string[]): View {
  if (hosts.length === 0) return view;
  return { ...view, blocks: view.blocks.map((block) => linked(block, hosts)) };
}

function linked(block: Block, hosts: readonly string[]): Block {
  if (block.type !== 'text' && block.type !== 'context') return block;
  const spans = block.spans.flatMap((span) => linkedSpan(span, hosts));
  return { ...block, spans };
}

/** Up to what cannot be part of an address, or usually is not: quotes, brackets and what hides a second address behind the first. */
const address = /https:\/\/[!#$%&+,./0-9:;=?@A-Z_a-z~-]+/g;
/** What ends a sentence rather than an address. */
const ending = /[!,.:;?]+$/;

function linkedSpan(span: Span, hosts: readonly string[]): Span[] {
  if (span.type !== 'text' || (span.style ?? []).includes('code')) return [span];
  const spans: Span[] = [];
  let at = 0;
  for (const found of span.text.matchAll(address)) {
    const url = found[0].replace(ending, '');
    // What goes on right behind it would be part of the address that a person reads, and not of the link.
    const goesOn = /^[\p{L}\p{N}\\|([{*^`]/u.test(span.text.slice(found.index + url.length));
    if (goesOn || !isAllowed(url, hosts)) continue;
    if (found.index > at) spans.push({ ...span, text: span.text.slice(at, found.index) });
    spans.push({ type: 'link', url, text: url });
    at = found.index + url.length;
  }
  if (at === 0) return [span];
  if (at < span.text.length) spans.push({ ...span, text: span.text.slice(at) });
  return spans;
}

/** Only plain addresses: no port, no user, and exactly what it reads as. */
function isAllowed(url: string, hosts: readonly string[]): boolean {
  const read = URL.parse(url);
  if (read === null || read.protocol !== 'https:' || read.port !== '' || read.username !== '' || read.password !== '')
    return false;
  const written = /^https:\/\/([^/?#]*)/.exec(url)?.[1]?.toLowerCase();
  return written === read.hostname && hosts.some((entry) => hostFits(entry, read.hostname));
}
