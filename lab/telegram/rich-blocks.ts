import { isRecord, type Json } from '../slack/json.ts';
import { badRequest } from './api-error.ts';
import type { Chat } from './model.ts';
import { type RichButtonRules, richButton } from './rich-buttons.ts';
import { richText, type TextContext, wrong } from './rich-text.ts';

/** Blocks of a rich message, checked against the published limits and completed as the API returns them. */

const MAX_CHARACTERS = 32_768;
const MAX_BLOCKS = 500;
const MAX_DEPTH = 16;
const MAX_COLUMNS = 20;
const MAX_BUTTONS = 8;

interface Context extends TextContext, RichButtonRules {
  isDraft: boolean;
  blocks: number;
}

export interface BlockRules {
  chat: Chat;
  isDraft: boolean;
  /** Find mentions, links and commands in plain text. */
  detect: boolean;
}

export function checkBlocks(value: unknown, rules: BlockRules): Json[] {
  const context: Context = { ...rules, characters: 0, blocks: 0, buttonCount: 0 };
  const blocks = blocksOf(value, context, 1, 'blocks');
  if (blocks.length === 0) throw badRequest('rich message is empty');
  if (context.characters > MAX_CHARACTERS) throw badRequest('rich message text is too long');
  if (context.blocks > MAX_BLOCKS) throw badRequest('rich message has too many blocks');
  return blocks;
}

function blocksOf(value: unknown, context: Context, depth: number, field: string): Json[] {
  if (!Array.isArray(value)) throw wrong(`Field "${field}" must be of type Array`);
  if (depth > MAX_DEPTH) throw wrong('the nesting is too deep');
  return value.map((entry: unknown) => blockOf(entry, context, depth));
}

function blockOf(value: unknown, context: Context, depth: number): Json {
  if (!isRecord(value)) throw wrong('block must be an Object');
  context.blocks += 1;
  const { type } = value;
  const text = (field = 'text') => richText(value[field], context, depth, field);
  const optional = (field: string) => (value[field] === undefined ? {} : { [field]: text(field) });
  switch (type) {
    case 'paragraph':
    case 'footer':
      return { type, text: text() };
    case 'heading':
      return { type, text: text(), size: whole(value, 'size', 1, 6) };
    case 'pre':
      return { type, text: richText(value.text, { ...context, detect: false }, depth, 'text', context), ...language(value) };
    case 'divider':
      return { type };
    case 'anchor':
      return { type, name: required(value, 'name') };
    case 'mathematical_expression':
      return { type, expression: counted(required(value, 'expression'), context) };
    case 'list':
      return { type, items: itemsOf(value.items, context, depth) };
    case 'blockquote':
      return { type, blocks: blocksOf(value.blocks, context, depth + 1, 'blocks'), ...optional('credit') };
    case 'expandable_blockquote':
    case 'pullquote':
      return { type, text: text(), ...optional('credit') };
    case 'details':
      return {
        type,
        summary: text('summary'),
        blocks: blocksOf(value.blocks, context, depth + 1, 'blocks'),
        ...flags(value, 'is_open'),
      };
    case 'table':
      return {
        type,
        cells: cellsOf(value.cells, context, depth),
        ...flags(value, 'is_bordered', 'is_striped', 'is_compact'),
        ...optional('caption'),
      };
    case 'buttons':
      return { type, buttons: buttonsOf(value.buttons, context, depth), ...alignment(value) };
    case 'thinking':
      if (!context.isDraft) throw wrong('block of type "thinking" can be used only in drafts');
      return { type, text: text() };
    default:
      throw wrong(typeof type === 'string' ? `block type "${type}" is unsupported` : 'Can\'t find field "type"');
  }
}

