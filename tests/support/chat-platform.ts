import {
  type Capabilities,
  type ChatAdapter,
  DeliveryError,
  type DeliveryFailure,
  type Operation,
  type ThreadOpening,
  type UploadFile,
} from '../../src/contracts/chat-adapter.ts';
import type { Conversation, IdentityRef, MessageRef } from '../../src/contracts/platform.ts';
import { type Form, formSchema, type View, viewSchema } from '../../src/contracts/view.ts';
import { createMeasure } from '../../src/delivery/measure.ts';
import { plainText } from '../../src/delivery/plain-text.ts';

/** One message as the platform keeps it. */
export interface PlatformMessage {
  id: string;
  channel: string;
  thread: string | undefined;
  /** The thread that it starts, where threads have ids and names of their own. */
  started: { thread: string; title: string } | undefined;
  key: string;
  /** Every version shown, oldest first. */
  views: View[];
  deleted: boolean;
  at: number;
}

/** What goes wrong with a call: not done, done with its answer lost, or `die`: the process that called never hears of it. */
export type Fault = DeliveryFailure | { kind: 'lost_answer' };

export interface PlatformOptions {
  capabilities?: Partial<Capabilities> | undefined;
  /** Decides about each call before it is done. */
  fault?:
    | ((
        operation: Operation | 'find',
        detail: { channel: string; key?: string | undefined; view?: View | undefined },
      ) => Fault | undefined)
    | undefined;
  latencyMs?: (() => number) | undefined;
  /** Whether uploads can be looked up, as on Slack. Default false. */
  findsUploads?: boolean | undefined;
  /** Threads have ids and names of their own, as on Discord; else the message that starts a thread names it, as on Slack. */
  ownThreads?: boolean | undefined;
  /** Default `T1`. */
  tenant?: string | undefined;
}

export const testCapabilities: Capabilities = {
  platform: 'slack',
  text: { unit: 'utf16', escapes: { '&': 5, '<': 4, '>': 4 }, maxMessage: 3500, maxBlock: 3000, maxBlocks: 20, maxTitle: 250 },
  buttons: { perRow: 5, perMessage: 10, label: 40 },
  select: { options: 30, label: 40 },
  forms: 'modal',
  ephemeral: true,
  threads: true,
  cards: 'many',
  edit: true,
  reactions: true,
  removes: { channels: true, direct: true },
  home: true,
  files: { maxBytes: 100_000, perMessage: 4 },
  streaming: 'edit',
  findsSent: true,
  budgets: [],
};

/**
 * A chat platform in memory: keeps what was sent, is strict about limits and rate budgets, and fails on demand. It outlives the
 * adapters that talk to it, as a platform outlives the processes of a bot.
 */
export class TestPlatform {
  readonly messages: PlatformMessage[] = [];
  readonly uploads: { channel: string; thread: string | undefined; files: UploadFile[]; at: number }[] = [];
  readonly ephemerals: { channel: string; user: string; view: View; reply: string | undefined }[] = [];
  readonly forms: { trigger: string; form: Form }[] = [];
  readonly reactions: { message: string; mark: string; on: boolean }[] = [];
  /** Messages of people that were deleted. */
  readonly removed: string[] = [];
  readonly drafts: { channel: string; key: string; text: string }[] = [];
  readonly homes = new Map<string, View>();
  readonly calls: { operation: Operation; channel: string; message: string | undefined; at: number }[] = [];
  /** Calls above a published budget; must stay empty. */
  readonly violations: string[] = [];
  readonly capabilities: Capabilities;
  fault: NonNullable<PlatformOptions['fault']>;
  readonly tenant: string;
  readonly #latencyMs: () => number;
  readonly #ownThreads: boolean;
  readonly #findsUploads: boolean;
  #next = 1;

  constructor(options: PlatformOptions = {}) {
    this.capabilities = { ...testCapabilities, ...options.capabilities };
    this.tenant = options.tenant ?? 'T1';
    this.fault = options.fault ?? (() => undefined);
    this.#latencyMs = options.latencyMs ?? (() => 0);
    this.#ownThreads = options.ownThreads ?? false;
    this.#findsUploads = options.findsUploads ?? false;
  }

