import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRate, createShare } from '../../runner/proxy/limits.ts';
import { betasThatPass, type CheckedRequest, checkMessages, checkResponses } from '../../runner/proxy/model-request.ts';

type Json = Record<string, unknown>;
const rules = { providerTools: false };
const own = { name: 'Bash', input_schema: { type: 'object' } };
const search = { type: 'web_search_20260318', name: 'web_search' };
const call = { type: 'function', name: 'exec_command' };

const messages = (change: Json, more: Partial<Parameters<typeof checkMessages>[1]> = {}) =>
  checkMessages(JSON.stringify({ model: 'claude-sonnet-5', messages: [], ...change }), { ...rules, ...more });
const responses = (change: Json, more: Partial<Parameters<typeof checkMessages>[1]> = {}) =>
  checkResponses(JSON.stringify({ model: 'gpt-6.1-sol', store: false, input: [], ...change }), { ...rules, ...more });

function passed(checked: CheckedRequest): Json {
  if ('refusal' in checked) throw new Error(checked.refusal);
  return JSON.parse(checked.body);
}

function refusal(checked: CheckedRequest): string {
  if (!('refusal' in checked)) throw new Error(`passes: ${checked.body}`);
  return checked.refusal;
}

describe('a request of the Messages API', () => {
  it('that holds nothing of the provider passes to the letter', () => {
    const text = `{ "model":"claude-sonnet-5",  "tools":[${JSON.stringify(own)},{"type":"bash_20250124","name":"bash"}], "messages":[] }`;
    expect(checkMessages(text, rules)).toMatchObject({ model: 'claude-sonnet-5', body: text, removed: [] });
  });

  it.each([
    'web_search_20250305',
    'web_fetch_20260318',
    'code_execution_20260521',
    'advisor_20260301',
    'mcp_toolset',
    'something_new_20270101',
  ])('goes without the tool %s, and keeps its own ones', (type) => {
    const checked = messages({ tools: [own, { type, name: 'x' }, { type: 'custom', ...own, name: 'Own' }] });
    expect(passed(checked).tools).toEqual([own, { type: 'custom', ...own, name: 'Own' }]);
    expect(checked).toMatchObject({ removed: ['x'] });
  });

  it.each(['bash_20250124', 'text_editor_20250728', 'memory_20250818', 'computer_20251124', 'tool_search_tool_regex_20251119'])(
    'keeps the tool %s, which the client carries out, or which goes nowhere',
    (type) => {
      expect(passed(messages({ tools: [{ type, name: 'x' }] })).tools).toEqual([{ type, name: 'x' }]);
    },
  );

  it('goes without MCP servers, containers, other models and costly lanes', () => {
    const change = {
      mcp_servers: [{}],
      container: 'c',
      speed: 'fast',
      service_tier: 'auto',
      fallbacks: [{ model: 'x' }],
      top_k: 3,
    };
    expect(passed(messages(change))).toEqual({ model: 'claude-sonnet-5', messages: [], top_k: 3 });
  });

  it('that is only about a search at the provider is refused, rather than answered from thin air', () => {
    expect(refusal(messages({ tools: [search] }))).toContain('web_search runs at the model provider');
    expect(refusal(messages({ tools: [own, search], tool_choice: { type: 'tool', name: 'web_search' } }))).toContain(
      'web_search',
    );
    expect(passed(messages({ tools: [own, search], tool_choice: { type: 'any' } })).tool_choice).toEqual({ type: 'any' });
  });

  it('keeps them where the policy lets them pass; containers and links never', () => {
    const more = { providerTools: true };
    expect(passed(messages({ tools: [search], mcp_servers: [{}], container: 'c' }, more))).toEqual({
      model: 'claude-sonnet-5',
      messages: [],
      tools: [search],
      mcp_servers: [{}],
    });
    const image = { type: 'image', source: { type: 'url', url: 'https://evil.test/?secret' } };
    expect(refusal(messages({ messages: [{ role: 'user', content: [image] }] }, more))).toContain('Links are not fetched');
  });

  const bytes = { type: 'base64', media_type: 'image/png', data: 'AA==' };
  it.each([
    [{ type: 'image', source: { type: 'url', url: 'https://evil.test/' } }],
    [{ type: 'document', source: { type: 'url', url: 'https://evil.test/' } }],
    [{ type: 'document', source: { type: 'file', file_id: 'file_1' } }],
    [{ type: 'container_upload', file_id: 'file_1' }],
    [{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'image', source: { type: 'url', url: 'x' } }] }],
    [{ type: 'document', source: { type: 'content', content: [{ type: 'image', source: { type: 'file', file_id: 'x' } }] } }],
  ])('with a link or a file of the account is refused: %j', (block) => {
    expect(refusal(messages({ messages: [{ role: 'user', content: [{ type: 'text', text: 'see' }, block] }] }))).toContain(
      'base64',
    );
  });

  it('with bytes, and with inputs of tools that merely look like links, passes to the letter', () => {
    const input = { source: { type: 'url', url: 'https://example.org' }, content: [{ source: { type: 'file' } }] };
    const content = [
      { type: 'image', source: bytes },
      { type: 'tool_use', id: 't', name: 'Bash', input },
      {
        type: 'tool_result',
        tool_use_id: 't',
        content: [
          { type: 'image', source: bytes },
          { type: 'text', text: 'x' },
        ],
      },
    ];
    expect(messages({ system: [{ type: 'text', text: 'x' }], messages: [{ role: 'user', content }] })).toMatchObject({
      removed: [],
    });
  });
});

