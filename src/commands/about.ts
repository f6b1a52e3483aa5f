import { bold, plain, type Span } from '../contracts/view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { duration } from '../delivery/units.ts';
import { defineCommand } from './command.ts';

const sandboxWords = {
  docker: 'each command in its own container',
  local: '✖ as a process with the rights of Deckhand, not isolated',
} as const;

export const about = defineCommand({
  name: 'about',
  group: 'deckhand',
  summary: 'Says what this is, its version, and whether commands run isolated',
  permission: 'anyone',
  action: 'ask about Deckhand',
  unbound: 'yes',
  positional: {},
  options: {},
  examples: [['about', 'version and state']],
  async run(ctx) {
    const { version, startedAt, sandboxes, links } = await ctx.deps.about();
    const isolation =
      sandboxes.length === 0
        ? 'no runner is up: commands wait in the queue'
        : [...new Set(sandboxes.map(({ kind, isolated }) => (isolated ? sandboxWords[kind] : sandboxWords.local)))].join('; ');
    const up = duration(ctx.deps.now().getTime() - startedAt.getTime());
    const linkSpans = links.flatMap(({ text, url }, at): Span[] => [
      ...(at === 0 ? [] : [plain(' · ')]),
      { type: 'link', url, text },
    ]);
    return {
      view: withFallback([
        {
          type: 'text',
          spans: [
            bold(`Deckhand ${version}`),
            plain(
              ' runs the commands of a team from chat, each on its own working copy of a repository, and asks before what is risky.',
            ),
          ],
        },
        { type: 'context', spans: [plain(`up for ${up} · runs ${isolation}`)] },
        ...(linkSpans.length === 0 ? [] : [{ type: 'context' as const, spans: linkSpans }]),
      ]),
      audience: 'asked',
    };
  },
});
