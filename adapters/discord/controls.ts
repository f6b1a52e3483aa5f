import {
  type APIActionRowComponent,
  type APIButtonComponentWithCustomId,
  type APIComponentInMessageActionRow,
  ButtonStyle,
  ComponentType,
} from 'discord-api-types/v10';
import type { Block, Button } from '../../src/contracts/view.ts';
import { label } from './discord-text.ts';

type Select = Extract<Block, { type: 'select' }>;
export type ControlRow = APIActionRowComponent<APIComponentInMessageActionRow>;

/** Discord's limits (components reference). */
const limits = { perRow: 5, buttonLabel: 80, options: 25, optionText: 100, placeholder: 150 };
const styles = { default: ButtonStyle.Secondary, primary: ButtonStyle.Primary, danger: ButtonStyle.Danger } as const;

/**
 * What comes back of a control: its token, and whether it opens a form, which has to be the first answer to a press. The position makes
 * it unique within the message, as Discord wants it.
 */
export interface Pressed {
  kind: 'button' | 'form' | 'select';
  token: string;
}

const kinds = { b: 'button', f: 'form', s: 'select' } as const;

export function readCustomId(customId: string): Pressed | undefined {
  const [, kind, token] = /^([bfs])\d+:([\s\S]+)$/.exec(customId) ?? [];
  if (token === undefined || (kind !== 'b' && kind !== 'f' && kind !== 's')) return undefined;
  return { kind: kinds[kind], token };
}

/** Buttons in rows of five, numbered from `at`. */
export function buttonRows(buttons: readonly Button[], at: number): ControlRow[] {
  const rows: ControlRow[] = [];
  for (let start = 0; start < buttons.length; start += limits.perRow) {
    const row = buttons.slice(start, start + limits.perRow).map((button, offset) => buttonOf(button, at + start + offset));
    rows.push({ type: ComponentType.ActionRow, components: row });
  }
  return rows;
}

function buttonOf(button: Button, at: number): APIButtonComponentWithCustomId {
  return {
    type: ComponentType.Button,
    custom_id: `${button.form === true ? 'f' : 'b'}${at}:${button.token}`,
    style: styles[button.style],
    label: label(button.label, limits.buttonLabel, '-'),
  };
}

/** A menu to choose one of; pages of 25 where there are more. Without options there is nothing to show. */
export function selectRows(select: Select, at: number): ControlRow[] {
  const pages = Math.ceil(select.options.length / limits.options);
  return Array.from({ length: pages }, (_, page) => ({
    type: ComponentType.ActionRow,
    components: [
      {
        type: ComponentType.StringSelect,
        custom_id: `s${at + page}:${select.token}`,
        placeholder: label(
          pages === 1 ? select.placeholder : `${select.placeholder} (${page + 1} of ${pages})`,
          limits.placeholder,
          'Choose',
        ),
        options: select.options.slice(page * limits.options, (page + 1) * limits.options).map(optionOf),
      },
    ],
  }));
}

export function optionOf({ value, label: words }: Select['options'][number]) {
  return { value, label: label(words, limits.optionText, value) };
}
