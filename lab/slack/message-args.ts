import { invalidArguments, invalidBlocks, SlackApiError } from './api-error.ts';
import type { Args } from './args.ts';
import { blocksTooLong, checkBlocks, storedBlocks } from './blocks.ts';
import type { Core } from './core.ts';
import { isRecord, type Json } from './json.ts';
import type { Block, Metadata } from './model.ts';

/** The content arguments that posting, updating, ephemeral messages, streams and response URLs share. */
export interface Content {
  /** Undefined when the call gave no text at all. */
  text: string | undefined;
  /** Undefined when the call gave no blocks at all. */
  blocks: Block[] | undefined;
  attachments: Json[] | undefined;
  /** `null` clears it (`metadata: {}`), undefined leaves it. */
  metadata: Metadata | null | undefined;
  warnings: string[];
}

const MAX_TEXT = 40_000;
const MAX_MARKDOWN = 12_000;
/** The cap is not documented; 16 KB of JSON is what is known to pass. */
const MAX_METADATA = 16_384;
const MAX_ATTACHMENTS = 100;

export function readContent(core: Core, args: Args, limits: { sizeCap: boolean } = { sizeCap: true }): Content {
  const markdown = args.text('markdown_text');
  if (markdown !== undefined && (args.has('text') || args.has('blocks'))) throw new SlackApiError('markdown_text_conflict');
  const content: Content = {
    text: args.text('text'),
    blocks: args.has('blocks') ? readBlocks(core, args, 'blocks', limits) : undefined,
    attachments: args.has('attachments') ? readAttachments(core, args) : undefined,
    metadata: args.has('metadata') ? readMetadata(args) : undefined,
    warnings: [],
  };
  if (markdown !== undefined && markdown !== '') {
    checkMarkdown(markdown);
    content.text = markdown;
    content.blocks = storedBlocks([{ type: 'markdown', text: markdown }]);
  }
  if (content.text !== undefined && content.text.length > MAX_TEXT) {
    content.text = content.text.slice(0, MAX_TEXT);
    content.warnings.push('message_truncated');
  }
  return content;
}

export function hasContent(content: Content): boolean {
  return (content.text ?? '').trim() !== '' || (content.blocks ?? []).length > 0 || (content.attachments ?? []).length > 0;
}

export function checkMarkdown(markdown: string): void {
  if (markdown.length > MAX_MARKDOWN) {
    throw invalidArguments(`must be less than ${MAX_MARKDOWN + 1} characters [json-pointer:/markdown_text]`);
  }
}

export function readBlocks(core: Core, args: Args, name: string, limits: { sizeCap: boolean } = { sizeCap: true }): Block[] {
  const value = args.json(name, 'invalid_blocks_format');
  if (!Array.isArray(value)) throw new SlackApiError('invalid_blocks_format');
  return acceptBlocks(core, value, `/${name}`, limits);
}

/** Checks message blocks and returns them as stored. Throws `invalid_blocks` or `msg_blocks_too_long`. */
export function acceptBlocks(
  core: Core,
  value: unknown[],
  at: string,
  limits: { sizeCap: boolean } = { sizeCap: true },
): Block[] {
  const problems = checkBlocks(value, at, { surface: 'message', usableImage: (reference) => isUsableImage(core, reference) });
  if (problems.length > 0) throw invalidBlocks(problems);
  if (limits.sizeCap && blocksTooLong(value)) throw new SlackApiError('msg_blocks_too_long');
  return storedBlocks(value);
}

/** An image block may show a completed upload of a PNG, JPEG or GIF. */
export function isUsableImage(core: Core, reference: { id?: string; url?: string }): boolean {
  const id = reference.id ?? /\b(F[0-9A-Z]{6,})\b/.exec(reference.url ?? '')?.[1];
  const file = id === undefined ? undefined : core.state.files.get(id);
  return file !== undefined && file.state === 'ready' && ['png', 'jpg', 'gif'].includes(file.filetype);
}

function readAttachments(core: Core, args: Args): Json[] {
  const value = args.json('attachments', 'invalid_attachments');
  if (!Array.isArray(value) || !value.every(isRecord)) throw new SlackApiError('invalid_attachments');
  if (value.length > MAX_ATTACHMENTS) throw new SlackApiError('too_many_attachments');
  return value.map((attachment, index) => {
    if (attachment.blocks === undefined) return attachment;
    if (!Array.isArray(attachment.blocks)) throw new SlackApiError('invalid_blocks_format');
    return { ...attachment, blocks: acceptBlocks(core, attachment.blocks, `/attachments/${index}/blocks`) };
  });
}

function readMetadata(args: Args): Metadata | null {
  const value = args.json('metadata', 'invalid_metadata_format');
  if (!isRecord(value)) throw new SlackApiError('invalid_metadata_format');
  if (Object.keys(value).length === 0) return null;
  const { event_type: type, event_payload: payload } = value;
  if (typeof type !== 'string' || type === '' || !isRecord(payload)) throw new SlackApiError('invalid_metadata_schema');
  if (JSON.stringify(value).length > MAX_METADATA) throw new SlackApiError('metadata_too_large');
  return { event_type: type, event_payload: payload };
}
