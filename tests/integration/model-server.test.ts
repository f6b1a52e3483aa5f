import { afterAll, beforeAll, expect, test } from 'vitest';
import { createModelServer, type ModelServer } from '../../lab/model/server.ts';
import { anthropicClient, type ToolCalls, talkAnthropic } from '../support/model-agents.ts';

let server: ModelServer;

beforeAll(async () => {
  server = await createModelServer({
    onError: (error) => {
      throw error;
    },
  });
});

afterAll(() => server.close());

const wrong = 'sum += Math.round(cents * count * (1 - discount));\n  }\n  return sum;';

/** A working copy of which only the basket matters: the tests pass when it was edited. */
function workingCopy(): ToolCalls & { isFixed(): boolean } {
  let fixed = false;
  const answer: ToolCalls = (tool, input) => {
    if (tool === 'read') return { text: input.path === 'src/basket.js' ? wrong : "test('the discount is taken off the sum'" };
    if (tool === 'edit') {
      fixed = true;
      return { text: 'edited' };
    }
    return fixed ? { text: '# pass 4\n# fail 0\n' } : { text: '# pass 3\n# fail 1\n', failed: true };
  };
  return Object.assign(answer, { isFixed: () => fixed });
}

test('a loop on the SDK fixes the failing test with the tools it offers', async () => {
  const copy = workingCopy();
  const { texts, calls } = await talkAnthropic(
    anthropicClient(server.anthropicUrl),
    [{ role: 'user', content: 'fix the failing test' }],
    copy,
  );
  expect(calls.map(({ tool, input }) => `${tool} ${input.path ?? input.command}`)).toEqual([
    'read test/basket.test.js',
    'bash npm test',
    'read src/basket.js',
    'edit src/basket.js',
    'bash npm test',
  ]);
  expect(calls[3]?.input).toMatchObject({
    old: expect.stringContaining('Math.round(cents'),
    new: expect.stringContaining('Math.round(sum'),
  });
  expect(copy.isFixed()).toBe(true);
  expect(texts.at(-1)).toContain('All tests pass now.');
  expect(texts.filter((text) => !text.startsWith('[scripted] '))).toEqual([]);
});

test('a prompt that asks for nothing known is told what can be asked', async () => {
  const { texts } = await talkAnthropic(
    anthropicClient(server.anthropicUrl),
    [{ role: 'user', content: 'what is the weather' }],
    workingCopy(),
  );
  expect(texts).toHaveLength(1);
  expect(texts[0]).toContain('no real model is configured');
  expect(texts[0]).toContain('fix the failing test');
});

test('a response of the Responses API streams its text in parts that make up the whole', async () => {
  const response = await fetch(`${server.openaiUrl}/responses`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-5.1-codex', stream: true, input: 'hello' }),
  });
  expect(response.status).toBe(200);
  const events = (await response.text())
    .split('\n\n')
    .filter(Boolean)
    .map((event) => JSON.parse(event.split('\ndata: ')[1] ?? '') as Record<string, unknown>);
  const text = events.flatMap(({ type, delta }) => (type === 'response.output_text.delta' ? [delta] : [])).join('');
  expect(text).toBe('[scripted] Hello. I am the scripted model and wait for work.');
  expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, at) => at));
  expect(events.at(-1)).toMatchObject({
    type: 'response.completed',
    response: { status: 'completed', output: [{ type: 'message' }] },
  });
});
