import type { InboundSink } from '../../src/contracts/chat-adapter.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { errorText } from '../../src/runtime/error-text.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { type Acks, createAcks } from './acks.ts';
import type { DiscordConfig, DiscordDeps } from './adapter.ts';
import { createDirectory, type Directory } from './directory.ts';
import { createGaps, type Gaps } from './gaps.ts';
import { createGateway } from './gateway.ts';
import { createIntake } from './intake.ts';
import { createListener, type Listener } from './listener.ts';
import type { InboundContext } from './reading.ts';
import { createReceiver } from './receiver.ts';
import { registerCommands } from './register.ts';
import type { Rest } from './rest.ts';
import { createMarks, type Marks } from './sending.ts';
import { mayReadMessages, signIn } from './sign-in.ts';

/** Everything that exists once it is known who the bot is. */
export interface Running {
  application: string;
  botUser: string;
  directory: Directory;
  marks: Marks;
  acks: Acks;
  listener: Listener;
  gaps: Gaps;
  context: InboundContext;
  /** Stores what an interaction means, then answers Discord. Rejects when it could not be stored. */
  takeInteraction(interaction: unknown): Promise<void>;
  /** Stores events of one channel, behind what came from it before. */
  takeEvents(channel: string, events: InboundEvent[]): Promise<void>;
  commandsProblem(): string | undefined;
  stop(): Promise<void>;
}

/** Signs in and registers the commands; connects nothing yet. */
export async function createRunning(
  deps: DiscordDeps & { config: DiscordConfig; rest: Rest; logger: Logger; sink: InboundSink },
  inTime: AbortSignal,
): Promise<Running> {
  const { config, rest, logger, clock, menu } = deps;
  const { application, botUser, guilds } = await signIn(rest, config.applicationId, logger, inTime);
  const context: InboundContext = { application: application.id, botUser, menu, seal: deps.seal, now: () => clock.now() };
  const directory = createDirectory({ rest, application: application.id, botUser });
  directory.learnGuilds(guilds);
  const acks = createAcks({ rest, application: application.id, clock, logger });
  const gaps = createGaps();
  const onGap = (from?: Date) => gaps.begin(deps.onGap?.(from));
  const intake = createIntake({ sink: deps.sink, logger, now: () => clock.now(), onLoss: onGap });
  const receiver = createReceiver({ context, directory, acks, gaps, intake, menu, logger });
  let problem: string | undefined;
  try {
    if (await registerCommands(rest, application.id, menu)) logger.info('discord commands registered');
  } catch (error) {
    problem = errorText(error);
    logger.error({ err: error }, 'discord commands not registered');
  }
  const listener = createListener({
    lease: `discord:${application.id}`,
    acquireLease: deps.acquireLease,
    readsMessages: mayReadMessages(application),
    logger,
    connect: (readsMessages) =>
      createGateway({ rest, token: config.token, readsMessages, logger, onDispatch: receiver.dispatch, onFresh: () => onGap() }),
  });
  return {
    application: application.id,
    botUser,
    directory,
    marks: createMarks(),
    acks,
    listener,
    gaps,
    context,
    takeInteraction: receiver.interaction,
    takeEvents: (channel, events) => intake.accept({ channel, read: async () => events }),
    commandsProblem: () => problem,
    async stop() {
      await listener.stop();
      gaps.stop();
      await intake.stop();
      await acks.stop();
    },
  };
}
