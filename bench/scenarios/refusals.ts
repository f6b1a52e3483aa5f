import { openDiscord } from '../live-discord.ts';
import type { LivePlatform, OpenPlatform } from '../live-platform.ts';
import { type Load, liveRuns } from '../live-runs.ts';
import { openTelegram } from '../live-telegram.ts';
import type { Scenario } from './scenario.ts';

const load: Load = { runs: 16, places: 4, lines: 40, everyMs: 500 };
const refusedOneOf = 5;
const retryAfterSeconds = 3;

/** The platform enforces its limits and refuses even what keeps them: who is told to wait does so, and nothing is lost. */
function refusalsOn(name: string, platform: string, open: OpenPlatform): Scenario {
  return {
    name,
    about: `${load.runs} live runs on ${platform}, which answers every ${refusedOneOf}th message or edit with 429 and ${retryAfterSeconds} s to wait`,
    async run(site) {
      const chat = await open(site);
      let asked = 0;
      const refuses = () => {
        asked += 1;
        return asked % refusedOneOf === 0;
      };
      chat.enforce(refuses, retryAfterSeconds);
      const outcome = await liveRuns(site, chat, load);
      const early = tooEarly(chat);
      const refused = chat.calls().filter(({ status }) => status === 429).length;
      return {
        figures: [
          ...outcome.figures,
          { name: 'calls during a wait that was asked for', value: early, unit: '', target: { is: 0 } },
        ],
        notes: outcome.notes,
        broken: [
          ...outcome.broken,
          ...(refused === 0 ? ['nothing was refused, so nothing was measured'] : []),
          ...(early === 0 ? [] : [`${early} calls came before the time that a 429 had named`]),
        ],
      };
    },
  };
}

/** Messages and edits between the end of a refused call and the time that it named, where they had to wait for it. */
function tooEarly(chat: LivePlatform): number {
  const { send, edit } = chat.methods;
  const calls = chat.calls().filter(({ method }) => method === send || method === edit);
  const refused = calls.filter(({ status }) => status === 429);
  const early = calls.filter((call) =>
    refused.some((one) => {
      const waited = call.at - (one.finishedAt ?? Number.NaN);
      return chat.refusalScope(one) === chat.refusalScope(call) && waited > 0 && waited < retryAfterSeconds * 1000;
    }),
  );
  return early.length;
}

export const refusalsTelegram = refusalsOn('refusals-telegram', 'Telegram', openTelegram);
export const refusalsDiscord = refusalsOn('refusals-discord', 'Discord', openDiscord);