function itemsOf(value: unknown, context: Context, depth: number): Json[] {
  if (!Array.isArray(value) || value.length === 0) throw wrong('Field "items" must be a non-empty Array');
  return value.map((item: unknown, index) => {
    if (!isRecord(item)) throw wrong('list item must be an Object');
    context.blocks += 1;
    const style = item.type;
    if (style !== undefined && !['a', 'A', 'i', 'I', '1'].includes(String(style))) throw wrong('list item type is invalid');
    const isOrdered = style !== undefined || item.value !== undefined;
    const number = typeof item.value === 'number' ? item.value : index + 1;
    return {
      label: isOrdered ? `${number}.` : '•',
      blocks: blocksOf(item.blocks, context, depth + 1, 'blocks'),
      ...flags(item, 'has_checkbox', 'is_checked'),
      ...(isOrdered ? { value: number, type: style ?? '1' } : {}),
    };
  });
}

function cellsOf(value: unknown, context: Context, depth: number): Json[][] {
  if (!Array.isArray(value) || value.length === 0) throw wrong('Field "cells" must be a non-empty Array');
  return value.map((row: unknown) => {
    if (!Array.isArray(row)) throw wrong('table row must be an Array');
    context.blocks += 1;
    const cells = row.map((cell: unknown) => cellOf(cell, context, depth));
    const columns = cells.reduce((sum, cell) => sum + (typeof cell.colspan === 'number' ? cell.colspan : 1), 0);
    if (columns > MAX_COLUMNS) throw wrong(`table can have at most ${MAX_COLUMNS} columns`);
    return cells;
  });
}

function cellOf(value: unknown, context: Context, depth: number): Json {
  if (!isRecord(value)) throw wrong('table cell must be an Object');
  const align = value.align ?? 'left';
  const valign = value.valign ?? 'middle';
  if (!['left', 'center', 'right'].includes(String(align))) throw wrong('table cell align is invalid');
  if (!['top', 'middle', 'bottom'].includes(String(valign))) throw wrong('table cell valign is invalid');
  return {
    ...(value.text === undefined ? {} : { text: richText(value.text, context, depth + 1, 'text') }),
    ...flags(value, 'is_header'),
    ...(value.colspan === undefined ? {} : { colspan: whole(value, 'colspan', 1, MAX_COLUMNS) }),
    ...(value.rowspan === undefined ? {} : { rowspan: whole(value, 'rowspan', 1, MAX_BLOCKS) }),
    align,
    valign,
  };
}

function buttonsOf(value: unknown, context: Context, depth: number): Json[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_BUTTONS) {
    throw wrong(`block of type "buttons" must have 1-${MAX_BUTTONS} buttons`);
  }
  return value.map((button: unknown) => {
    if (!isRecord(button)) throw wrong('button must be an Object');
    return { ...richButton(button, context), text: richText(button.text, context, depth + 1, 'text') };
  });
}

function alignment(value: Json): Json {
  if (value.align === undefined) return {};
  if (!['left', 'center', 'right'].includes(String(value.align))) throw wrong('buttons align is invalid');
  return { align: value.align };
}

function flags(value: Json, ...names: string[]): Json {
  return Object.fromEntries(
    names.flatMap((name) => {
      if (value[name] !== undefined && typeof value[name] !== 'boolean') throw wrong(`Field "${name}" must be of type Boolean`);
      return value[name] === true ? [[name, true]] : [];
    }),
  );
}

function language(value: Json): Json {
  return typeof value.language === 'string' && value.language !== '' ? { language: value.language } : {};
}

function required(value: Json, field: string): string {
  const given = value[field];
  if (typeof given !== 'string' || given === '') throw wrong(`Field "${field}" must be a non-empty String`);
  return given;
}

function counted(text: string, context: TextContext): string {
  context.characters += text.length;
  return text;
}

function whole(value: Json, field: string, min: number, max: number): number {
  const given = value[field];
  if (typeof given !== 'number' || !Number.isInteger(given) || given < min || given > max) {
    throw wrong(`Field "${field}" must be a Number between ${min} and ${max}`);
  }
  return given;
}
