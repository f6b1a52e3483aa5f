import { DeliveryError, type ThreadOpening, type UploadFile } from '../contracts/chat-adapter.ts';
import type { Conversation } from '../contracts/platform.ts';
import { plain, type View, type ViewFile } from '../contracts/view.ts';
import { errorText } from '../runtime/error-text.ts';
import type { Part } from '../store/outbox-rows.ts';
import { type Delivery, refOf } from './delivery.ts';
import { repeatsUnknown } from './failures.ts';
import { oneLine, shorten } from './neutralise.ts';
import { digest, fileSlot, readFile } from './upload.ts';

/** A send or an upload whose outcome is unknown, cannot be looked up and is not repeated. */
export class OutcomeUnknown extends Error {
  constructor(slot: string) {
    super(`whether ${slot} arrived is unknown and the platform cannot tell`);
    this.name = 'OutcomeUnknown';
  }
}

/** A file that could not be attached, and why. */
export interface Unattached {
  file: ViewFile;
  detail: string;
}

const movedView: View = {
  fallback: '(moved up)',
  blocks: [{ type: 'context', spans: [plain('This part has moved to the message above.')] }],
};
const tooOftenDeleted = 3;

/**
 * Brings the messages of one logical message to the platform: edits those that are there and have changed, sends the others, in order.
 * After each call what has arrived is stored, so that a crash anywhere neither loses nor doubles a message.
 */
export async function deliverMessages(delivery: Delivery, messages: readonly View[], to: Conversation): Promise<void> {
  for (const [at, view] of messages.entries()) await deliverMessage(delivery, `m${at}`, view, to);
  for (const part of [...delivery.parts]) {
    const index = /^m(\d+)$/.exec(part.slot)?.[1];
    if (index !== undefined && Number(index) >= messages.length) await deliverMessage(delivery, part.slot, movedView, to);
  }
}

async function deliverMessage(delivery: Delivery, slot: string, view: View, to: Conversation): Promise<void> {
  const look = digest(view);
  const part = delivery.part(slot);
  const canEdit = delivery.deps.adapter.capabilities.edit;
  if (part?.message !== undefined) {
    if (part.digest === look) return;
    if (canEdit && (await edited(delivery, { ...part, message: part.message }, view, look))) return;
    if (canEdit && (part.again ?? 0) >= tooOftenDeleted) {
      throw new DeliveryError({ kind: 'gone', detail: `the message was deleted ${tooOftenDeleted} times` });
    }
    delivery.setPart({ slot, digest: '', again: (part.again ?? 0) + 1 });
  }
  await sendMessage(delivery, slot, view, look, to);
}

/** Edits a message; false when it no longer exists. */
async function edited(delivery: Delivery, part: Part & { message: string }, view: View, look: string): Promise<boolean> {
  const ref = refOf(delivery.row, part);
  try {
    await delivery.call('edit', { channel: ref.channel, message: ref.message }, () => delivery.deps.adapter.edit(ref, view));
  } catch (error) {
    if (error instanceof DeliveryError && error.failure.kind === 'gone') return false;
    throw error;
  }
  delivery.setPart({ ...part, digest: look });
  return true;
}

async function sendMessage(delivery: Delivery, slot: string, view: View, look: string, to: Conversation): Promise<void> {
  const { adapter } = delivery.deps;
  const again = delivery.part(slot)?.again ?? 0;
  const key = sendKey(delivery.row.id, slot, again);
  const where = slot === 'm0' ? to : { ...to, ...threadOf(delivery) };
  const opens = slot === 'm0' ? openingOf(delivery) : undefined;
  const found = await lookUp(delivery, slot, key, where, opens);
  if (found !== undefined) {
    // Which version arrived is not known: it is edited to this one.
    delivery.setPart({ slot, ...found, digest: '', ...(again === 0 ? {} : { again }) });
    await opened(delivery, slot);
    const part = delivery.part(slot);
    if (part?.message !== undefined && (await edited(delivery, { ...part, message: part.message }, view, look))) return;
    return await sendMessage(delivery, slot, view, look, to);
  }
  const ref = await delivery.call('send', { channel: where.channel, slot }, () => adapter.send(where, view, key, opens));
  delivery.setPart({
    slot,
    message: ref.message,
    channel: ref.channel,
    digest: look,
    ...(ref.thread === undefined ? {} : { thread: ref.thread }),
    ...(again === 0 ? {} : { again }),
  });
  await opened(delivery, slot);
}

/** The thread of the first message, for those that follow it. */
function threadOf(delivery: Delivery): { thread?: string } {
  const { row, claimed } = delivery;
  if (claimed.payload.type !== 'message' && claimed.payload.type !== 'files') return {};
  const first = delivery.part('m0');
  const thread = row.thread ?? (row.anchor ? (first?.thread ?? first?.message) : undefined);
  return thread === undefined ? {} : { thread };
}

const openingTitle = 100;

/** Set when the first message of the row starts the thread of its task. */
function openingOf({ row: { thread, opens } }: Delivery): ThreadOpening | undefined {
  if (thread !== undefined || opens === undefined) return undefined;
  return { title: shorten(`#${opens.number} ${oneLine(opens.title)}`.trim(), openingTitle) };
}

