import type { Span } from '../contracts/view.ts';

/** A moment of these hours, in the reader's time where the platform can. */
export function moment(at: Date): Span {
  return { type: 'time', at: at.toISOString(), text: `${at.toISOString().slice(11, 16)} UTC` };
}

/** A moment of any day. */
export function dated(at: Date): Extract<Span, { type: 'time' }> {
  return { type: 'time', at: at.toISOString(), text: `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC` };
}

/** A moment of any day, behind "until": never "in 7 days". */
export function deadline(at: Date): Span {
  return { ...dated(at), exact: true };
}

/** A day, behind "until". */
export function lastDay(at: Date): Span {
  return { type: 'time', at: at.toISOString(), text: at.toISOString().slice(0, 10), exact: true };
}
