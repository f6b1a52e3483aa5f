import { Refused } from '../refused.ts';
import type { Core } from './core.ts';
import { allElements, type Found, type InputValue, type InputValues, labelOf } from './elements.ts';
import type { Place } from './interactions.ts';
import { isRecord, type Json, stringOf } from './json.ts';
import type { Block } from './model.ts';
import { wireMessage } from './payloads.ts';

/** Finding elements and options by what people read on them. */

/** A value as a test writes it: option labels may stand for option values. */
export type FlatValue = InputValue;
/** By label, block id or action id. */
export type FlatValues = Record<string, FlatValue>;

/** The element with this label or action id. An option's label or value finds its overflow, radio or feedback element too. */
export function pickElement(
  core: Core,
  place: Place,
  what: string,
  value: FlatValue | undefined,
): { blocks: Block[]; block_id: string; action_id: string; value: InputValue | undefined } {
  const wired = 'view' in place ? place.view.blocks : wireMessage(core, place.message).blocks;
  const blocks: Block[] = Array.isArray(wired) ? wired : [];
  const all = allElements(blocks);
  const found =
    only(all.filter(isNamed(what)), what) ??
    only(
      all.filter((entry) => optionNamed(entry.element, what)),
      what,
    );
  if (!found) {
    const known = all.map((entry) => `"${labelOf(entry) || String(entry.element.action_id)}"`).join(', ');
    throw new Refused('element_not_found', `nothing is called "${what}"; there is ${known || 'nothing to press'}`);
  }
  const option = optionNamed(found.element, what);
  const chosen = value === undefined ? stringOf(option?.value) : resolve(found.element, value);
  return { blocks, block_id: found.block.block_id, action_id: String(found.element.action_id), value: chosen };
}

/** Turns values by label, block id or action id into values by block and action id. */
export function fieldValues(blocks: Block[], values: FlatValues): InputValues {
  const result: InputValues = {};
  const all = allElements(blocks);
  for (const [name, value] of Object.entries(values)) {
    const found = only(
      all.filter((entry) => entry.block.block_id === name || isNamed(name)(entry)),
      name,
    );
    if (!found) {
      const known = all.map((entry) => `"${labelOf(entry) || entry.block.block_id}"`).join(', ');
      throw new Refused('element_not_found', `no field is called "${name}"; there are ${known || 'none'}`);
    }
    const { block_id } = found.block;
    result[block_id] = { ...result[block_id], [String(found.element.action_id)]: resolve(found.element, value) };
  }
  return result;
}

function isNamed(name: string): (entry: Found) => boolean {
  return (entry) => labelOf(entry) === name || entry.element.action_id === name;
}

function only(found: Found[], name: string): Found | undefined {
  if (found.length > 1) {
    const ids = found.map((entry) => `${entry.block.block_id}/${String(entry.element.action_id)}`).join(', ');
    throw new Refused('element_ambiguous', `"${name}" is the name of several elements: ${ids}`);
  }
  return found[0];
}

function resolve(element: Json, value: FlatValue): InputValue {
  if (value === null) return null;
  const one = (entry: string) => stringOf(optionNamed(element, entry)?.value) ?? entry;
  return Array.isArray(value) ? value.map(one) : one(value);
}

/** An option of the element by label or value. */
function optionNamed(element: Json, name: string): Json | undefined {
  const groups = Array.isArray(element.option_groups) ? element.option_groups.filter(isRecord) : [];
  const lists = [element, ...groups].flatMap((holder) => (Array.isArray(holder.options) ? holder.options : []));
  const options = [...lists, element.positive_button, element.negative_button].filter(isRecord);
  return options.find((option) => option.value === name || (isRecord(option.text) && option.text.text === name));
}
