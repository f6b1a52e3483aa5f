import { isRecord, type Json } from '../slack/json.ts';
import { COMPONENT as C } from './flags.ts';
import { all, byType, type Check, fail, flag, integer, list, object, oneOf, snowflake, text, url } from './schema.ts';

/** What components in messages must look like. Limits: Discord's OpenAPI document and component reference. */

const id = { id: integer({ min: 0 }) };
export const customId = text({ min: 1, max: 100 });
const emoji = object({}, { id: snowflake, name: text({ max: 32 }), animated: flag });

const button: Check = all(
  object(
    { style: oneOf(1, 2, 3, 4, 5, 6) },
    {
      ...id,
      custom_id: customId,
      label: text({ max: 80 }),
      disabled: flag,
      url: all(text({ max: 512 }), url('http', 'https', 'discord')),
      sku_id: snowflake,
      emoji,
    },
  ),
  (value, path, problems) => {
    if (!isRecord(value)) return;
    const isLink = value.style === 5;
    const isPremium = value.style === 6;
    const { custom_id: own, url: address } = value;
    if (isLink && !address) fail(problems, [...path, 'url'], 'BASE_TYPE_REQUIRED', 'This field is required');
    if (isPremium && !value.sku_id) fail(problems, [...path, 'sku_id'], 'BASE_TYPE_REQUIRED', 'This field is required');
    if (own && (address || isLink || isPremium))
      fail(problems, path, 'BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE', 'A custom id and url cannot both be specified');
    if (!isLink && !isPremium && !own)
      fail(problems, path, 'BUTTON_COMPONENT_CUSTOM_ID_REQUIRED', 'A custom id is required for this button style');
    if (!isPremium && !value.label && !isRecord(value.emoji))
      fail(problems, path, 'BUTTON_COMPONENT_LABEL_REQUIRED', 'A label or an emoji is required');
  },
);

export const selectOption = object(
  { label: text({ min: 1, max: 100 }), value: text({ min: 1, max: 100 }) },
  { description: text({ max: 100 }), default: flag, emoji },
);

const selectFields = {
  ...id,
  placeholder: text({ max: 150 }),
  min_values: integer({ min: 0, max: 25 }),
  max_values: integer({ min: 1, max: 25 }),
  disabled: flag,
  required: flag,
};

/** `min_values` and `max_values` against each other and against the options. */
export const amounts: Check = (value, path, problems) => {
  if (!isRecord(value)) return;
  const min = typeof value.min_values === 'number' ? value.min_values : 1;
  const max = typeof value.max_values === 'number' ? value.max_values : Math.max(1, min);
  if (min > max)
    fail(problems, [...path, 'min_values'], 'SELECT_COMPONENT_INVALID_RANGE', 'The minimum is greater than the maximum');
  if (!Array.isArray(value.options)) return;
  const options = value.options.filter(isRecord);
  if (max > Math.max(1, options.length))
    fail(
      problems,
      [...path, 'max_values'],
      'SELECT_COMPONENT_INVALID_RANGE',
      'The maximum is greater than the number of options',
    );
  const values = options.map((option) => option.value);
  for (const [index, entry] of values.entries()) {
    if (values.indexOf(entry) !== index)
      fail(
        problems,
        [...path, 'options', index, 'value'],
        'SELECT_COMPONENT_OPTION_VALUE_DUPLICATED',
        'The specified option value is already used',
      );
  }
  if (options.filter((option) => option.default === true).length > max)
    fail(problems, [...path, 'options'], 'SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES', 'More default values than the maximum');
};

const autoSelect = all(
  object(
    { custom_id: customId },
    {
      ...selectFields,
      default_values: list(object({ id: snowflake, type: oneOf('user', 'role', 'channel') }), { max: 25 }),
      channel_types: list(integer({ min: 0, max: 16 }), { max: 20 }),
    },
  ),
  amounts,
);

export const selects: Record<number, Check> = {
  [C.STRING_SELECT]: all(
    object({ custom_id: customId, options: list(selectOption, { min: 1, max: 25 }) }, selectFields),
    amounts,
  ),
  [C.USER_SELECT]: autoSelect,
  [C.ROLE_SELECT]: autoSelect,
  [C.MENTIONABLE_SELECT]: autoSelect,
  [C.CHANNEL_SELECT]: autoSelect,
};

