import type { Capabilities } from '../contracts/chat-adapter.ts';
import type { Block, Span } from '../contracts/view.ts';
import { plainText, stepLine, tableText } from './plain-text.ts';

/** Lengths as one platform counts them, after its escaping. Never too small: marks and markup are counted generously. */
export interface Measure {
  text(text: string): number;
  span(span: Span): number;
  spans(spans: readonly Span[]): number;
  block(block: Block): number;
  /** The longest start of `text` that is no longer than `limit`, as an index between two code points. */
  fill(text: string, limit: number): number;
}

/** Opening and closing fence with their line ends. */
export const fenceLength = 8;
const styleLength = 2;

export function createMeasure({ unit, escapes }: Capabilities['text']): Measure {
  const grown = new Map(Object.entries(escapes ?? {}));
  const plainUnits = unit === 'utf16' && grown.size === 0;

  function cost(character: string): number {
    return grown.get(character) ?? (unit === 'utf16' ? character.length : 1);
  }

  function text(value: string): number {
    if (plainUnits) return value.length;
    let length = 0;
    for (const character of value) length += cost(character);
    return length;
  }

  function span(value: Span): number {
    switch (value.type) {
      case 'text':
        return text(value.text) + 2 * styleLength * (value.style?.length ?? 0);
      case 'link':
        return text(value.text) + text(value.url) + 5;
      case 'person':
        return text(value.name) + (value.user?.length ?? 0) + 5;
      case 'time':
        return text(value.text) + 40;
    }
  }

  function spans(values: readonly Span[]): number {
    return values.reduce((sum, value) => sum + span(value), 0);
  }

  function block(value: Block): number {
    switch (value.type) {
      case 'title':
        return spans(value.spans) + (value.state === undefined ? 0 : text(value.state.text) + 5) + 2 * styleLength;
      case 'text':
      case 'context':
        return spans(value.spans);
      case 'code':
        return codeLength(value.text) + fenceLength + (value.language?.length ?? 0);
      case 'steps':
        return value.items.reduce((sum, item) => sum + text(stepLine(item)) + 2 * styleLength + 1, 0);
      case 'fields':
        return value.items.reduce((sum, item) => sum + text(item.label) + spans(item.spans) + 2 * styleLength + 3, 0);
      case 'table':
        return codeLength(tableText(value)) + fenceLength;
      case 'buttons':
      case 'select':
      case 'divider':
        return text(plainText(value));
    }
  }

  /** Inside a fence a backtick needs care on every platform. */
  function codeLength(value: string): number {
    let ticks = 0;
    for (let at = value.indexOf('`'); at >= 0; at = value.indexOf('`', at + 1)) ticks += 1;
    return text(value) + ticks;
  }

  function fill(value: string, limit: number): number {
    if (plainUnits && value.length <= limit) return value.length;
    let length = 0;
    let end = 0;
    for (const character of value) {
      length += cost(character);
      if (length > limit) break;
      end += character.length;
    }
    return end;
  }

  return { text, span, spans, block, fill };
}

/** The measure of a fenced block's content: backticks count twice. */
export function inFence(limits: Capabilities['text']): Measure {
  const tick = (limits.escapes?.['`'] ?? 1) + 1;
  return createMeasure({ ...limits, escapes: { ...limits.escapes, '`': tick } });
}