describe('a request of the Responses API', () => {
  const additional = (tools: Json[]) => ({ type: 'additional_tools', role: 'developer', tools });

  it('goes without tools of the provider, wherever Codex offers them', () => {
    const group = { type: 'namespace', name: 'functions', tools: [{ type: 'custom', name: 'exec' }, { type: 'web_search' }] };
    const input = [
      additional([group, { type: 'code_interpreter' }]),
      { type: 'tool_search_output', call_id: 'c', tools: [call, { type: 'mcp', server_url: 'https://evil.test' }] },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hello' }] },
    ];
    const checked = responses({
      tools: [call, { type: 'web_search' }, { type: 'image_generation' }],
      input,
      tool_choice: 'auto',
    });
    const body = passed(checked);
    expect(body.tools).toEqual([call]);
    expect(body.input).toEqual([
      additional([{ ...group, tools: [{ type: 'custom', name: 'exec' }] }]),
      { type: 'tool_search_output', call_id: 'c', tools: [call] },
      input[2],
    ]);
    expect(body.tool_choice).toBe('auto');
    expect(checked).toMatchObject({ removed: ['web_search', 'image_generation', 'web_search', 'code_interpreter', 'mcp'] });
  });

  it('of Codex without any passes to the letter', () => {
    const text = JSON.stringify({ model: 'm', store: false, input: [additional([{ type: 'custom', name: 'exec' }])], tools: [] });
    expect(checkResponses(text, rules)).toMatchObject({ model: 'm', body: text, removed: [] });
  });

  it('chooses among the tools that are left, and is refused where none is', () => {
    const both = [call, { type: 'web_search' }];
    const choice = {
      type: 'allowed_tools',
      mode: 'auto',
      tools: [{ type: 'function', name: 'exec_command' }, { type: 'web_search' }],
    };
    expect(passed(responses({ tools: both, tool_choice: choice })).tool_choice).toEqual({ ...choice, tools: [choice.tools[0]] });
    expect(refusal(responses({ tools: both, tool_choice: { type: 'web_search' } }))).toContain('web_search');
    expect(refusal(responses({ tools: both, tool_choice: { ...choice, tools: [{ type: 'web_search' }] } }))).toContain(
      'web_search',
    );
    expect(refusal(responses({ tools: [{ type: 'web_search' }] }))).toContain('web_search');
    expect(refusal(responses({ input: [additional([{ type: 'mcp' }])] }))).toContain('mcp');
  });

  it.each([{ previous_response_id: 'resp_1' }, { conversation: 'conv_1' }, { prompt: { id: 'p' } }])(
    'that reaches for what the account keeps is refused: %j',
    (change) => {
      expect(refusal(responses(change))).toContain('not open to sandboxes');
    },
  );

  it('is not kept at the provider, does not run on there, and takes no costly lane', () => {
    const change = { store: true, background: true, service_tier: 'priority', parallel_tool_calls: true };
    expect(passed(responses(change))).toEqual({ model: 'gpt-6.1-sol', store: false, input: [], parallel_tool_calls: true });
  });

  it.each([
    [{ type: 'message', role: 'user', content: [{ type: 'input_image', image_url: 'https://evil.test/?x' }] }],
    [{ type: 'message', role: 'user', content: [{ type: 'input_image', file_id: 'file-1' }] }],
    [{ type: 'message', role: 'user', content: [{ type: 'input_file', file_url: 'https://evil.test/?x' }] }],
    [{ type: 'function_call_output', call_id: 'c', output: [{ type: 'input_image', image_url: 'http://10.0.0.1/' }] }],
    [{ type: 'computer_call_output', call_id: 'c', output: { type: 'computer_screenshot', image_url: 'https://evil.test' } }],
    [{ type: 'item_reference', id: 'msg_1' }],
  ])('with a link or a file of the account is refused: %j', (item) => {
    expect(refusal(responses({ input: [item] }))).toMatch(/Links are not fetched|send the item itself/);
    expect(refusal(responses({ input: [item] }, { providerTools: true }))).toMatch(/Links are not fetched|send the item itself/);
  });

  it('with bytes passes', () => {
    const image = { type: 'input_image', image_url: 'data:image/png;base64,AA==', detail: 'high' };
    const input = [
      { type: 'function_call_output', call_id: 'c', output: [image] },
      { type: 'message', role: 'user', content: [image] },
    ];
    expect(responses({ input })).toMatchObject({ removed: [] });
  });
});

