import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { PageEntity } from '../telegram-page-api.ts';
import { Icon } from './icons.tsx';

interface TextProps {
  text: string;
  entities: readonly PageEntity[];
  /** What a click on a command does. */
  onCommand?: ((command: string) => void) | undefined;
}

const BLOCKS = new Set(['pre', 'blockquote', 'expandable_blockquote']);

/** A text with its formatting. Nothing in it is taken for markup. */
export function FormattedText({ text, entities, onCommand }: TextProps) {
  const sorted = entities.toSorted((a, b) => a.offset - b.offset || b.length - a.length);
  return <>{runs(text, sorted, 0, text.length, onCommand)}</>;
}

/** The text from `from` to `to`; entities that start inside are laid around their part. */
function runs(
  text: string,
  entities: readonly PageEntity[],
  from: number,
  to: number,
  onCommand: TextProps['onCommand'],
): ComponentChildren[] {
  const nodes: ComponentChildren[] = [];
  let at = from;
  for (let index = 0; index < entities.length; index += 1) {
    const entity = entities[index];
    if (entity === undefined || entity.offset < at || entity.offset >= to) continue;
    const end = Math.min(entity.offset + entity.length, to);
    if (entity.offset > at) nodes.push(text.slice(at, entity.offset));
    const inner = runs(text, entities.slice(index + 1), entity.offset, end, onCommand);
    nodes.push(
      <Styled key={`${entity.offset} ${entity.type}`} entity={entity} text={text.slice(entity.offset, end)} onCommand={onCommand}>
        {inner}
      </Styled>,
    );
    // What stands below a block begins a line of its own anyway.
    at = BLOCKS.has(entity.type) && text[end] === '\n' ? end + 1 : end;
  }
  if (at < to) nodes.push(text.slice(at, to));
  return nodes;
}

interface StyledProps {
  entity: PageEntity;
  text: string;
  onCommand: TextProps['onCommand'];
  children: ComponentChildren;
}

function Styled({ entity, text, onCommand, children }: StyledProps) {
  switch (entity.type) {
    case 'bold':
      return <b>{children}</b>;
    case 'italic':
      return <i>{children}</i>;
    case 'underline':
      return <u>{children}</u>;
    case 'strikethrough':
      return <s>{children}</s>;
    case 'spoiler':
      return <Spoiler>{children}</Spoiler>;
    case 'code':
      return <code>{children}</code>;
    case 'pre':
      return <Code text={text} language={entity.language} />;
    case 'blockquote':
    case 'expandable_blockquote':
      return <blockquote>{children}</blockquote>;
    case 'text_link':
      return <Link href={entity.url ?? ''}>{children}</Link>;
    case 'url':
      return <Link href={/^[a-z][a-z0-9+.-]*:/i.test(text) ? text : `http://${text}`}>{children}</Link>;
    case 'email':
      return <Link href={`mailto:${text}`}>{children}</Link>;
    case 'bot_command':
      return (
        <button type="button" class="inline-link" onClick={() => onCommand?.(text)}>
          {children}
        </button>
      );
    case 'date_time':
      return (
        <Moment unix={entity.unix_time ?? 0} format={entity.date_time_format ?? ''}>
          {children}
        </Moment>
      );
    case 'mention':
    case 'text_mention':
    case 'hashtag':
    case 'cashtag':
    case 'phone_number':
      return <span class="found">{children}</span>;
    default:
      return <>{children}</>;
  }
}

export function Link({ href, children }: { href: string; children: ComponentChildren }) {
  const isWeb = /^(https?|mailto|tel):/i.test(href);
  if (!isWeb) return <span class="found">{children}</span>;
  return (
    <a href={href} target="_blank" rel="noreferrer" title={href}>
      {children}
    </a>
  );
}

export function Code({ text, language }: { text: string; language?: string | undefined }) {
  const [copied, setCopied] = useState(false);
  return (
    <span class="pre">
      <span class="pre-head">
        <span>{language ?? 'code'}</span>
        <button
          type="button"
          title="Copy"
          onClick={async () => {
            await navigator.clipboard.writeText(text);
            setCopied(true);
          }}
        >
          <Icon name={copied ? 'done' : 'copy'} />
        </button>
      </span>
      <code>{text}</code>
    </span>
  );
}

export function Spoiler({ children }: { children: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  return (
    <button type="button" class={`spoiler ${open ? 'open' : ''}`} title={open ? '' : 'Show'} onClick={() => setOpen(true)}>
      {children}
    </button>
  );
}

/** A moment in the reader's own time, as the format asks: `r` relative, `w` weekday, `d`/`D` date, `t`/`T` time; none: the words. */
export function Moment({ unix, format, children }: { unix: number; format: string; children: ComponentChildren }) {
  const date = new Date(unix * 1000);
  return (
    <time dateTime={date.toISOString()} title={date.toLocaleString()}>
      {format === '' ? children : format === 'r' ? relative(unix) : absolute(date, format)}
    </time>
  );
}

function relative(unix: number): string {
  const seconds = unix - Date.now() / 1000;
  const words = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
  const [unit, size] =
    Math.abs(seconds) < 3600
      ? (['minute', 60] as const)
      : Math.abs(seconds) < 86_400
        ? (['hour', 3600] as const)
        : (['day', 86_400] as const);
  return words.format(Math.round(seconds / size), unit);
}

function absolute(date: Date, format: string): string {
  const options: Intl.DateTimeFormatOptions = {};
  if (format.includes('w')) options.weekday = 'long';
  if (/d/i.test(format))
    Object.assign(options, { day: 'numeric', month: format.includes('D') ? 'long' : 'short', year: 'numeric' });
  if (/t/i.test(format)) Object.assign(options, { hour: '2-digit', minute: '2-digit' });
  if (format.includes('T')) options.second = '2-digit';
  return date.toLocaleString(undefined, options);
}
