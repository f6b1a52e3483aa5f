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

/**
 * Tools with a `type` that the client carries out itself, and the search among offered tools, which goes nowhere (ToolUnion and
 * BetaToolUnion of @anthropic-ai/sdk 1.12). All others, also those to come, run at the provider.
 */
const clientTools = /^(?:custom|bash|text_editor|computer|memory|browser_toolset|computer_toolset|tool_search_tool)(?:_|$)/;

/** Changes the body of a request of the Messages API. Throws PolicyRefusal. */
export function stripMessages(body: Parts, providerTools: boolean): Stripped {
  const removed: string[] = [];
  checkSources(body.system);
  for (const message of listOf(body.messages)) if (isRecord(message)) checkSources(message.content);
  // Containers belong to the account, not to the run; fast lanes cost a multiple, and other models were not asked for.
  withoutFields(body, ['container', 'speed', 'service_tier', 'fallbacks'], removed);
  if (providerTools) return { removed };
  withoutFields(body, ['mcp_servers'], removed);
  const tools = listOf(body.tools);
  const kept = tools.filter((tool) => isRecord(tool) && isClientTool(tool));
  if (kept.length === tools.length) return { removed };
  const gone = tools.filter((tool) => !kept.includes(tool)).map(nameOf);
  removed.push(...gone);
  if (kept.length === 0) refuseTool(gone.join(', '));
  const choice = body.tool_choice;
  if (isRecord(choice) && choice.type === 'tool' && gone.includes(String(choice.name))) refuseTool(String(choice.name));
  body.tools = kept;
  return { removed };
}

function isClientTool({ type }: Parts): boolean {
  return type === undefined || type === null || clientTools.test(String(type));
}

function nameOf(tool: unknown): string {
  return isRecord(tool) ? String(tool.name ?? tool.type) : 'unknown';
}

/** Images and documents come as bytes. Inputs of tools are not looked into: they are data of the client. */
function checkSources(content: unknown): void {
  for (const block of listOf(content)) {
    if (!isRecord(block)) continue;
    if (block.type === 'container_upload') throw new PolicyRefusal(providerFetches);
    const { source } = block;
    if (isRecord(source)) {
      if (source.type === 'url' || source.type === 'file') throw new PolicyRefusal(providerFetches);
      checkSources(source.content);
    }
    checkSources(block.content);
  }
}
