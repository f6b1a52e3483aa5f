import { openDiscordByMention } from '../live-discord.ts';
import type { OpenPlatform } from '../live-platform.ts';
import { type Load, liveRuns } from '../live-runs.ts';
import { openSlack } from '../live-slack.ts';
import { openTelegram } from '../live-telegram.ts';
import type { Scenario } from './scenario.ts';

const load: Load = { runs: 200, places: 20, lines: 120, everyMs: 500 };

/** Many runs at once: what reaches the platform, and whether every end is told. */
function streamOn(name: string, places: string, open: OpenPlatform): Scenario {
  const { runs, lines, everyMs } = load;
  return {
    name,
    about: `${runs} live runs in ${load.places} ${places}, each with a line every ${everyMs} ms for ${(lines * everyMs) / 1000} s`,
    run: async (site) => liveRuns(site, await open(site), load),
  };
}

export const stream = streamOn('stream', 'channels of Slack', openSlack);
export const streamTelegram = streamOn('stream-telegram', 'groups of Telegram', openTelegram);
export const streamDiscord = streamOn('stream-discord', 'channels of Discord', openDiscordByMention);