/** The message that opens a thread is there: others of that thread wait for its id. */
async function opened(delivery: Delivery, slot: string): Promise<void> {
  const { row } = delivery;
  const { thread } = threadOf(delivery);
  if (slot !== 'm0' || !row.anchor || row.threadId === undefined || row.thread !== undefined || thread === undefined) return;
  await delivery.openThread(row.threadId, thread);
}

/** Looks for a send whose outcome is unknown: what was found, or undefined when it must be sent (again). */
async function lookUp(
  delivery: Delivery,
  slot: string,
  key: string,
  where: Conversation,
  opens: ThreadOpening | undefined,
): Promise<{ message: string; channel: string; thread?: string } | undefined> {
  const { claimed, deps } = delivery;
  if (!delivery.isDoubtful(slot)) return undefined;
  if (!deps.adapter.capabilities.findsSent) {
    if (repeatsUnknown(claimed.priority)) return undefined;
    throw new OutcomeUnknown(slot);
  }
  const ref = await deps.adapter.find(where, key, earliest(delivery), opens);
  if (ref === undefined) return undefined;
  return { message: ref.message, channel: ref.channel, ...(ref.thread === undefined ? {} : { thread: ref.thread }) };
}

/** Nothing of the row can be older than the row; a minute for clocks that differ. */
function earliest({ row, deps }: Delivery): string {
  return new Date(deps.clock.now().getTime() - row.ageMs - 60_000).toISOString();
}

/** What a message is sent under: stored with it on the platform, so it says nothing. */
export function sendKey(row: string, slot: string, again: number): string {
  return `${row}${slot === 'm0' ? '' : `.${slot.slice(1)}`}${again === 0 ? '' : `~${again}`}`;
}

function whyMissing(file: ViewFile): string {
  return file.from === 'artifact' && file.draws !== undefined ? 'it could not be drawn' : 'it is no longer stored';
}

/** Uploads the files that have not been uploaded yet, as many at once as the platform takes. Returns those it refuses. */
export async function deliverFiles(
  delivery: Delivery,
  files: readonly ViewFile[],
  to: Conversation,
  comment?: string,
): Promise<Unattached[]> {
  const { adapter, readArtifact, drawChart } = delivery.deps;
  const limits = adapter.capabilities.files;
  const missing = files.filter((file) => {
    const slot = fileSlot(file);
    return delivery.part(slot) === undefined || delivery.isDoubtful(slot);
  });
  // Figures say what stands in the message too.
  if (limits === undefined)
    return missing.filter(({ from }) => from !== 'chart').map((file) => ({ file, detail: 'the platform takes no files' }));
  const unattached: Unattached[] = [];
  const where = { ...to, ...threadOf(delivery) };
  for (const file of missing) {
    const slot = fileSlot(file);
    const doubtful = delivery.isDoubtful(slot);
    if (doubtful && adapter.findUpload === undefined && !repeatsUnknown(delivery.claimed.priority)) {
      delivery.setPart({ slot, digest: 'unknown' });
      continue;
    }
    const uploads = await readFile(file, limits.maxBytes, { readArtifact, drawChart });
    if (uploads === undefined || uploads.every(({ bytes }) => bytes.length === 0)) {
      delivery.setPart({ slot, digest: 'none' });
      if (file.from !== 'chart') unattached.push({ file, detail: uploads === undefined ? whyMissing(file) : 'it is empty' });
      continue;
    }
    const batches: UploadFile[][] = [];
    for (let at = 0; at < uploads.length; at += limits.perMessage) {
      const batch = uploads.slice(at, at + limits.perMessage);
      if (!(doubtful && (await hasArrived(delivery, batch, where)))) batches.push(batch);
    }
    try {
      for (const batch of batches) {
        await delivery.call('upload', { channel: where.channel, slot }, () =>
          adapter.upload(where, batch, batch[0] === uploads[0] ? comment : undefined),
        );
      }
      delivery.setPart({ slot, digest: 'sent' });
    } catch (error) {
      const kind = error instanceof DeliveryError ? error.failure.kind : undefined;
      if (kind !== 'rejected' && kind !== 'not_permitted' && kind !== 'gone') throw error;
      delivery.setPart({ slot, digest: 'refused' });
      unattached.push({ file, detail: errorText(error) });
    }
  }
  return unattached;
}

/** Looks for an upload whose outcome is unknown. What belongs to a message of this row stands behind it. */
async function hasArrived(delivery: Delivery, files: readonly UploadFile[], where: Conversation): Promise<boolean> {
  const { deps } = delivery;
  const names = files.map(({ name }) => name);
  const prefixes = names.map((name) => `f:${name}:`);
  // Another file of the row with that name would be taken for this one.
  if (delivery.parts.some(({ slot, digest }) => digest === 'sent' && prefixes.some((prefix) => slot.startsWith(prefix))))
    return false;
  return (await deps.adapter.findUpload?.(where, names, earliest(delivery), delivery.part('m0')?.message)) ?? false;
}
