import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { DiscordState } from '../discord-page-api.ts';
import { type Block, type Inline, readInline, readMarkdown } from './markdown.ts';
import { clockOf, dayOf, nameOf } from './model.ts';

/** A text in Discord's markdown. `inline`: one line, without blocks. */
export function Markdown({ text, state, inline = false }: { text: string; state: DiscordState; inline?: boolean }) {
  if (inline) return <span class="markdown">{spans(readInline(text.replaceAll('\n', ' ')), state)}</span>;
  return <div class="markdown">{blocksOf(readMarkdown(text), state)}</div>;
}

function blocksOf(blocks: Block[], state: DiscordState): ComponentChildren {
  return blocks.map((block, at) => {
    const key = `${at}`;
    switch (block.type) {
      case 'text':
        return (
          <p key={key} class="text">
            {spans(block.children, state)}
          </p>
        );
      case 'heading': {
        const Tag = (['h1', 'h2', 'h3'] as const)[block.level - 1] ?? 'h3';
        return <Tag key={key}>{spans(block.children, state)}</Tag>;
      }
      case 'small':
        return (
          <p key={key} class="subtext">
            {spans(block.children, state)}
          </p>
        );
      case 'quote':
        return (
          <blockquote key={key}>
            <div>{blocksOf(block.blocks, state)}</div>
          </blockquote>
        );
      case 'list':
        return (
          <ul key={key}>
            {block.items.map((item, n) => (
              <li key={`${n}`} style={{ marginLeft: `${item.depth * 16}px` }}>
                <span class="mark">{item.mark}</span>
                <span>{spans(item.children, state)}</span>
              </li>
            ))}
          </ul>
        );
      case 'pre':
        return <Pre key={key} language={block.language} text={block.text} />;
      default:
        return null;
    }
  });
}

/** Code, with the lines of a diff in their colours. */
export function Pre({ language, text }: { language: string; text: string }) {
  const isDiff = /^(diff|patch)$/i.test(language);
  return (
    <pre>
      <code>
        {isDiff
          ? text.split('\n').map((line, at) => (
              <span key={`${at}`} class={diffClass(line)}>
                {`${line}\n`}
              </span>
            ))
          : text}
      </code>
    </pre>
  );
}

function diffClass(line: string): string {
  if (line.startsWith('@@')) return 'hunk';
  if (line.startsWith('+')) return 'added';
  return line.startsWith('-') ? 'removed' : '';
}

function spans(pieces: Inline[], state: DiscordState): ComponentChildren {
  return pieces.map((piece, at) => <Span key={`${at}`} piece={piece} state={state} />);
}

function Span({ piece, state }: { piece: Inline; state: DiscordState }) {
  switch (piece.type) {
    case 'text':
      return <>{piece.text}</>;
    case 'bold':
      return <strong>{spans(piece.children, state)}</strong>;
    case 'italic':
      return <em>{spans(piece.children, state)}</em>;
    case 'underline':
      return <u>{spans(piece.children, state)}</u>;
    case 'strike':
      return <s>{spans(piece.children, state)}</s>;
    case 'spoiler':
      return <Spoiler>{spans(piece.children, state)}</Spoiler>;
    case 'code':
      return <code class="inline">{piece.text}</code>;
    case 'link':
      return (
        <a href={piece.url} target="_blank" rel="noreferrer" title={piece.url}>
          {spans(piece.children, state)}
        </a>
      );
    case 'user':
      return <span class="mention">@{nameOf(state, piece.id)}</span>;
    case 'role':
      return <span class="mention">@{state.roles.find(({ id }) => id === piece.id)?.name ?? 'unknown role'}</span>;
    case 'channel':
      return <span class="mention">#{state.channels.find(({ id }) => id === piece.id)?.name ?? 'unknown'}</span>;
    case 'mention':
      return <span class="mention">{piece.text}</span>;
    case 'time':
      return <Time at={piece.at * 1000} style={piece.style} />;
  }
}

function Spoiler({ children }: { children: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  return (
    <button
      type="button"
      class={`spoiler ${open ? 'open' : ''}`}
      aria-label={open ? undefined : 'Spoiler'}
      onClick={() => setOpen(true)}
    >
      {children}
    </button>
  );
}

function Time({ at, style }: { at: number; style: string }) {
  return (
    <time class="moment" title={new Date(at).toLocaleString()}>
      {timeText(at, style)}
    </time>
  );
}

function timeText(at: number, style: string): string {
  const date = new Date(at);
  switch (style) {
    case 'R':
      return relative(at - Date.now());
    case 't':
      return clockOf(at);
    case 'T':
    case 'S':
      return date.toLocaleTimeString();
    case 'd':
      return date.toLocaleDateString();
    case 'D':
      return dayOf(at);
    case 'F':
      return `${date.toLocaleDateString(undefined, { weekday: 'long' })}, ${dayOf(at)} ${clockOf(at)}`;
    default:
      return `${dayOf(at)} ${clockOf(at)}`;
  }
}

const UNITS = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

function relative(ms: number): string {
  const format = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
  const seconds = Math.round(ms / 1000);
  const [unit, size] = UNITS.find(([, one]) => Math.abs(seconds) >= one) ?? (['second', 1] as const);
  return format.format(Math.round(seconds / size), unit);
}
