import { accessories, actionElements, button, contextActionElements, contextElements, inputElements } from './block-elements.ts';
import { anyText, imageElement, imageFields, imageSource, mrkdwn, plainText, rawText } from './block-objects.ts';
import { newId } from './ids.ts';
import { isRecord, type Json } from './json.ts';
import type { Block } from './model.ts';
import { richText, richTextFields } from './rich-text.ts';
import { all, anything, boolean, byType, type Check, type Context, fail, list, number, object, oneOf, string } from './schema.ts';

/** Block types, the rules that span several blocks, and the ids Slack fills in. Limits: Block Kit reference, @slack/types 3.2. */

const id = { block_id: string({ max: 255 }) };
const url = string({ min: 1, max: 3000 });

function block(type: string, required: Record<string, Check>, optional: Record<string, Check> = {}): Check {
  return object({ type: oneOf(type), ...required }, { ...id, ...optional });
}

const textOrFields: Check = (value, at, context) => {
  if (isRecord(value) && value.text === undefined && value.fields === undefined)
    fail(context, at, 'must define either `text` or `fields`');
};

const card = all(
  block(
    'card',
    {},
    {
      hero_image: imageElement,
      icon: imageElement,
      title: mrkdwn(150),
      subtitle: mrkdwn(150),
      body: mrkdwn(200),
      actions: list(button, { max: 25 }),
    },
  ),
  (value, at, context) => {
    if (!isRecord(value)) return;
    if (![value.hero_image, value.title, value.actions, value.body].some((part) => part !== undefined)) {
      fail(context, at, 'must define at least one of `hero_image`, `title`, `actions`, `body`');
    }
  },
);

const cell = byType({
  raw_text: rawText,
  raw_number: object({ type: oneOf('raw_number'), value: number(), text: string({ min: 1 }) }),
  rich_text: richText,
});
const rows = list(list(cell, { max: 20 }), { max: 100 });

const status = oneOf('pending', 'in_progress', 'complete', 'error');
const source = object({ type: oneOf('url'), url, text: string({ min: 1 }) });
const taskCard = block(
  'task_card',
  { task_id: string({ min: 1 }), title: string({ min: 1 }), status },
  { details: richText, output: richText, sources: list(source, { max: 100 }) },
);

const basic: Record<string, Check> = {
  section: all(
    block(
      'section',
      {},
      { text: anyText(3000), fields: list(anyText(2000), { max: 10 }), accessory: byType(accessories), expand: boolean },
    ),
    textOrFields,
  ),
  header: block('header', { text: plainText(150) }),
  divider: block('divider', {}),
  image: all(
    block('image', { alt_text: string({ min: 1, max: 2000 }) }, { ...imageFields, title: plainText(2000) }),
    imageSource,
  ),
  context: block('context', { elements: list(byType(contextElements), { max: 10 }) }),
  actions: block('actions', { elements: list(byType(actionElements), { max: 25 }) }),
  input: block(
    'input',
    { label: plainText(2000), element: byType(inputElements) },
    { hint: plainText(2000), optional: boolean, dispatch_action: boolean },
  ),
  rich_text: block('rich_text', richTextFields),
  video: block(
    'video',
    { video_url: url, thumbnail_url: url, alt_text: string({ min: 1 }), title: plainText(199) },
    {
      title_url: url,
      author_name: string({ max: 49 }),
      provider_name: string(),
      provider_icon_url: url,
      description: plainText(200),
    },
  ),
  table: block(
    'table',
    { rows },
    { column_settings: list(object({}, { align: oneOf('left', 'center', 'right'), is_wrapped: boolean }), { max: 20 }) },
  ),
};

const everywhere: Record<string, Check> = {
  ...basic,
  alert: block('alert', { text: anyText(3000) }, { level: oneOf('default', 'info', 'warning', 'error', 'success') }),
  card,
  carousel: block('carousel', { elements: list(byType({ card }), { max: 10 }) }),
  container: all(
    block(
      'container',
      { child_blocks: list(byType(basic), { max: 10 }) },
      {
        title: plainText(150),
        rich_text_title: richText,
        subtitle: anyText(150),
        width: oneOf('narrow', 'standard', 'wide', 'full'),
        icon: imageElement,
        is_collapsible: boolean,
        default_collapsed: boolean,
        has_header_divider: boolean,
      },
    ),
    (value, at, context) => {
      if (isRecord(value) && value.title === undefined && value.rich_text_title === undefined)
        fail(context, at, 'missing required field: title');
    },
  ),
  data_table: block(
    'data_table',
    { rows, caption: string({ min: 1 }) },
    { page_size: number({ min: 1, max: 100 }), row_header_column_index: number({ min: 0, max: 19 }) },
  ),
  context_actions: block('context_actions', { elements: list(byType(contextActionElements), { max: 5 }) }),
};

