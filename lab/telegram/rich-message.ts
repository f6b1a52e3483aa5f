import { isRecord } from '../slack/json.ts';
import { badRequest } from './api-error.ts';
import type { MethodCall } from './method.ts';
import type { Chat, RichMessage } from './model.ts';
import { checkBlocks } from './rich-blocks.ts';
import { blocksOfHtml } from './rich-html.ts';

/** `rich_message`: exactly one of `blocks`, `html`, `markdown`. */
export function richMessageOf(call: MethodCall, chat: Chat, options: { isDraft: boolean }): RichMessage {
  const given = call.args.json('rich_message', 'rich message');
  if (!isRecord(given)) throw badRequest('rich message must be an Object');
  const sources = ['blocks', 'html', 'markdown'].filter((name) => given[name] !== undefined && given[name] !== '');
  if (sources.length !== 1) throw badRequest('rich message must have exactly one of blocks, html and markdown');
  if (given.markdown !== undefined)
    throw badRequest("can't parse rich message: the emulator reads blocks and html, not markdown");
  if (given.media !== undefined) throw badRequest("can't parse rich message: the emulator keeps no media in rich messages");
  const source = given.blocks ?? blocksOfHtml(String(given.html));
  const blocks = checkBlocks(source, { ...options, chat, detect: given.skip_entity_detection !== true });
  return { blocks, ...(given.is_rtl === true ? { is_rtl: true } : {}) };
}
