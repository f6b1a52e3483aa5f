import { isRecord } from '../slack/json.ts';
import { badRequest } from './api-error.ts';
import type { MethodCall } from './method.ts';
import type { RichMessage } from './model.ts';
import { checkBlocks } from './rich-blocks.ts';

/** `rich_message`: exactly one of `blocks`, `html`, `markdown`. */
export function richMessageOf(call: MethodCall, options: { isDraft: boolean }): RichMessage {
  const given = call.args.json('rich_message', 'rich message');
  if (!isRecord(given)) throw badRequest('rich message must be an Object');
  const sources = ['blocks', 'html', 'markdown'].filter((name) => given[name] !== undefined && given[name] !== '');
  if (sources.length !== 1) throw badRequest('rich message must have exactly one of blocks, html and markdown');
  if (given.blocks === undefined) throw badRequest('rich message is empty');
  const blocks = checkBlocks(given.blocks, options);
  return { blocks, ...(given.is_rtl === true ? { is_rtl: true } : {}) };
}
