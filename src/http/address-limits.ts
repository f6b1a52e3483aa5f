import { AppError } from '../contracts/errors.ts';
import { createBadTokens } from './bad-tokens.ts';

/** Lets each address do something so often in a minute. */
export interface AddressLimits {
  /** Counts one; throws DH-225 when the address has had enough. */
  take(address: string): void;
  /** Throws DH-225 when the address has had enough; counts nothing. */
  check(address: string): void;
  /** Counts one. */
  note(address: string): void;
}

/** `what`: a sentence that says what there is too much of. */
export function createAddressLimits(what: string): AddressLimits {
  const windows = createBadTokens(() => performance.now());
  const check = (address: string) => {
    const seconds = windows.wait(address);
    if (seconds !== undefined) throw new AppError('DH-225', { what, seconds });
  };
  return {
    check,
    note: (address) => windows.note(address),
    take(address) {
      check(address);
      windows.note(address);
    },
  };
}
