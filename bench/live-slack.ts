import { addChannels, chatVariables, slackPlaces, startChat } from './chat.ts';
import type { OpenPlatform } from './live-platform.ts';

const minute = 60_000;

export const openSlack: OpenPlatform = async (site) => {
  const slack = await startChat(site);
  const { controls } = slack;
  const methods = { send: 'chat.postMessage', edit: 'chat.update' };
  const ada = slack.person('ada');
  return {
    platform: 'slack',
    variables: chatVariables(slack, 'socket'),
    addPlaces: (count) => slackPlaces(slack, addChannels(slack, count)),
    isReady: () => true,
    acknowledges: true,
    command: (place, line) => ada.slash(place.name, `/deckhand ${line}`),
    calls: () => slack.calls,
    methods,
    textOf: ({ args }) => String(args.text),
    overLimit: () => slack.overLimit(),
    limits: [
      { name: 'messages in a minute', windowMs: minute, atMost: 300, scopeOf: ({ method }) => only(method === methods.send) },
      { name: 'edits in a minute', windowMs: minute, atMost: 50, scopeOf: ({ method }) => only(method === methods.edit) },
    ],
    enforce(refuses, retryAfter) {
      controls.rateLimiting(true);
      for (const method of Object.values(methods))
        controls.failNext(method, { status: 429, retryAfter, times: Number.POSITIVE_INFINITY, when: refuses });
    },
    refusalScope: ({ method }) => method,
    errors: () => controls.errors,
  };
};

function only(counts: boolean): string | undefined {
  return counts ? 'all' : undefined;
}
