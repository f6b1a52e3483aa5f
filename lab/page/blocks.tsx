import type { LabBlock, LabState } from '../page-api.ts';
import { Element, type ElementHost, textOf } from './elements.tsx';
import { type Json, list, record, text } from './json.ts';
import { Mrkdwn } from './mrkdwn.tsx';
import { RichText } from './rich-text.tsx';

interface BlocksProps {
  blocks: LabBlock[];
  state: LabState;
  host: ElementHost;
  /** Of a modal, by block id. */
  errors?: Record<string, string>;
}

export function Blocks({ blocks, state, host, errors = {} }: BlocksProps) {
  return (
    <div class="blocks">
      {blocks.map((block) => (
        <BlockView key={block.block_id} block={block} state={state} host={host} error={errors[block.block_id]} />
      ))}
    </div>
  );
}

function BlockView({
  block,
  state,
  host,
  error,
}: {
  block: LabBlock;
  state: LabState;
  host: ElementHost;
  error: string | undefined;
}) {
  switch (block.type) {
    case 'header':
      return <h3 class="block-header">{textOf(block.text)}</h3>;
    case 'section':
      return <Section block={block} state={state} host={host} />;
    case 'context':
      return (
        <div class="context">
          {list(block.elements).map((element, at) =>
            element.type === 'image' ? (
              <img key={at} src={text(element.image_url)} alt={text(element.alt_text)} />
            ) : (
              <span key={at}>
                <TextObject object={element} state={state} />
              </span>
            ),
          )}
        </div>
      );
    case 'divider':
      return <hr />;
    case 'actions':
      return (
        <div class="actions">
          {list(block.elements).map((element) => (
            <Element key={text(element.action_id)} element={element} block={block.block_id} host={host} input={false} />
          ))}
        </div>
      );
    case 'input':
      return <Input block={block} host={host} error={error} />;
    case 'rich_text':
      return <RichText elements={list(block.elements)} state={state} />;
    case 'markdown':
      return <div class="markdown">{text(block.text)}</div>;
    case 'image':
      return <img class="block-image" src={text(block.image_url)} alt={text(block.alt_text)} />;
    case 'table':
      return <Table block={block} state={state} />;
    default:
      return <div class="unknown">{block.type}</div>;
  }
}

function TextObject({ object, state }: { object: unknown; state: LabState }) {
  if (record(object).type === 'mrkdwn') return <Mrkdwn text={text(record(object).text)} state={state} />;
  return <span>{textOf(object)}</span>;
}

function Section({ block, state, host }: { block: LabBlock; state: LabState; host: ElementHost }) {
  return (
    <div class="section">
      <div class="section-body">
        {block.text === undefined ? null : <TextObject object={block.text} state={state} />}
        {block.fields === undefined ? null : (
          <div class="fields">
            {list(block.fields).map((field, at) => (
              <div key={at}>
                <TextObject object={field} state={state} />
              </div>
            ))}
          </div>
        )}
      </div>
      {block.accessory === undefined ? null : (
        <Element element={record(block.accessory)} block={block.block_id} host={host} input={false} />
      )}
    </div>
  );
}

function Input({ block, host, error }: { block: LabBlock; host: ElementHost; error: string | undefined }) {
  const element = record(block.element);
  const id = `input-${block.block_id}`;
  return (
    <div class={`input ${error === undefined ? '' : 'invalid'}`}>
      <label for={id}>
        {textOf(block.label)}
        {block.optional === true ? <span class="optional"> (optional)</span> : null}
      </label>
      <Element element={element} block={block.block_id} host={host} input={block.dispatch_action !== true} id={id} />
      {error === undefined ? null : <p class="error">{error}</p>}
      {block.hint === undefined ? null : <p class="hint">{textOf(block.hint)}</p>}
    </div>
  );
}

function Table({ block, state }: { block: LabBlock; state: LabState }) {
  const rows = Array.isArray(block.rows) ? block.rows.map((row) => list(row)) : [];
  const settings = list(block.column_settings);
  const [head, ...body] = rows;
  const cell = (value: Json, at: number, Tag: 'th' | 'td') => (
    <Tag key={at} style={{ textAlign: (text(settings[at]?.align) || 'left') as 'left' | 'right' }}>
      {value.type === 'rich_text' ? <RichText elements={list(value.elements)} state={state} /> : text(value.text)}
    </Tag>
  );
  return (
    <div class="table-scroll">
      <table>
        <thead>
          <tr>{head?.map((value, at) => cell(value, at, 'th'))}</tr>
        </thead>
        <tbody>
          {body.map((row, at) => (
            <tr key={at}>{row.map((value, column) => cell(value, column, 'td'))}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