  /** Messages people see in a channel or one thread of it. */
  shown(channel: string, thread?: string): PlatformMessage[] {
    return this.messages.filter((one) => !one.deleted && one.channel === channel && one.thread === thread);
  }

  /** What a message says now. */
  text(message: PlatformMessage | undefined): string {
    return message?.views.at(-1)?.blocks.map(plainText).join('\n') ?? '';
  }

  /** An adapter of one process. After `kill` it never answers again, as if its process were gone. */
  adapter(): ChatAdapter & { kill(): void } {
    let dead = false;
    const call = async <T>(
      operation: Operation | 'find',
      detail: { channel: string; message?: string; key?: string; view?: View },
      effect: () => T,
    ): Promise<T> => {
      if (dead) return await never();
      const ms = this.#latencyMs();
      if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
      if (dead) return await never();
      const fault = this.fault(operation, detail);
      if (dead) return await never();
      if (fault !== undefined && fault.kind !== 'lost_answer') throw new DeliveryError(fault);
      if (operation !== 'find') this.#count(operation, detail);
      const value = effect();
      if (dead) return await never();
      if (fault !== undefined) throw new DeliveryError({ kind: 'unknown', detail: 'the answer was lost' });
      return value;
    };
    return {
      platform: this.capabilities.platform,
      capabilities: this.capabilities,
      webhooks: [],
      kill: () => {
        dead = true;
      },
      tenants: () => [{ tenant: this.tenant, name: 'Acme', botUser: 'UBOT' }],
      start: async () => undefined,
      stop: async () => undefined,
      health: async () => ({ ok: true, detail: 'connected' }),
      send: (to, view, key, opens) => call('send', { channel: to.channel, key, view }, () => this.#send(to, view, key, opens)),
      ...(this.capabilities.streaming === 'draft'
        ? {
            draft: (to: Conversation, view: View | undefined, key: string) =>
              call('draft', { channel: to.channel, key, ...(view === undefined ? {} : { view }) }, () => {
                if (view !== undefined) this.#check(view);
                this.drafts.push({ channel: to.channel, key, text: view?.blocks.map(plainText).join('\n') ?? '' });
              }),
          }
        : {}),
      edit: (ref, view) => call('edit', { channel: ref.channel, message: ref.message, view }, () => this.#edit(ref, view)),
      find: (to, key, _since, opens) => call('find', { channel: to.channel, key }, () => this.#find(to, key, opens)),
      ephemeral: (to, user, view, reply) =>
        call('ephemeral', { channel: to.channel, view }, () => {
          this.#check(view);
          this.ephemerals.push({ channel: to.channel, user: user.user, view, reply });
        }),
      direct: (user) => call('direct', { channel: user.user }, () => directOf(user)),
      openForm: (trigger, form) =>
        call('form', { channel: trigger }, () => void this.forms.push({ trigger, form: formSchema.parse(form) })),
      upload: (to, files) => call('upload', { channel: to.channel }, () => this.#upload(to, files)),
      ...(this.#findsUploads
        ? {
            findUpload: (to: Conversation, names: readonly string[], _since: string, after?: string) =>
              call('find', { channel: to.channel }, () => this.#findUpload(to, names, after)),
          }
        : {}),
      react: (ref, mark, on) =>
        call(
          'react',
          { channel: ref.channel, message: ref.message },
          () => void this.reactions.push({ message: ref.message, mark, on }),
        ),
      ...(this.capabilities.removes.channels
        ? {
            remove: (ref: MessageRef) =>
              call('remove', { channel: ref.channel, message: ref.message }, () => void this.removed.push(ref.message)),
          }
        : {}),
      publishHome: (user, view) =>
        call('home', { channel: user.user }, () => {
          this.#check(view);
          this.homes.set(user.user, view);
        }),
    };
  }

  #send(to: Conversation, view: View, key: string, opens: ThreadOpening | undefined): MessageRef {
    this.#check(view);
    const id = `${idNumber(this.#next)}.000100`;
    this.#next += 1;
    const message: PlatformMessage = {
      id,
      channel: to.channel,
      thread: to.thread,
      started: undefined,
      key,
      views: [view],
      deleted: false,
      at: performance.now(),
    };
    this.messages.push(message);
    return this.#opened(message, to, opens);
  }

  #opened(message: PlatformMessage, { tenant }: Conversation, opens: ThreadOpening | undefined): MessageRef {
    if (this.#ownThreads && opens !== undefined) message.started ??= { thread: `t-${message.id}`, title: opens.title };
    const thread = message.thread ?? message.started?.thread;
    const { channel, id } = message;
    return { platform: this.capabilities.platform, tenant, channel, message: id, ...(thread === undefined ? {} : { thread }) };
  }

  #edit(ref: MessageRef, view: View): void {
    this.#check(view);
    const message = this.messages.find(({ id, channel }) => id === ref.message && channel === ref.channel);
    if (message === undefined || message.deleted) throw new DeliveryError({ kind: 'gone', detail: 'message_not_found' });
    message.views.push(view);
  }

  #find(to: Conversation, key: string, opens: ThreadOpening | undefined): MessageRef | undefined {
    const found = this.messages.find(
      (one) => one.channel === to.channel && one.thread === to.thread && one.key === key && !one.deleted,
    );
    return found === undefined ? undefined : this.#opened(found, to, opens);
  }

  #upload(to: Conversation, files: readonly UploadFile[]): void {
    const limits = this.capabilities.files;
    if (
      limits === undefined ||
      files.length > limits.perMessage ||
      files.some(({ bytes }) => bytes.length > limits.maxBytes || bytes.length === 0)
    ) {
      throw new DeliveryError({ kind: 'rejected', detail: 'files over the limit' });
    }
    this.uploads.push({ channel: to.channel, thread: to.thread, files: [...files], at: idNumber(this.#next) });
  }

  #findUpload(to: Conversation, names: readonly string[], after: string | undefined): boolean {
    return this.uploads.some(
      ({ channel, thread, files, at }) =>
        channel === to.channel &&
        thread === to.thread &&
        files.map(({ name }) => name).join() === names.join() &&
        (after === undefined || at > Number(after)),
    );
  }

  /** Refuses what no real platform would take. */
  #check(view: View): void {
    viewSchema.parse(view);
    const { text, buttons } = this.capabilities;
    const measure = createMeasure(text);
    const lengths = view.blocks.map(measure.block);
    const pressable = view.blocks.flatMap((block) => (block.type === 'buttons' ? block.buttons : [])).length;
    const tooMuch =
      view.blocks.length > text.maxBlocks ||
      lengths.some((length) => length > text.maxBlock) ||
      lengths.reduce((sum, length) => sum + length, 0) > text.maxMessage ||
      pressable > (buttons?.perMessage ?? 0) ||
      view.files !== undefined;
    if (tooMuch) throw new DeliveryError({ kind: 'rejected', detail: 'the view is over the limits' });
  }

  /** Counts a call against the published budgets, at its arrival. */
  #count(operation: Operation, { channel, message }: { channel: string; message?: string }): void {
    const at = performance.now();
    for (const budget of this.capabilities.budgets) {
      if (!budget.operations.includes(operation)) continue;
      const same = this.calls.filter(
        (one) =>
          budget.operations.includes(one.operation) &&
          one.at > at - budget.windowMs &&
          (budget.scope === 'tenant' || one.channel === channel) &&
          (budget.scope !== 'message' || one.message === message),
      );
      if (budget.scope === 'message' && message === undefined) continue;
      if (same.length >= budget.calls) {
        this.violations.push(`${operation}: ${same.length + 1} calls in ${budget.windowMs} ms per ${budget.scope}`);
        throw new DeliveryError({ kind: 'rate_limited', retryAfterMs: budget.windowMs });
      }
    }
    this.calls.push({ operation, channel, message, at });
  }
}

function idNumber(next: number): number {
  return 1_700_000_000 + next;
}

function directOf(user: IdentityRef): Conversation {
  return { platform: user.platform, tenant: user.tenant, channel: `D-${user.user}`, kind: 'direct' };
}

function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}
