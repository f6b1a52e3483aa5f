import type { Span } from './view.ts';

/** The same in bold. */
export function strong(span: Span): Span {
  return span.type === 'text' ? { ...span, style: [...new Set([...(span.style ?? []), 'bold' as const])] } : span;
}

/** Neighbouring texts of one style as one span. */
export function joined(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const span of spans) {
    const last = result.at(-1);
    if (span.type === 'text' && last?.type === 'text' && styleOf(span) === styleOf(last)) {
      result[result.length - 1] = { ...last, text: last.text + span.text };
    } else result.push(span);
  }
  return result;
}

function styleOf(span: Extract<Span, { type: 'text' }>): string {
  return [...(span.style ?? [])].sort().join();
}
