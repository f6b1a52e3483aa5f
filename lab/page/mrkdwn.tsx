import type { ComponentChildren } from 'preact';
import type { LabState } from '../page-api.ts';
import { nameOf } from './model.ts';

/** Slack mrkdwn as elements. Nothing is ever set as HTML, so what the app sends cannot run in this page. */
export function Mrkdwn({ text, state }: { text: string; state: LabState }) {
  return <>{paragraphs(text, state)}</>;
}

function paragraphs(text: string, state: LabState): ComponentChildren[] {
  return text.split(/(```[\s\S]*?```)/).flatMap((part, at) => {
    if (part.startsWith('```') && part.length >= 6) return [<pre key={at}>{decode(part.slice(3, -3).replace(/^\n/, ''))}</pre>];
    return lines(part, state, at);
  });
}

function lines(text: string, state: LabState, base: number): ComponentChildren[] {
  const groups: { quote: boolean; lines: string[] }[] = [];
  for (const line of text.split('\n')) {
    const quote = /^(&gt;|>)/.test(line);
    const bare = quote ? line.replace(/^(&gt;|>) ?/, '') : line;
    const last = groups.at(-1);
    if (last?.quote === quote) last.lines.push(bare);
    else groups.push({ quote, lines: [bare] });
  }
  return groups.map((group, at) => {
    const content = group.lines.flatMap((line, n) => [...(n === 0 ? [] : [<br key={`b${n}`} />]), ...inline(line, state)]);
    return group.quote ? <blockquote key={`${base}-${at}`}>{content}</blockquote> : <span key={`${base}-${at}`}>{content}</span>;
  });
}

const tokens =
  /(`[^`]+`)|<([^<>]+)>|(?<![\w*])\*([^*\n]+)\*(?![\w*])|(?<![\w_])_([^_\n]+)_(?![\w_])|(?<![\w~])~([^~\n]+)~(?![\w~])|:([a-z0-9_+-]+):/g;

function inline(text: string, state: LabState): ComponentChildren[] {
  const out: ComponentChildren[] = [];
  let last = 0;
  for (const match of text.matchAll(tokens)) {
    if (match.index > last) out.push(decode(text.slice(last, match.index)));
    last = match.index + match[0].length;
    const [whole, code, angle, strong, emphasis, strike, emoji] = match;
    const key = match.index;
    if (code !== undefined) out.push(<code key={key}>{decode(code.slice(1, -1))}</code>);
    else if (angle !== undefined) out.push(<Angle key={key} content={angle} state={state} />);
    else if (strong !== undefined) out.push(<b key={key}>{inline(strong, state)}</b>);
    else if (emphasis !== undefined) out.push(<i key={key}>{inline(emphasis, state)}</i>);
    else if (strike !== undefined) out.push(<s key={key}>{inline(strike, state)}</s>);
    else out.push(emojis[emoji ?? ''] ?? whole);
  }
  if (last < text.length) out.push(decode(text.slice(last)));
  return out;
}

function Angle({ content, state }: { content: string; state: LabState }) {
  const [target = '', label] = content.split('|');
  if (target.startsWith('@')) return <Mention>@{nameOf(state, target.slice(1))}</Mention>;
  if (target.startsWith('#')) {
    const channel = state.channels.find(({ id }) => id === target.slice(1));
    return <Mention>#{channel?.name ?? label ?? target.slice(1)}</Mention>;
  }
  if (target.startsWith('!date^')) {
    const [, seconds, format, link] = target.split('^');
    return <When seconds={Number(seconds)} format={format ?? ''} fallback={decode(label ?? '')} link={link} />;
  }
  if (target.startsWith('!')) return <Mention>@{target.slice(1).split('^')[0]}</Mention>;
  return (
    <a href={safeUrl(decode(target))} target="_blank" rel="noreferrer noopener">
      {decode(label ?? target)}
    </a>
  );
}

export function Mention({ children }: { children: ComponentChildren }) {
  return <span class="mention">{children}</span>;
}

/** A moment in the reader's own time zone, as Slack shows `<!date^…>`. */
export function When({
  seconds,
  format,
  fallback,
  link,
}: {
  seconds: number;
  format: string;
  fallback: string;
  link?: string | undefined;
}) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return <>{fallback}</>;
  const day = (month: 'long' | 'short', pretty: boolean) =>
    (pretty ? relativeDay(date) : undefined) ?? date.toLocaleDateString(undefined, { month, day: 'numeric', year: 'numeric' });
  const shown = format
    .replace(/\{date_num\}/g, date.toLocaleDateString(undefined, { dateStyle: 'short' }))
    .replace(/\{date_(long|short)(_pretty)?\}/g, (_whole, length, pretty) =>
      day(length === 'long' ? 'long' : 'short', pretty !== undefined),
    )
    .replace(/\{date(_pretty)?\}/g, (_whole, pretty) => day('long', pretty !== undefined))
    .replace(/\{time_secs\}/g, date.toLocaleTimeString(undefined, { timeStyle: 'medium' }))
    .replace(/\{time\}/g, date.toLocaleTimeString(undefined, { timeStyle: 'short' }))
    .replace(/\{ago\}/g, ago(date));
  const body = <time title={date.toLocaleString()}>{shown}</time>;
  return link === undefined ? body : <a href={safeUrl(link)}>{body}</a>;
}

/** Slack's `_pretty` formats say today, yesterday and tomorrow. */
function relativeDay(date: Date): string | undefined {
  const days = Math.round((new Date(date).setHours(0, 0, 0, 0) - new Date().setHours(0, 0, 0, 0)) / 86_400_000);
  return { '-1': 'yesterday', '0': 'today', '1': 'tomorrow' }[String(days)];
}

function ago(date: Date): string {
  const seconds = Math.round((date.getTime() - Date.now()) / 1000);
  const format = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [
    ['second', 60],
    ['minute', 60],
    ['hour', 24],
    ['day', 365],
  ];
  let value = seconds;
  for (const [unit, size] of steps) {
    if (Math.abs(value) < size) return format.format(Math.round(value), unit);
    value /= size;
  }
  return format.format(Math.round(value), 'year');
}

export function decode(text: string): string {
  return text.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');
}

/** Links of the app open only when they are what a browser may follow. */
export function safeUrl(url: string): string {
  return /^(https?|mailto):/i.test(url) ? url : '#';
}

export const emojis: Record<string, string> = {
  eyes: '👀',
  white_check_mark: '✅',
  heavy_check_mark: '✔️',
  no_entry: '⛔',
  no_entry_sign: '🚫',
  x: '❌',
  warning: '⚠️',
  hourglass_flowing_sand: '⏳',
  thumbsup: '👍',
  '+1': '👍',
  tada: '🎉',
  heart: '❤️',
};
