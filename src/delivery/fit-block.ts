import type { Capabilities } from '../contracts/chat-adapter.ts';
import { decodePress } from '../contracts/press.ts';
import { type Block, bold, code, plain, type Span } from '../contracts/view.ts';
import { fenceLength, inFence, type Measure } from './measure.ts';
import { stepLine, tableText } from './plain-text.ts';
import { splitSpans, splitText } from './split.ts';

type Of<T extends Block['type']> = Extract<Block, { type: T }>;

const fieldsPerBlock = 10;

/** One block as the blocks that say the same within the limits of a platform. Nothing is left out. */
export function fitBlock(block: Block, capabilities: Capabilities, measure: Measure): Block[] {
  const { maxBlock, maxTitle } = capabilities.text;
  switch (block.type) {
    case 'title':
      return measure.block(block) <= Math.min(maxTitle, maxBlock) ? [block] : longTitle(block, maxBlock, measure);
    case 'text':
    case 'context':
      return splitSpans(block.spans, maxBlock, measure).map((spans) => ({ type: block.type, spans }));
    case 'code':
      return fitCode(block, capabilities);
    case 'steps':
      return fitSteps(block, maxBlock, measure);
    case 'fields':
      return fitFields(block, maxBlock, measure);
    case 'table':
      return fitTable(block, maxBlock, measure);
    case 'buttons':
      return fitButtons(block, capabilities, measure);
    case 'select':
      return fitSelect(block, capabilities, measure);
    case 'divider':
      return [block];
  }
}

function longTitle(block: Of<'title'>, limit: number, measure: Measure): Block[] {
  const state: Span[] = block.state === undefined ? [] : [plain(` · ${block.state.text}`)];
  const spans = block.spans.map((span): Span => (span.type === 'text' ? bold(span.text) : span));
  return splitSpans([...spans, ...state], limit, measure).map((piece) => ({ type: 'text', spans: piece }));
}

function fitCode(block: Of<'code'>, { text }: Capabilities): Block[] {
  const room = text.maxBlock - fenceLength - (block.language?.length ?? 0);
  const pieces = splitText(block.text, room, inFence(text), 'code');
  // A piece that ends with its line needs no empty line at the end of its own block.
  return pieces.map((piece, at) => ({ ...block, text: at < pieces.length - 1 ? piece.replace(/\n$/, '') : piece }));
}

function fitSteps(block: Of<'steps'>, limit: number, measure: Measure): Block[] {
  return gather(
    block.items,
    (items): Block => ({ type: 'steps', items }),
    (item) => splitSpans([plain(stepLine(item))], limit, measure).map((spans) => ({ type: 'text', spans })),
    (made) => measure.block(made) <= limit,
  );
}

function fitFields(block: Of<'fields'>, limit: number, measure: Measure): Block[] {
  return gather(
    block.items,
    (items): Block => ({ type: 'fields', items }),
    ({ label, spans }) =>
      splitSpans([bold(`${label}: `), ...spans], limit, measure).map((piece) => ({ type: 'text', spans: piece })),
    (made) => measure.block(made) <= limit && (made.type !== 'fields' || made.items.length <= fieldsPerBlock),
  );
}

/** Puts items together as long as `fits` says yes; an item that fits nowhere is written out by `alone`. */
function gather<T>(
  items: readonly T[],
  make: (items: T[]) => Block,
  alone: (item: T) => Block[],
  fits: (block: Block) => boolean,
): Block[] {
  const blocks: Block[] = [];
  let current: T[] = [];
  function close(): void {
    if (current.length > 0) blocks.push(make(current));
    current = [];
  }
  for (const item of items) {
    if (fits(make([...current, item]))) {
      current.push(item);
      continue;
    }
    close();
    if (fits(make([item]))) current.push(item);
    else blocks.push(...alone(item));
  }
  close();
  return blocks;
}

