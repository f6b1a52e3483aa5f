import type { ComponentChildren } from 'preact';
import type { PageBlock, PageButton } from '../telegram-page-api.ts';
import { Code, Link, Moment, Spoiler } from './entities.tsx';

/** Rich messages: JSON whose exact shape the emulator has checked; this reads what it shows. */

type Json = Record<string, unknown>;

const record = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

interface BlocksProps {
  blocks: unknown;
  /** Draws a button of the message. */
  button: (button: PageButton) => ComponentChildren;
}

export function RichBlocks({ blocks, button }: BlocksProps) {
  return (
    <div class="rich">
      {list(blocks).map((block, at) => (
        <Block key={`${at}`} block={record(block) as PageBlock} button={button} />
      ))}
    </div>
  );
}

function Block({ block, button }: { block: PageBlock; button: BlocksProps['button'] }) {
  const run = (value: unknown) => <Run value={value} button={button} />;
  const credit = block.credit === undefined ? null : <cite>{run(block.credit)}</cite>;
  switch (block.type) {
    case 'paragraph':
      return <p>{run(block.text)}</p>;
    case 'footer':
      return <p class="footer">{run(block.text)}</p>;
    case 'heading':
      return <p class={`heading size-${String(block.size)}`}>{run(block.text)}</p>;
    case 'pre':
      return <Code text={plain(block.text)} language={text(block.language) || undefined} />;
    case 'divider':
      return <hr />;
    case 'mathematical_expression':
      return <code>{text(block.expression)}</code>;
    case 'thinking':
      return <p class="thinking">{run(block.text)}</p>;
    case 'list':
      return (
        <div class="list">
          {list(block.items).map((entry, at) => {
            const item = record(entry);
            const mark = item.has_checkbox === true ? (item.is_checked === true ? '☑' : '☐') : text(item.label);
            return (
              <div key={`${at}`} class="item">
                <span>{mark}</span>
                <RichBlocks blocks={item.blocks} button={button} />
              </div>
            );
          })}
        </div>
      );
    case 'blockquote':
      return (
        <blockquote>
          <RichBlocks blocks={block.blocks} button={button} />
          {credit}
        </blockquote>
      );
    case 'expandable_blockquote':
    case 'pullquote':
      return (
        <blockquote>
          {run(block.text)}
          {credit}
        </blockquote>
      );
    case 'details':
      return (
        <details open={block.is_open === true}>
          <summary>{run(block.summary)}</summary>
          <RichBlocks blocks={block.blocks} button={button} />
        </details>
      );
    case 'table':
      return <Table block={block} button={button} />;
    case 'buttons':
      return (
        <div class={`rich-buttons ${text(block.align)}`}>
          {list(block.buttons).map((entry) => button(buttonOf(record(entry))))}
        </div>
      );
    default:
      return null;
  }
}

function Table({ block, button }: { block: PageBlock; button: BlocksProps['button'] }) {
  return (
    <div class="table">
      <table class={block.is_striped === true ? 'striped' : ''}>
        {block.caption === undefined ? null : (
          <caption>
            <Run value={block.caption} button={button} />
          </caption>
        )}
        <tbody>
          {list(block.cells).map((row, at) => (
            <tr key={`${at}`}>
              {list(row).map((entry, column) => {
                const cell = record(entry);
                const span = { colSpan: Number(cell.colspan ?? 1), rowSpan: Number(cell.rowspan ?? 1) };
                const Cell = cell.is_header === true ? 'th' : 'td';
                return (
                  <Cell key={`${column}`} {...span} style={{ textAlign: text(cell.align) || 'left' }}>
                    <Run value={cell.text} button={button} />
                  </Cell>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A RichText: a string, an array, or an object around one. */
function Run({ value, button }: { value: unknown; button: BlocksProps['button'] }) {
  if (typeof value === 'string') return <>{value}</>;
  if (Array.isArray(value)) {
    return (
      <>
        {value.map((entry, at) => (
          <Run key={`${at}`} value={entry} button={button} />
        ))}
      </>
    );
  }
  const run = record(value);
  const inner = <Run value={run.text ?? ''} button={button} />;
  switch (run.type) {
    case 'bold':
      return <b>{inner}</b>;
    case 'italic':
      return <i>{inner}</i>;
    case 'underline':
      return <u>{inner}</u>;
    case 'strikethrough':
      return <s>{inner}</s>;
    case 'spoiler':
      return <Spoiler>{inner}</Spoiler>;
    case 'subscript':
      return <sub>{inner}</sub>;
    case 'superscript':
      return <sup>{inner}</sup>;
    case 'marked':
      return <mark>{inner}</mark>;
    case 'code':
      return <code>{inner}</code>;
    case 'url':
      return <Link href={text(run.url)}>{inner}</Link>;
    case 'email_address':
      return <Link href={`mailto:${text(run.email_address)}`}>{inner}</Link>;
    case 'date_time':
      return (
        <Moment unix={Number(run.unix_time)} format={text(run.date_time_format)}>
          {inner}
        </Moment>
      );
    case 'button':
      return <>{button(buttonOf(record(run.button)))}</>;
    case 'custom_emoji':
      return <>{text(run.alternative_text)}</>;
    case 'mathematical_expression':
      return <code>{text(run.expression)}</code>;
    default:
      return <span class="found">{inner}</span>;
  }
}

function plain(value: unknown): string {
  if (typeof value === 'string') return value;
  return Array.isArray(value) ? value.map(plain).join('') : plain(record(value).text ?? '');
}

function buttonOf(button: Json): PageButton {
  const style = text(button.style);
  return {
    text: plain(button.text),
    style: style === 'danger' || style === 'success' || style === 'primary' || style === 'link' ? style : undefined,
    callback_data: text(button.callback_data) || undefined,
    url: text(button.url) || undefined,
    copy: text(record(button.copy_text).text) || undefined,
  };
}
