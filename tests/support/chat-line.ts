import { InboxWorker } from '../../src/commands/inbox-worker.ts';
import type { Capabilities } from '../../src/contracts/chat-adapter.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import type { Button, View } from '../../src/contracts/view.ts';
import { createSender } from '../../src/delivery/sender.ts';
import { storeInbound } from '../../src/store/inbox.ts';
import { type PlatformMessage, TestPlatform } from './chat-platform.ts';
import { silent } from './delivery-world.ts';
import type { Desk } from './desk.ts';
import { waitFor } from './wait-for.ts';

/** The whole way of a chat: what people do goes through the inbox to the desk's bus, what it says through the outbox to a platform. */
export interface ChatLine extends AsyncDisposable {
  platform: TestPlatform;
  /** Stores events as an adapter does; resolves when they are stored. */
  deliver(...events: InboundEvent[]): Promise<void>;
  /** Resolves when every event is handled and every row is out. */
  settled(): Promise<void>;
  /** The newest message whose text matches. */
  said(text: RegExp): Promise<PlatformMessage>;
  /** Ends the process's part of it, leaving everything stored; `resume` begins another life. */
  stop(): Promise<void>;
  resume(): Promise<void>;
}

export async function openLine(desk: Desk, capabilities: Partial<Capabilities> = {}, now = () => new Date()): Promise<ChatLine> {
  const platform = new TestPlatform({ capabilities });
  const { database, wakeups } = desk;
  let life: { stop(): Promise<void> } | undefined;

  async function begin(): Promise<{ stop(): Promise<void> }> {
    const adapter = platform.adapter();
    const sender = createSender({
      database,
      adapters: new Map([['slack', adapter]]),
      wakeups,
      logger: silent,
      readArtifact: async () => undefined,
      settleMs: 30,
    });
    await sender.start();
    const worker = new InboxWorker({
      database,
      wakeups,
      now,
      log: silent,
      handle: (tx, event) => desk.bus.handle(tx, event),
      refuse: (tx, event, error) => desk.bus.refuse(tx, event, error),
      concurrency: 4,
    });
    worker.start();
    return {
      async stop() {
        await worker.stop();
        await sender.stop();
      },
    };
  }

  async function stop(): Promise<void> {
    await life?.stop();
    life = undefined;
  }
  life = await begin();

  return {
    platform,
    async deliver(...events) {
      await storeInbound(database, await Promise.all(events.map(desk.guard)));
    },
    async settled() {
      await waitFor('everything to be handled and sent', async () => {
        const waiting = await database.db.inbox.count({ where: { state: 'pending' } });
        return waiting === 0 && (await database.db.outbox.count({ where: { state: 'pending' } })) === 0;
      });
    },
    said: (text) =>
      waitFor(`a message that matches ${text}`, () =>
        platform.messages.findLast((one) => !one.deleted && text.test(platform.text(one))),
      ),
    stop,
    async resume() {
      life ??= await begin();
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** Labels of the buttons a message has now. */
export function buttonsOf(message: PlatformMessage): string[] {
  return allButtons(message.views.at(-1)).map(({ label }) => label);
}

/** The token of a button, or of the only select, of a message as it is now. */
export function tokenIn(message: PlatformMessage, label?: string): string {
  const view = message.views.at(-1);
  const found =
    label === undefined
      ? view?.blocks.find((block) => block.type === 'select')
      : allButtons(view).find((button) => button.label === label);
  if (found === undefined) throw new Error(`no ${label ?? 'select'} on: ${view?.fallback}`);
  return found.token;
}

function allButtons(view: View | undefined): Button[] {
  return view?.blocks.flatMap((block) => (block.type === 'buttons' ? block.buttons : [])) ?? [];
}
