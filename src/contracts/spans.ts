import type { Block, Span, Tone } from './view.ts';

const toneMarks: Record<Tone, string> = { neutral: '', active: '●', waiting: '⏸', good: '✔', bad: '✖', muted: '○' };

/** What stands before a step. */
export const stepMarks = { done: '✔', active: '▸', open: '○', failed: '✖', skipped: '–' } as const;

/** The state at the end of a title, with the mark of its tone unless it brings one; undefined where there is none to show. */
export function markedState({ state }: Extract<Block, { type: 'title' }>): string | undefined {
  if (state === undefined || state.text === '') return undefined;
  const mark = toneMarks[state.tone];
  return mark === '' || /^[●⏸✔✖○▸]/.test(state.text) ? state.text : `${mark} ${state.text}`;
}

/** A character as it stands in the address of a link where it must not stand itself. */
export function percent(character: string): string {
  return [...new TextEncoder().encode(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

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