/** Pages of rows, each with the header; a table whose rows are too wide becomes lists of "header: cell". */
function fitTable(block: Of<'table'>, limit: number, measure: Measure): Block[] {
  if (measure.block(block) <= limit) return [block];
  const line =
    Math.max(
      ...tableText(block)
        .split('\n')
        .map((text) => measure.text(text)),
    ) + 1;
  const rowsPerPage = Math.floor((limit - fenceLength) / line) - 1;
  if (rowsPerPage >= 1) {
    const pages: Block[] = [];
    for (let at = 0; at < block.rows.length; at += rowsPerPage) {
      pages.push({ ...block, rows: block.rows.slice(at, at + rowsPerPage) });
    }
    if (pages.every((page) => measure.block(page) <= limit)) return pages;
  }
  return block.rows.flatMap((row) => {
    const cells = row.flatMap((cell, at): Span[] => {
      const header = block.columns[at]?.header ?? '';
      return [...(at === 0 ? [] : [plain('\n')]), ...(header === '' ? [] : [bold(`${header}: `)]), plain(cell)];
    });
    return splitSpans(cells, limit, measure).map((spans): Block => ({ type: 'text', spans }));
  });
}

function fitButtons(block: Of<'buttons'>, { buttons, text }: Capabilities, measure: Measure): Block[] {
  if (buttons === undefined) {
    const known = block.buttons.map(({ label, token }) => [bold(label), plain(': '), ...instead(token)]);
    const spans = known.flatMap((entry, at) => [...(at === 0 ? [] : [plain('\n')]), ...entry]);
    return splitSpans(spans, text.maxBlock, measure).map((piece) => ({ type: 'text', spans: piece }));
  }
  const long = block.buttons.filter(({ label }) => measure.text(label) > buttons.label);
  const fitted = block.buttons.map((button) =>
    long.includes(button)
      ? { ...button, label: `${button.label.slice(0, measure.fill(button.label, buttons.label - 1))}…` }
      : button,
  );
  const rows: Block[] = [];
  const perRow = Math.min(buttons.perRow, buttons.perMessage);
  for (let at = 0; at < fitted.length; at += perRow) rows.push({ type: 'buttons', buttons: fitted.slice(at, at + perRow) });
  if (long.length === 0) return rows;
  const labels = splitSpans([plain(long.map(({ label }) => label).join('\n'))], text.maxBlock, measure);
  return [...labels.map((spans): Block => ({ type: 'context', spans })), ...rows];
}

/** What a person writes where there is no button to press. */
function instead(token: string): Span[] {
  const press = decodePress(token);
  if (press?.kind === 'command') return [plain('write '), code(press.text)];
  if (press?.kind === 'task' && press.verb === 'steer') return [plain('answer in the thread')];
  if (press?.kind === 'change' && press.verb === 'review') return [plain('write '), code('diff')];
  if (press?.kind === 'task') return [plain('write '), code({ log: 'logs', patch: 'diff' }[press.verb as string] ?? press.verb)];
  return [plain('on another platform, or on the console')];
}

function fitSelect(block: Of<'select'>, { select, text }: Capabilities, measure: Measure): Block[] {
  if (select === undefined) {
    const lines = [block.placeholder, ...block.options.map(({ label }) => `- ${label}`)].join('\n');
    return splitSpans([plain(lines)], text.maxBlock, measure).map((spans) => ({ type: 'text', spans }));
  }
  const options = block.options.map(({ value, label }) =>
    measure.text(label) > select.label
      ? { value, label: `${label.slice(0, measure.fill(label, select.label - 1))}…` }
      : { value, label },
  );
  const pages = Math.ceil(options.length / select.options);
  return Array.from({ length: pages }, (_, page) => ({
    ...block,
    placeholder: pages === 1 ? block.placeholder : `${block.placeholder} (${page + 1} of ${pages})`,
    options: options.slice(page * select.options, (page + 1) * select.options),
  }));
}