const actionRow: Check = all(
  object({ components: list(byType({ [C.BUTTON]: button, ...selects }), { min: 1, max: 5 }) }, id),
  (value, path, problems) => {
    if (!isRecord(value) || !Array.isArray(value.components)) return;
    const hasSelect = value.components.some((entry) => isRecord(entry) && entry.type !== C.BUTTON);
    if (hasSelect && value.components.length > 1)
      fail(
        problems,
        [...path, 'components', 1],
        'COMPONENT_LAYOUT_WIDTH_EXCEEDED',
        'The specified component exceeds the maximum width',
      );
  },
);

export const textDisplay = object({ content: text({ min: 1, max: 4000 }) }, id);
const media = object({ url: url('http', 'https', 'attachment') });
const thumbnail = object({ media }, { ...id, description: text({ min: 1, max: 1024 }), spoiler: flag });
const layout: Record<number, Check> = {
  [C.ACTION_ROW]: actionRow,
  [C.SECTION]: object(
    {
      components: list(byType({ [C.TEXT_DISPLAY]: textDisplay }), { min: 1, max: 3 }),
      accessory: byType({ [C.BUTTON]: button, [C.THUMBNAIL]: thumbnail }),
    },
    id,
  ),
  [C.TEXT_DISPLAY]: textDisplay,
  [C.MEDIA_GALLERY]: object(
    { items: list(object({ media }, { description: text({ min: 1, max: 1024 }), spoiler: flag }), { min: 1, max: 10 }) },
    id,
  ),
  [C.FILE]: object({ file: object({ url: url('attachment') }) }, { ...id, spoiler: flag }),
  [C.SEPARATOR]: object({}, { ...id, spacing: oneOf(1, 2), divider: flag }),
};
const container = object(
  { components: list(byType(layout), { min: 1, max: 40 }) },
  { ...id, accent_color: integer({ min: 0, max: 0xffffff }), spoiler: flag },
);

const MAX_COMPONENTS = 40;
const MAX_TEXT = 4_000;

/** Top level of a message: rows only, or with the flag IS_COMPONENTS_V2 every layout. */
export function messageComponents(isV2: boolean): Check {
  const tree = isV2
    ? list(byType({ ...layout, [C.CONTAINER]: container }), { max: MAX_COMPONENTS })
    : list(byType({ [C.ACTION_ROW]: actionRow }), { max: 5 });
  return all(tree, uniqueIds, (value, path, problems) => {
    if (!isV2 || !Array.isArray(value)) return;
    const every = flatten(value);
    if (every.length > MAX_COMPONENTS)
      fail(problems, path, 'COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED', `The maximum of ${MAX_COMPONENTS} components is exceeded`);
    const length = every.reduce((sum, entry) => sum + textLength(entry), 0);
    if (length > MAX_TEXT)
      fail(
        problems,
        path,
        'COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED',
        `The displayable text of the components exceeds the maximum of ${MAX_TEXT} characters`,
      );
  });
}

function textLength(component: Json): number {
  return component.type === C.TEXT_DISPLAY && typeof component.content === 'string' ? component.content.length : 0;
}

/** Custom ids, and ids where the app gives them, occur once. */
export const uniqueIds: Check = (value, path, problems) => {
  const seen = new Set<unknown>();
  const visit = (node: unknown, at: readonly (string | number)[]): void => {
    if (Array.isArray(node)) {
      for (const [index, entry] of node.entries()) visit(entry, [...at, index]);
      return;
    }
    if (!isRecord(node)) return;
    if (typeof node.custom_id === 'string') {
      if (seen.has(node.custom_id))
        fail(problems, [...at, 'custom_id'], 'COMPONENT_CUSTOM_ID_DUPLICATED', 'Component custom id cannot be duplicated');
      seen.add(node.custom_id);
    }
    if (typeof node.type === 'number' && typeof node.id === 'number' && node.id > 0) {
      if (seen.has(node.id)) fail(problems, [...at, 'id'], 'COMPONENT_ID_DUPLICATED', 'Component id cannot be duplicated');
      seen.add(node.id);
    }
    for (const key of ['components', 'accessory', 'component']) visit(node[key], [...at, key]);
  };
  visit(value, path);
};

/** Every component of a tree, nested ones included, in reading order. */
export function flatten(components: unknown): Json[] {
  if (Array.isArray(components)) return components.flatMap(flatten);
  if (!isRecord(components)) return [];
  return [components, ...flatten(components.components), ...flatten(components.component), ...flatten(components.accessory)];
}