/** `markdown`, tasks and plans exist in messages only. */
const inMessages: Record<string, Check> = {
  ...everywhere,
  markdown: block('markdown', { text: string({ min: 1, max: 12_000 }) }),
  task_card: taskCard,
  plan: block('plan', { title: string({ min: 1 }) }, { tasks: list(anything, { max: 50 }) }),
};

/**
 * Everything wrong with `blocks`, as Slack words it; empty when they are fine. `at` is the JSON pointer of the array
 * (`/blocks`, `/view/blocks`).
 */
export function checkBlocks(blocks: unknown, at: string, context: Omit<Context, 'problems'>): string[] {
  const full: Context = { ...context, problems: [] };
  const isMessage = context.surface === 'message';
  list(byType(isMessage ? inMessages : everywhere), { min: 0, max: isMessage ? 50 : 100 })(blocks, at, full);
  if (Array.isArray(blocks)) checkTogether(blocks.filter(isRecord), at, full);
  return full.problems;
}

function checkTogether(blocks: Json[], at: string, context: Context): void {
  const seen = new Set<string>();
  let markdown = 0;
  let tables = 0;
  let focused = 0;
  blocks.forEach((entry, index) => {
    const here = `${at}/${index}`;
    if (typeof entry.block_id === 'string') {
      if (seen.has(entry.block_id)) fail(context, `${here}/block_id`, `\`block_id\` already exists: ${entry.block_id}`);
      seen.add(entry.block_id);
    }
    if (entry.type === 'markdown' && typeof entry.text === 'string') markdown += entry.text.length;
    if (entry.type === 'table') tables += 1;
    const actions = new Set<string>();
    for (const element of elementsOf(entry)) {
      if (element.focus_on_load === true) focused += 1;
      if (element.type === 'file_input' && context.surface !== 'modal') fail(context, here, 'unsupported type: file_input');
      if (typeof element.action_id !== 'string') continue;
      if (actions.has(element.action_id)) fail(context, here, `\`action_id\` already exists: ${element.action_id}`);
      actions.add(element.action_id);
    }
  });
  if (markdown > 12_000) fail(context, at, 'must be less than 12001 characters of markdown in total');
  if (tables > 1) fail(context, at, 'only_one_table_allowed');
  if (focused > 1) fail(context, at, 'only one element can have `focus_on_load`');
}

/** The interactive elements of one block, nested cards and containers included, in reading order. */
export function elementsOf(block: Json): Json[] {
  const direct = [block.accessory, block.element, ...(Array.isArray(block.elements) ? block.elements : [])];
  const actions = Array.isArray(block.actions) ? block.actions : [];
  const children = Array.isArray(block.child_blocks) ? block.child_blocks : [];
  const nested = [...direct, ...children].filter(isRecord).filter((entry) => entry.type === 'card' || children.includes(entry));
  return [...direct, ...actions, ...nested.flatMap(elementsOf)].filter(isRecord).filter(isInteractive);
}

const INTERACTIVE =
  /^(button|workflow_button|icon_button|feedback_buttons|overflow|checkboxes|radio_buttons|\w*picker|\w+_select|\w+_text_input|number_input|file_input)$/;

function isInteractive(element: Json): boolean {
  return typeof element.type === 'string' && INTERACTIVE.test(element.type);
}

/** A deep copy with the ids and flags Slack adds: `block_id`, `action_id`, `emoji` of plain texts, `verbatim` of mrkdwn. */
export function storedBlocks(blocks: unknown): Block[] {
  if (!Array.isArray(blocks)) return [];
  const copy: unknown[] = structuredClone(blocks);
  return copy.filter(isRecord).map((entry) => {
    complete(entry);
    return {
      ...entry,
      type: String(entry.type),
      block_id: typeof entry.block_id === 'string' && entry.block_id !== '' ? entry.block_id : newId('', 5),
    };
  });
}

function complete(value: unknown): void {
  if (Array.isArray(value)) {
    for (const entry of value) complete(entry);
    return;
  }
  if (!isRecord(value)) return;
  if (value.type === 'plain_text') value.emoji ??= true;
  else if (value.type === 'mrkdwn') value.verbatim ??= false;
  else if (isInteractive(value)) value.action_id ??= newId('', 5);
  for (const entry of Object.values(value)) complete(entry);
}

/**
 * Slack's undocumented cap on the size of a message's blocks (`msg_blocks_too_long`). Reports place it at 13,297 characters inside
 * one markdown block and lower as containers are added (slackapi/bolt-js#2509, #2867): that is the length of the blocks as JSON.
 */
const MAX_BLOCKS_JSON = 13_328;

export function blocksTooLong(blocks: unknown): boolean {
  return JSON.stringify(blocks)?.length > MAX_BLOCKS_JSON;
}
