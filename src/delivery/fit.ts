import type { Capabilities } from '../contracts/chat-adapter.ts';
import { type Block, plain, type View, type ViewFile } from '../contracts/view.ts';
import { fitBlock } from './fit-block.ts';
import { createMeasure, inFence, type Measure } from './measure.ts';
import { shorten } from './neutralise.ts';
import { plainText } from './plain-text.ts';
import { splitText } from './split.ts';
import { count } from './units.ts';

/** A view as one platform can carry it. */
export interface FittedView {
  /** Messages in order, none with files, each within the limits. At least one. */
  messages: View[];
  /** Files that go after the first message: those of the view and those that long texts became. */
  files: ViewFile[];
}

export interface FitOptions {
  /** A view that would take more messages than this has its longest text moved into a file. */
  maxMessages: number;
}

const fallbackLength = 300;
/** Lines of a text shown when the whole of it goes into a file. */
const shownHead = 8;
const shownTail = 12;

/**
 * Fits a view to what a platform can carry. Nothing is ever cut: text goes on in the next block or message, or stands in a file with its
 * start and end shown and said so. Pure and deterministic: the same view gives the same messages.
 */
export function fitView(view: View, capabilities: Capabilities, options: FitOptions = { maxMessages: 3 }): FittedView {
  const measure = createMeasure(capabilities.text);
  const files = [...(view.files ?? [])];
  let blocks: Block[] = view.blocks.length === 0 ? [{ type: 'text', spans: [plain(view.fallback)] }] : view.blocks;
  let messages = pack(blocks, capabilities, measure);
  while (messages.length > options.maxMessages && capabilities.files !== undefined) {
    const moved = moveLongest(blocks, files, capabilities, measure);
    if (moved === undefined) break;
    blocks = moved;
    messages = pack(blocks, capabilities, measure);
  }
  return {
    messages: messages.map((message, at) => ({
      fallback: shorten(at === 0 ? view.fallback : firstText(message, view.fallback), fallbackLength),
      blocks: message,
      // The last message is the one to answer: it has the buttons.
      ...(view.asks === undefined || at < messages.length - 1 ? {} : { asks: view.asks }),
    })),
    files,
  };
}

/** The same view as plain text, for a platform that refused its content. Buttons stay when asked for. */
export function plainView(view: View, buttons: boolean): View {
  const text = view.blocks
    .map(plainText)
    .filter((part) => part.trim() !== '')
    .join('\n\n');
  const kept = buttons ? view.blocks.filter(({ type }) => type === 'buttons' || type === 'select') : [];
  return { ...view, blocks: [{ type: 'text', spans: [plain(text === '' ? view.fallback : text)] }, ...kept] };
}

/** Fills messages with blocks, in order. */
function pack(blocks: readonly Block[], capabilities: Capabilities, measure: Measure): Block[][] {
  const { maxMessage, maxBlocks } = capabilities.text;
  const messages: Block[][] = [];
  let current: Block[] = [];
  let length = 0;
  let pressed = 0;

  function close(): void {
    if (current.length > 0) messages.push(current);
    current = [];
    length = 0;
    pressed = 0;
  }

  function add(block: Block): void {
    current.push(block);
    length += measure.block(block);
    if (block.type === 'buttons') pressed += block.buttons.length;
  }

  for (const block of blocks.flatMap((one) => fitBlock(one, narrowed(capabilities), measure))) {
    const buttons = block.type === 'buttons' ? block.buttons.length : 0;
    const full =
      length + measure.block(block) > maxMessage ||
      current.length + 1 > maxBlocks ||
      pressed + buttons > (capabilities.buttons?.perMessage ?? 0);
    if (full && current.length > 0) {
      // Buttons belong to words: the last words come along to the next message.
      const words = isControl(block) && current.length > 1 && !isControl(current.at(-1)) ? current.pop() : undefined;
      close();
      if (words !== undefined) add(words);
      if (words !== undefined && length + measure.block(block) > maxMessage) close();
    }
    add(block);
  }
  close();
  return messages.length === 0 ? [[]] : messages;
}

/** A block alone must also fit a message. */
function narrowed(capabilities: Capabilities): Capabilities {
  const { text } = capabilities;
  return { ...capabilities, text: { ...text, maxBlock: Math.min(text.maxBlock, text.maxMessage) } };
}

function isControl(block: Block | undefined): boolean {
  return block?.type === 'buttons' || block?.type === 'select';
}

/** Moves the longest text into a file; undefined when no text is longer than what would stay of it. */
function moveLongest(
  blocks: readonly Block[],
  files: ViewFile[],
  capabilities: Capabilities,
  measure: Measure,
): Block[] | undefined {
  let longest = -1;
  let most = 0;
  for (const [at, block] of blocks.entries()) {
    const length = block.type === 'code' || block.type === 'text' || block.type === 'table' ? measure.block(block) : 0;
    if (length > most) [longest, most] = [at, length];
  }
  const block = blocks[longest];
  const room = Math.floor(Math.min(capabilities.text.maxBlock, capabilities.text.maxMessage / 2) / 3);
  if (block === undefined || most <= 3 * room) return undefined;
  const text = plainText(block);
  const name = freeName(files, block.type === 'code' && block.language === 'diff' ? 'changes.diff' : 'output.txt');
  files.push({
    from: 'text',
    name,
    text,
    ...(block.type === 'code' && block.language !== undefined ? { language: block.language } : {}),
  });
  return [
    ...blocks.slice(0, longest),
    ...excerpt(text, block.type === 'text', name, room, capabilities),
    ...blocks.slice(longest + 1),
  ];
}

/** Start and end of a text that is in a file, and the words that say so. */
function excerpt(text: string, prose: boolean, name: string, room: number, capabilities: Capabilities): Block[] {
  const measure = inFence(capabilities.text);
  const show = (part: string): Block => (prose ? { type: 'text', spans: [plain(part)] } : { type: 'code', text: part });
  const lines = text.replace(/\n$/, '').split('\n');
  const head: string[] = [];
  for (const line of lines.slice(0, shownHead)) {
    if (measure.text([...head, line].join('\n')) > room) break;
    head.push(line);
  }
  const tail: string[] = [];
  for (const line of lines.slice(head.length).slice(-shownTail).reverse()) {
    if (measure.text([line, ...tail].join('\n')) > room) break;
    tail.unshift(line);
  }
  const between = lines.length - head.length - tail.length;
  if (head.length === 0 && tail.length === 0) {
    const [start = ''] = splitText(text, room, measure, 'prose');
    return [show(start), { type: 'context', spans: [plain(`The text goes on; the whole of it is in the attached ${name}.`)] }];
  }
  return [
    ...(head.length === 0 ? [] : [show(head.join('\n'))]),
    {
      type: 'context',
      spans: [
        plain(
          `${count(between, 'line')} of ${count(lines.length, 'line')} not shown here; the whole text is in the attached ${name}.`,
        ),
      ],
    },
    ...(tail.length === 0 ? [] : [show(tail.join('\n'))]),
  ];
}

function freeName(files: readonly ViewFile[], name: string): string {
  const dot = name.lastIndexOf('.');
  for (let n = 1; ; n += 1) {
    const candidate = n === 1 ? name : `${name.slice(0, dot)}-${n}${name.slice(dot)}`;
    if (!files.some((file) => file.name === candidate)) return candidate;
  }
}

function firstText(blocks: readonly Block[], otherwise: string): string {
  const text = blocks.map(plainText).find((part) => part.trim() !== '');
  return text === undefined ? otherwise : text.trim();
}
