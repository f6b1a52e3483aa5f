import { approvalsNeeded, type Policy } from '../contracts/policy.ts';

const numbers: Record<number, string> = { 2: 'Two', 3: 'Three', 4: 'Four', 5: 'Five' };

/** What else must hold for a "yes", to follow who can decide: " Two of them must approve. The requester cannot." */
export function conditions(approvers: Policy['approvers']): string {
  const needed = approvalsNeeded(approvers);
  const several = needed > 1 ? ` ${numbers[needed] ?? needed} of them must approve.` : '';
  return `${several}${approvers.notRequester ? ' The requester cannot.' : ''}`;
}

/** "One more person must approve." `owners`: which owners of files must, as a text of its own. */
export function moreNeeded(missing: number, owners = ''): string {
  if (missing === 0) return owners.trim();
  return `${peopleNeeded(missing)}${owners}`;
}

function peopleNeeded(missing: number): string {
  return missing === 1 ? 'One more person must approve.' : `${numbers[missing] ?? missing} more people must approve.`;
}
