import { type ChatAdapter, DeliveryError, type Operation } from '../contracts/chat-adapter.ts';
import type { Lease } from '../contracts/lease.ts';
import type { Conversation, MessageRef } from '../contracts/platform.ts';
import type { Clock } from '../runtime/clock.ts';
import { traced } from '../runtime/trace.ts';
import type { Database } from '../store/database.ts';
import {
  type Arrived,
  anyOther,
  type Claim,
  type ClaimedRow,
  doubtfulDigest,
  notePart,
  openThread,
  type Part,
  type RecentCalls,
  type WaitingRow,
} from '../store/outbox-rows.ts';
import type { Call } from './budget.ts';
import type { DrawChart, ReadArtifact } from './upload.ts';

/** Leave to make one call; `end` says when it has ended. */
export interface Permit {
  call: Call;
  end(): void;
  /** The call was not made after all. */
  cancel(): void;
}

/** What delivering a row needs of the sender. */
export interface DeliveryDeps {
  database: Database;
  /** The time of the database: what is compared with its rows, and what other processes go by. */
  clock: Clock;
  adapter: ChatAdapter;
  /** The right to send. */
  lease: Pick<Lease, 'term' | 'isFresh'>;
  readArtifact: ReadArtifact;
  openSecret?: ((sealed: string) => string) | undefined;
  drawChart?: DrawChart | undefined;
  /** Waits until the budgets allow the call. Rejects when the sender stops. */
  permit(call: Call): Promise<Permit>;
  /** The direct conversation with an account, remembered after the first time. */
  directs: Map<string, Conversation>;
  /** Told about each platform call, for metrics. */
  onCall?: ((call: { platform: string; operation: Operation; outcome: string; ms: number }) => void) | undefined;
}

const callTimeoutMs = 60_000;
/** Calls older than this are no longer needed to know what the budgets were used for. */
const recentMs = 120_000;

/** One row on its way out: makes its platform calls one after another and keeps book of what has arrived. */
export class Delivery {
  readonly row: WaitingRow;
  readonly claimed: ClaimedRow;
  readonly deps: DeliveryDeps;
  /** What has arrived, in the order it was first sent. */
  readonly parts: Part[];
  /** Where the message really is, when the row does not know it. */
  channel: string | undefined;
  /** The operation under way, for the failure that may come of it. */
  operation: Operation | undefined;
  calls: RecentCalls;
  /** Whether it went, or was to go, to the direct conversation with a person. */
  triedDirectly = false;
  /** The last call that was made. */
  lastCall: Call | undefined;
  /** What was there may show this version now, whatever others have made of it meanwhile. */
  overwrote = false;
  /** The part whose call the database expects: what a crash now would leave unknown. */
  #noted: string;
  #first: Permit | undefined;

  constructor(row: WaitingRow, claimed: ClaimedRow, first: Permit, deps: DeliveryDeps) {
    this.#noted = firstSlot(row);
    this.row = row;
    this.claimed = claimed;
    this.deps = deps;
    this.parts = claimed.parts.map((part) =>
      claimed.anew && part.message !== undefined && part.digest !== doubtfulDigest ? { ...part, digest: '' } : part,
    );
    this.calls = claimed.calls.filter(([, at]) => at > deps.clock.now().getTime() - recentMs);
    this.#first = first;
    // The last attempt was cut short: its call may have been done.
    const slot = row.attemptedSlot;
    if (row.attemptedAt !== undefined && slot !== undefined && slot !== 'edit') this.doubt(slot);
  }

  get conversation(): Conversation {
    const { platform, tenant, channel, thread, channelKind } = this.row;
    return { platform, tenant, channel, kind: channelKind, ...(thread === undefined ? {} : { thread }) };
  }

  get claim(): Claim {
    return { id: this.row.id, claim: this.claimed.claim };
  }

  get arrived(): Arrived {
    return { parts: this.parts, calls: this.calls, channel: this.channel };
  }

  part(slot: string): Part | undefined {
    return this.parts.find((part) => part.slot === slot);
  }

  /** Replaces what is known of a part. */
  setPart(part: Part): void {
    const at = this.parts.findIndex(({ slot }) => slot === part.slot);
    if (at < 0) this.parts.push(part);
    else this.parts[at] = part;
  }

  /** Whether a call for this part may have been done without our knowing. */
  isDoubtful(slot: string): boolean {
    return (this.part(slot) ?? this.part(anyOther.slot))?.digest === doubtfulDigest;
  }

  /** The part whose call is under way and must be known before it is repeated; undefined when it may be repeated freely. */
  get under(): string | undefined {
    const makes = this.operation === 'send' || this.operation === 'upload' || this.operation === 'ephemeral';
    return makes && this.#noted !== 'edit' ? this.#noted : undefined;
  }

