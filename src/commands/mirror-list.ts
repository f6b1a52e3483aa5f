import type { Conversation } from '../contracts/platform.ts';
import { platformNames } from '../contracts/platform.ts';
import { bold, plain, type Span, type View } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { oneLine, shorten } from '../delivery/neutralise.ts';
import { count } from '../delivery/units.ts';
import type { TaskRow } from '../store/task-queries.ts';
import type { ThreadPlace } from '../store/threads.ts';
import type { CommandDeps } from './command.ts';

/** Where a task is shown, one place a line, with a link where the platform has one. */
export async function placesView(
  ctx: { channel: { id: string }; deps: Pick<CommandDeps, 'linkTo'> },
  task: Pick<TaskRow, 'number'>,
  places: readonly ThreadPlace[],
): Promise<View> {
  // Nobody else can open a direct conversation.
  const urls = await Promise.all(
    places.map((place) => (place.channel.kind === 'direct' ? undefined : ctx.deps.linkTo?.(conversationOf(place)))),
  );
  const lines = places.flatMap((place, at): Span[] => [plain(at === 0 ? '' : '\n'), ...placeLine(ctx, place, urls[at])]);
  return withFallback([
    { type: 'text', spans: [bold(`#${task.number} is shown in ${count(places.length, 'place')}`)] },
    ...(lines.length === 0
      ? []
      : [{ type: 'text' as const, spans: lines.filter((span) => span.type !== 'text' || span.text !== '') }]),
    {
      type: 'context',
      spans: marked(`\`mirror #${task.number} here\` shows it at another place, \`mirror #${task.number} off\` ends that.`),
    },
  ]);
}

function placeLine({ channel }: { channel: { id: string } }, place: ThreadPlace, url: string | undefined): Span[] {
  const { platform, kind, name } = place.channel;
  const where =
    kind === 'direct'
      ? 'a direct message'
      : name === undefined
        ? 'a channel'
        : `#${shorten(oneLine(name), 60).replace(/^#/, '')}`;
  const marks = [
    ...(place.origin ? ['started there'] : []),
    ...(place.channel.id === channel.id ? ['here'] : []),
    ...(place.problem === undefined ? [] : [`its last message could not be delivered: ${shorten(oneLine(place.problem), 200)}`]),
  ];
  const text = `${where} on ${platformNames[platform]}`;
  return [
    url === undefined ? plain(text) : { type: 'link', url, text },
    ...(marks.length === 0 ? [] : [plain(` · ${marks.join(' · ')}`)]),
  ];
}

function conversationOf({ channel, externalId }: ThreadPlace): Conversation {
  const { platform, tenant, kind } = channel;
  return { platform, tenant, channel: channel.externalId, kind, ...(externalId === undefined ? {} : { thread: externalId }) };
}
