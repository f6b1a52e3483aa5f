import { createSlackAdapter } from '../adapters/slack/adapter.ts';
import type { PlatformConfigs } from './config-platforms.ts';
import type { ChatAdapter } from './contracts/chat-adapter.ts';
import type { Infrastructure } from './infrastructure.ts';
import { connectWithinMs } from './platforms.ts';
import { systemClock } from './runtime/clock.ts';
import type { Logger } from './runtime/logger.ts';

/** One adapter for every platform that is configured. They do nothing before they are started. */
export function createAdapters(
  { slack }: PlatformConfigs,
  { secretBox, logger }: Pick<Infrastructure, 'secretBox'> & { logger: Logger },
): ChatAdapter[] {
  const handles = (platform: string) => ({
    seal: (text: string) => secretBox.seal(text, `${platform} handle`),
    open(token: string) {
      try {
        return secretBox.open(token, `${platform} handle`);
      } catch {
        return undefined; // made with another key, or by nobody we know: the handle is of no use
      }
    },
  });
  const common = { logger, clock: systemClock, startWithinMs: connectWithinMs };
  return [...(slack === undefined ? [] : [createSlackAdapter(slack, { ...common, ...handles('slack') })])];
}
