import type { Turn } from './port.ts';

/** What commands of an agent find in their environment, however it was started. */
export function commandVariables({ run, taskNumber, gateway }: Turn): Record<string, string> {
  return { ...gateway.proxyEnv, DECKHAND_TASK: String(taskNumber), DECKHAND_RUN: run };
}
