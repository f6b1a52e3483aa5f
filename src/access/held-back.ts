import type { PlaceLimit } from '../contracts/access-bundle.ts';
import { AppError } from '../contracts/errors.ts';

/** The refusal of somebody whom only the access bundle of the channel keeps from it: "Ada may …, but not from #support". */
export function heldBack(who: string, { bundle, place }: PlaceLimit, action: string): AppError {
  return new AppError('DH-248', { who, action, place, bundle });
}
