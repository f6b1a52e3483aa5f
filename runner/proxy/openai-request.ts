import {
  isRecord,
  listOf,
  type Parts,
  PolicyRefusal,
  providerFetches,
  refuseTool,
  type Stripped,
  withoutFields,
} from './request-parts.ts';

/** Tools of the Responses API that the client carries out itself. All others, also those to come, run at the provider. */
const clientTools: ReadonlySet<unknown> = new Set([
  'function',
  'custom',
  'local_shell',
  'apply_patch',
  'namespace',
  'tool_search',
]);

/** What the account keeps at the provider, for every run the same. */
const kept = ['previous_response_id', 'conversation', 'prompt'];

/**
 * Changes the body of a request of the Responses API. Tools are offered at the top, and by Codex for the models that it knows in
 * items of the input (`additional_tools`, `tool_search_output`), there in groups (`namespace`). Throws PolicyRefusal.
 */
export function stripResponses(body: Parts, providerTools: boolean): Stripped {
  const removed: string[] = [];
  for (const name of kept) {
    if (body[name] == null) continue;
    throw new PolicyRefusal(`${name} is not open to sandboxes: send the whole input.`);
  }
  for (const item of listOf(body.input)) checkItem(item);
  if (body.store !== false) {
    body.store = false;
    removed.push('store');
  }
  // `background` runs on when nobody listens any more; other tiers cost a multiple.
  withoutFields(body, ['background', 'service_tier'], removed);
  if (!providerTools) stripTools(body, removed);
  return { removed };
}

function stripTools(body: Parts, removed: string[]): void {
  const gone: string[] = [];
  let left = filterTools(body, gone);
  for (const item of listOf(body.input)) {
    if (!isRecord(item)) continue;
    // Servers of the provider that were listed before.
    if (item.type === 'mcp_list_tools' || item.type === 'mcp_approval_response') refuseTool('mcp');
    left += filterTools(item, gone);
  }
  if (gone.length === 0) return;
  removed.push(...gone);
  if (left === 0) refuseTool(gone.join(', '));
  fixChoice(body, gone);
}

/** Takes them out of the `tools` of a body, an item or a group. Returns how many stay. */
function filterTools(owner: Parts, gone: string[]): number {
  if (!Array.isArray(owner.tools)) return 0;
  let left = 0;
  owner.tools = owner.tools.filter((tool: unknown) => {
    const isKept = isRecord(tool) && clientTools.has(tool.type);
    if (!isKept) gone.push(isRecord(tool) ? String(tool.type) : 'unknown');
    else left += tool.type === 'namespace' ? filterTools(tool, gone) : 1;
    return isKept;
  });
  return left;
}

function fixChoice(body: Parts, gone: readonly string[]): void {
  const choice = body.tool_choice;
  if (!isRecord(choice)) return;
  if (gone.includes(String(choice.type))) refuseTool(String(choice.type));
  if (choice.type !== 'allowed_tools' || !Array.isArray(choice.tools)) return;
  choice.tools = choice.tools.filter((tool: unknown) => isRecord(tool) && !gone.includes(String(tool.type)));
  if (listOf(choice.tools).length === 0) refuseTool(gone.join(', '));
}

function checkItem(item: unknown): void {
  if (!isRecord(item)) return;
  if (item.type === 'item_reference') throw new PolicyRefusal('item_reference is not open to sandboxes: send the item itself.');
  for (const value of [item.content, item.output]) for (const part of Array.isArray(value) ? value : [value]) checkPart(part);
}

function checkPart(part: unknown): void {
  if (!isRecord(part)) return;
  const { image_url: image } = part;
  const address = isRecord(image) ? image.url : image;
  const isLink = address != null && !/^data:/i.test(String(address));
  if (isLink || part.file_url != null || part.file_id != null) throw new PolicyRefusal(providerFetches);
}