it('what is no request to a model, or to another one than is allowed, is refused', () => {
  for (const text of ['', 'null', '[]', '{"model":', '{"messages":[]}', '{"model":7}', '"x"']) {
    expect(refusal(checkMessages(text, rules))).toMatch(/no JSON|no model/);
    expect(refusal(checkResponses(text, rules))).toMatch(/no JSON|no model/);
  }
  expect(refusal(messages({}, { models: ['claude-haiku-5-5'] }))).toContain('allowed: claude-haiku-5-5');
  expect(messages({}, { models: ['claude-sonnet-5'] })).toMatchObject({ model: 'claude-sonnet-5' });
  const deep = `${'{"content":['.repeat(100_000)}${']}'.repeat(100_000)}`;
  expect(refusal(checkMessages(`{"model":"m","messages":[${deep}]}`, rules))).toMatch(/nested|JSON/);
});

it('no tool that is not known to be the client’s own passes, in whatever body', () => {
  const type = fc.oneof(fc.constantFrom('web_search', 'mcp', 'shell', 'computer_use_preview', 'file_search'), fc.string());
  const tool = fc.record({ type, name: fc.string() });
  fc.assert(
    fc.property(fc.array(tool), fc.array(fc.array(tool)), fc.anything(), (tools, items, choice) => {
      const input = items.map((list) => additionalOf(list));
      const checked = checkResponses(JSON.stringify({ model: 'm', tools, input, tool_choice: choice }), rules);
      if ('refusal' in checked) return;
      const known = new Set(['function', 'custom', 'local_shell', 'apply_patch', 'namespace', 'tool_search']);
      const body = JSON.parse(checked.body) as { tools: Json[]; input: { tools: Json[] }[] };
      for (const one of [...body.tools, ...body.input.flatMap((item) => item.tools)]) expect(known).toContain(one.type);
    }),
  );
});

const additionalOf = (tools: Json[]) => ({
  type: 'additional_tools',
  role: 'developer',
  tools: [{ type: 'namespace', name: 'n', tools }, ...tools],
});

it('betas of what runs or is kept at the provider stay behind; what Claude Code 2.1.197 needs passes', () => {
  const needed =
    'claude-code-20250219,context-1m-2025-08-07,interleaved-thinking-2025-05-14,thinking-token-count-2026-05-13,context-management-2025-06-27,prompt-caching-scope-2026-01-05,mid-conversation-system-2026-04-07,effort-2025-11-24,extended-cache-ttl-2025-04-11,structured-outputs-2025-12-15,tool-search-tool-2025-10-19,token-counting-2024-11-01';
  expect(betasThatPass(needed, false)).toBe(needed);
  const tools = 'mcp-client-2025-11-20, code-execution-2025-08-25,web-search-2025-03-05,advisor-tool-2026-03-01';
  const kept =
    'files-api-2025-04-14,skills-2025-10-02,managed-agents-2026-04-01,fast-mode-2026-02-01,oauth-2025-04-20,server-side-fallback-2026-06-01';
  expect(betasThatPass(`${tools},effort-2025-11-24,,${kept}`, false)).toBe('effort-2025-11-24');
  expect(betasThatPass(`${tools},${kept}`, true)).toBe(tools.replaceAll(', ', ','));
});

it('a rate lets a burst pass, then so many a second', () => {
  let now = 0;
  const take = createRate(20, 5, () => now);
  const many = (times: number) => Array.from({ length: times }, take).filter(Boolean).length;
  expect(many(10)).toBe(5);
  now = 100;
  expect(many(10)).toBe(2);
  now = 60_000;
  expect(many(100)).toBe(5);
});

it('a share is never exceeded, and what is given back can be taken again', () => {
  const share = createShare(10);
  expect([share.take(6), share.take(5), share.take(4), share.take(1)]).toEqual([true, false, true, false]);
  share.give(6);
  expect([share.take(7), share.take(6)]).toEqual([false, true]);
});
