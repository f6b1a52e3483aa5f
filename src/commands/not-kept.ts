import { AppError } from '../contracts/errors.ts';
import { duration } from '../delivery/units.ts';

/** A file of a task that was kept for a while and then deleted. */
export function notKept(what: 'log' | 'patch', number: number, keptMs: number): AppError {
  return new AppError('DH-318', { what, number, kept: duration(keptMs) });
}
