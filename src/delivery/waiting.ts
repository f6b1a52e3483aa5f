import type { Capabilities, Operation } from '../contracts/chat-adapter.ts';
import { type Priority, priorities } from '../contracts/outbox.ts';
import type { Conversation } from '../contracts/platform.ts';
import type { WaitingRow } from '../store/outbox-rows.ts';
import type { Call, Ledger } from './budget.ts';
import { directName } from './delivery.ts';
import type { Turn } from './turns.ts';

/** A row that waits for its turn. */
export interface RowTurn extends Turn {
  row: WaitingRow;
  /** When it is of no use any more; undefined: never. */
  expiresAt: number | undefined;
}

const minute = 60_000;
/** One-shot answers that come later than this say nothing anybody still waits for. */
const lives: Partial<Record<WaitingRow['payloadType'], number>> = {
  ephemeral: 15 * minute,
  reaction: 15 * minute,
  removal: 24 * 60 * minute,
  direct: 24 * 60 * minute,
};

/**
 * The turn of a row. `now`: monotonic. `settleMs`: an attempt of another process that is younger may still be under way. Undefined while
 * the row waits for its thread to be opened.
 */
export function turnOf(
  row: WaitingRow,
  at: {
    now: number;
    settleMs: number;
    capabilities: Capabilities;
    ledger: Ledger;
    directs: ReadonlyMap<string, Conversation>;
  },
): RowTurn | undefined {
  const inThread = row.payloadType === 'message' || row.payloadType === 'files';
  if (inThread && row.threadId !== undefined && row.thread === undefined && !row.anchor && row.externalId === undefined)
    return undefined;
  const guided = row.payloadType === 'form' && at.capabilities.forms === 'guided';
  const life = guided ? undefined : (row.expiresInMs ?? lifeLeft(row));
  const settling = row.attemptedAt === undefined ? 0 : Math.max(0, at.settleMs - (row.attemptAgeMs ?? 0));
  return {
    row,
    since: at.now - row.waitingMs,
    priority: priorityOf(row),
    urgent: row.payloadType === 'form',
    call: firstCall(row, at.capabilities, at.directs),
    ledger: at.ledger,
    notBefore: at.now + Math.max(row.dueInMs, settling),
    lane: laneOfRow(row),
    place: row.id,
    group: groupOf(row),
    expiresAt: life === undefined ? undefined : at.now + life,
  };
}

export function groupOf(row: WaitingRow): string {
  return `${row.platform}|${row.tenant}`;
}

function lifeLeft(row: WaitingRow): number | undefined {
  // What has arrived is edited to what is true, however late.
  const life = row.payloadType === 'direct' && row.externalId !== undefined ? undefined : lives[row.payloadType];
  return life === undefined ? undefined : Math.max(0, life - row.ageMs);
}

function priorityOf(row: WaitingRow): Priority {
  return row.payloadType === 'form' ? priorities.decision : row.priority;
}

/** New messages of one thread go out in the order they were put; edits need no order. Receipts on one message keep theirs. */
function laneOfRow(row: WaitingRow): string | undefined {
  const place = `${row.platform}|${row.tenant}|`;
  switch (row.payloadType) {
    case 'message':
    case 'files':
      if (row.externalId !== undefined) return undefined;
      return row.threadId === undefined ? `${place}${row.channel}|${row.thread ?? ''}` : `thread|${row.threadId}`;
    case 'direct':
      return `${place}direct|${row.user}`;
    case 'reaction':
      return `${place}${row.channel}|on|${row.about}`;
    case 'ephemeral':
    case 'form':
    case 'home':
    case 'removal':
      return undefined;
  }
}

/** The platform call a row begins with. */
export function firstCall(row: WaitingRow, capabilities: Capabilities, directs: ReadonlyMap<string, Conversation>): Call {
  const { tenant, channel: conversation } = row;
  switch (row.payloadType) {
    case 'message':
      return row.externalId === undefined
        ? { operation: 'send', tenant, conversation, opens: row.opens !== undefined }
        : { operation: 'edit', tenant, conversation, message: row.externalId };
    case 'ephemeral':
      if (capabilities.ephemeral) return { operation: 'ephemeral', tenant, conversation };
      return directCall(row, directs);
    case 'direct':
      return directCall(row, directs);
    case 'files':
      return { operation: 'upload', tenant, conversation };
    case 'form':
      return { operation: 'form', tenant, conversation };
    case 'reaction':
      return { operation: 'react', tenant, conversation, message: row.about };
    case 'removal':
      return { operation: 'remove', tenant, conversation, message: row.about };
    case 'home':
      return { operation: 'home', tenant, conversation: row.user ?? conversation };
  }
}

function directCall({ tenant, user = '' }: WaitingRow, directs: ReadonlyMap<string, Conversation>): Call {
  const known = directs.get(directName(tenant, user));
  return known === undefined
    ? { operation: 'direct', tenant, conversation: user }
    : { operation: 'send', tenant, conversation: known.channel };
}

/** Which call a noted slot stands for; undefined: the first one of its kind of row. */
export function attemptedOperation({ attemptedSlot = '' }: WaitingRow): Operation | undefined {
  if (/^m\d+$/.test(attemptedSlot)) return 'send';
  return attemptedSlot.startsWith('f:') ? 'upload' : undefined;
}