  /** Forgets what is not known: the next version is sent as if it were the first. */
  forgetDoubts(): void {
    const known = this.parts.filter(({ digest }) => digest !== doubtfulDigest);
    this.parts.splice(0, this.parts.length, ...known);
  }

  /** Forgets the messages of a conversation that is no more: they are sent as if for the first time. */
  forgetMessages(channel: string): void {
    const kept = this.parts.filter((part) => !/^m\d+$/.test(part.slot) || (part.channel ?? channel) !== channel);
    this.parts.splice(0, this.parts.length, ...kept);
  }

  doubt(slot: string): void {
    const part = this.part(slot);
    if (part?.message === undefined) this.setPart({ ...part, slot, digest: doubtfulDigest });
  }

  /** The message that opens a thread has arrived: the thread has an id, in one commit with the message's own. */
  async openThread(thread: string, externalId: string): Promise<void> {
    await this.deps.database.transaction(async (tx) => {
      await notePart(tx, this.claim, this.arrived, 'edit');
      await openThread(tx, this.row, thread, externalId);
    });
    this.#noted = 'edit';
    this.row.thread = externalId;
  }

  /**
   * Makes one platform call within the budgets. `slot`: the part it makes, noted before the call so that a crash in it is noticed; left
   * out for calls that can be repeated. A call that does not answer counts as one with an unknown outcome.
   */
  async call<T>(
    operation: Operation,
    where: { channel: string; message?: string | undefined; slot?: string | undefined },
    make: () => Promise<T>,
  ): Promise<T> {
    const permit = await this.#permit({
      operation,
      tenant: this.row.tenant,
      conversation: where.channel,
      message: where.message,
    });
    try {
      await this.#note(where.slot ?? this.#noted);
      // The process may have been paused since the row was claimed, and another may send by now.
      if (!this.deps.lease.isFresh()) throw new SenderStopped();
    } catch (error) {
      permit.cancel();
      throw error;
    }
    this.operation = operation;
    this.lastCall = permit.call;
    if (operation === 'edit' || operation === 'home') this.overwrote = true;
    const started = performance.now();
    let outcome = 'ok';
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new DeliveryError({ kind: 'unknown', detail: `no answer within ${callTimeoutMs / 1000} s` })),
      callTimeoutMs,
    );
    try {
      return await traced('platform call', { platform: this.row.platform, operation }, () => Promise.race([make(), late]), {
        kind: 'calls',
      });
    } catch (error) {
      outcome = error instanceof DeliveryError ? error.failure.kind : 'error';
      throw error;
    } finally {
      clearTimeout(timer);
      permit.end();
      this.calls.push([operation, this.deps.clock.now().getTime()]);
      this.deps.onCall?.({ platform: this.row.platform, operation, outcome, ms: performance.now() - started });
    }
  }

  /** The direct conversation with an account. */
  async direct(user: string): Promise<Conversation> {
    this.triedDirectly = true;
    const { platform, tenant } = this.row;
    const name = directName(tenant, user);
    const known = this.deps.directs.get(name);
    if (known !== undefined) return known;
    const opened = await this.call('direct', { channel: user }, () => this.deps.adapter.direct({ platform, tenant, user }));
    this.deps.directs.set(name, opened);
    return opened;
  }

  /** Gives back leave that was not used. */
  close(): void {
    this.#first?.cancel();
    this.#first = undefined;
  }

  /** The claim has noted the first call already. */
  async #note(slot: string): Promise<void> {
    if (slot === this.#noted) return;
    await notePart(this.deps.database, this.claim, this.arrived, slot);
    this.#noted = slot;
  }

  async #permit(call: Call): Promise<Permit> {
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined) {
      const same =
        first.call.operation === call.operation &&
        first.call.conversation === call.conversation &&
        first.call.message === call.message;
      if (same) return first;
      first.cancel();
    }
    return await this.deps.permit(call);
  }
}

/** What the claim of a row expects to be called first: an edit is repeatable, everything else must be known. */
export function firstSlot(row: WaitingRow): string {
  if (row.attemptedSlot !== undefined) return row.attemptedSlot;
  if (row.payloadType === 'ephemeral') return 'e0';
  return row.externalId === undefined && (row.payloadType === 'message' || row.payloadType === 'direct') ? 'm0' : 'edit';
}

export function directName(tenant: string, user: string): string {
  return `${tenant}|${user}`;
}

/** The message of a part, as the platform names it. */
export function refOf(row: WaitingRow, part: Part & { message: string }): MessageRef {
  const { platform, tenant, channel } = row;
  return {
    platform,
    tenant,
    channel: part.channel ?? channel,
    message: part.message,
    ...(part.thread === undefined ? {} : { thread: part.thread }),
  };
}

/** The sender stops: what is under way is left to the next one. */
export class SenderStopped extends Error {
  constructor() {
    super('the sender stops');
    this.name = 'SenderStopped';
  }
}
