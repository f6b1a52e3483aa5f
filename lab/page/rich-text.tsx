import type { ComponentChildren } from 'preact';
import type { LabState } from '../page-api.ts';
import { type Json, list, record, text } from './json.ts';
import { nameOf } from './model.ts';
import { emojis, Mention, safeUrl, When } from './mrkdwn.tsx';

export function RichText({ elements, state }: { elements: Json[]; state: LabState }) {
  return (
    <div class="rich">
      {elements.map((element, at) => (
        <Part key={at} element={element} state={state} />
      ))}
    </div>
  );
}

function Part({ element, state }: { element: Json; state: LabState }) {
  const inner = list(element.elements);
  switch (element.type) {
    case 'rich_text_preformatted':
      return <pre>{inner.map(({ text: value, url }) => text(value) || text(url)).join('')}</pre>;
    case 'rich_text_quote':
      return <blockquote>{spans(inner, state)}</blockquote>;
    case 'rich_text_list': {
      const items = inner.map((item, at) => <li key={at}>{spans(list(item.elements), state)}</li>);
      const indent = { marginLeft: `${Number(element.indent ?? 0) * 20}px` };
      return element.style === 'ordered' ? <ol style={indent}>{items}</ol> : <ul style={indent}>{items}</ul>;
    }
    default:
      return <div class="rich-line">{spans(inner, state)}</div>;
  }
}

function spans(elements: Json[], state: LabState): ComponentChildren[] {
  return elements.map((element, at) => <Span key={`${at}`} element={element} state={state} />);
}

function Span({ element, state }: { element: Json; state: LabState }) {
  const style = record(element.style);
  let shown: ComponentChildren;
  switch (element.type) {
    case 'link':
      shown = (
        <a href={safeUrl(text(element.url))} target="_blank" rel="noreferrer noopener">
          {text(element.text) || text(element.url)}
        </a>
      );
      break;
    case 'user':
      shown = <Mention>@{nameOf(state, text(element.user_id))}</Mention>;
      break;
    case 'channel':
      shown = <Mention>#{state.channels.find(({ id }) => id === element.channel_id)?.name ?? text(element.channel_id)}</Mention>;
      break;
    case 'broadcast':
      shown = <Mention>@{text(element.range)}</Mention>;
      break;
    case 'emoji':
      shown = emojis[text(element.name)] ?? `:${text(element.name)}:`;
      break;
    case 'date':
      shown = <When seconds={Number(element.timestamp)} format={text(element.format)} fallback={text(element.fallback)} />;
      break;
    default:
      shown = text(element.text);
  }
  if (style.code === true) shown = <code>{shown}</code>;
  if (style.bold === true) shown = <b>{shown}</b>;
  if (style.italic === true) shown = <i>{shown}</i>;
  if (style.strike === true) shown = <s>{shown}</s>;
  return <>{shown}</>;
}
