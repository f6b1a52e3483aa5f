import { isRecord } from '../slack/json.ts';
import { amounts, customId, selectOption, selects, textDisplay, uniqueIds } from './component-rules.ts';
import { COMPONENT as C } from './flags.ts';
import { all, byType, type Check, fail, flag, integer, list, object, oneOf, text } from './schema.ts';

/** What forms must look like: `ModalInteractionCallbackRequestData`, and one to five top-level components as the guide says. */

const id = { id: integer({ min: 0 }) };

const textInput: Check = all(
  object(
    { custom_id: customId, style: oneOf(1, 2) },
    {
      ...id,
      label: text({ min: 1, max: 45 }),
      value: text({ max: 4000 }),
      placeholder: text({ max: 100 }),
      required: flag,
      min_length: integer({ min: 0, max: 4000 }),
      max_length: integer({ min: 1, max: 4000 }),
    },
  ),
  (value, path, problems) => {
    if (!isRecord(value)) return;
    const min = typeof value.min_length === 'number' ? value.min_length : 0;
    const max = typeof value.max_length === 'number' ? value.max_length : 4000;
    if (min > max)
      fail(
        problems,
        [...path, 'min_length'],
        'TEXT_INPUT_INVALID_RANGE',
        'The minimum length is greater than the maximum length',
      );
    if (typeof value.value === 'string' && value.value.length > max)
      fail(problems, [...path, 'value'], 'BASE_TYPE_MAX_LENGTH', `Must be ${max} or fewer in length.`);
  },
);

/** A field that must be filled cannot allow zero choices, and nothing in a form is disabled. */
const fillable: Check = (value, path, problems) => {
  if (!isRecord(value)) return;
  if (value.min_values === 0 && value.required !== false)
    fail(problems, [...path, 'min_values'], 'SELECT_COMPONENT_INVALID_RANGE', 'A required field needs a minimum of at least 1');
  if (value.disabled === true)
    fail(problems, [...path, 'disabled'], 'COMPONENT_DISABLED_IN_MODAL', 'A component in a modal cannot be disabled');
};

const choice = object(
  { label: text({ min: 1, max: 100 }), value: text({ min: 1, max: 100 }) },
  { description: text({ max: 100 }), default: flag },
);

const inputs: Record<number, Check> = {
  [C.TEXT_INPUT]: textInput,
  ...Object.fromEntries(Object.entries(selects).map(([type, check]) => [type, all(check, fillable)])),
  [C.FILE_UPLOAD]: all(
    object(
      { custom_id: customId },
      { ...id, min_values: integer({ min: 0, max: 10 }), max_values: integer({ min: 1, max: 10 }), required: flag },
    ),
    amounts,
    fillable,
  ),
  [C.RADIO_GROUP]: object({ custom_id: customId, options: list(selectOption, { min: 2, max: 10 }) }, { ...id, required: flag }),
  [C.CHECKBOX_GROUP]: all(
    object(
      { custom_id: customId, options: list(choice, { min: 1, max: 10 }) },
      { ...id, min_values: integer({ min: 0, max: 10 }), max_values: integer({ min: 1, max: 10 }), required: flag },
    ),
    fillable,
  ),
  [C.CHECKBOX]: object({ custom_id: customId }, { ...id, default: flag }),
};

const label = object(
  { label: text({ min: 1, max: 45 }), component: byType(inputs) },
  { ...id, description: text({ min: 1, max: 100 }) },
);

/** The old form of a field: one text input with its own label in a row. */
const row = object(
  {
    components: list(byType({ [C.TEXT_INPUT]: all(textInput, object({ label: text({ min: 1, max: 45 }) })) }), {
      min: 1,
      max: 1,
    }),
  },
  id,
);

export const modal: Check = object({
  custom_id: customId,
  title: text({ min: 1, max: 45 }),
  components: all(
    list(byType({ [C.ACTION_ROW]: row, [C.LABEL]: label, [C.TEXT_DISPLAY]: textDisplay }), { min: 1, max: 5 }),
    uniqueIds,
  ),
});
