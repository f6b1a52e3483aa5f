import type { ToolCalls } from './model-agents.ts';

type Item = Record<string, unknown>;

const developer = (text: string): Item => ({ type: 'message', role: 'developer', content: [{ type: 'input_text', text }] });
export const codexSays = (text: string): Item => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] });
export const codexMode = (name: 'Plan Mode' | 'Collaboration Mode: Default') =>
  developer(`<collaboration_mode># ${name}\n</collaboration_mode>`);

const options = { type: 'array', items: { properties: { label: {}, description: {} } } };
const questions = { type: 'array', items: { properties: { id: {}, header: {}, question: {}, options } } };
const codexTools = [
  { type: 'function', name: 'exec_command', parameters: { properties: { cmd: { type: 'string' } } } },
  { type: 'function', name: 'request_user_input', parameters: { properties: { questions } } },
];

/** One request as Codex makes it. Resolves with the output items; throws the error of the service. */
export async function askCodex(baseUrl: string, input: readonly Item[], token = 'sk-test'): Promise<Item[]> {
  const response = await fetch(`${baseUrl}/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-5.1-codex', stream: true, store: false, tools: codexTools, input }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  const events = text
    .split('\n\n')
    .filter(Boolean)
    .map((event) => JSON.parse(event.split('\ndata: ')[1] ?? '') as { type: string; item?: Item });
  return events.flatMap(({ type, item }) => (type === 'response.output_item.done' && item ? [item] : []));
}

/** Works as Codex does until the model ends its turn, over `input`, which grows. Texts and calls, in order. */
export async function talkCodex(baseUrl: string, input: Item[], answer: ToolCalls): Promise<string[]> {
  const log: string[] = [];
  for (;;) {
    const output = await askCodex(baseUrl, input);
    input.push(...output);
    const calls = output.filter(({ type }) => type === 'function_call');
    for (const { content } of output.filter(({ type }) => type === 'message'))
      log.push((content as { text: string }[])[0]?.text ?? '');
    for (const { name, arguments: given, call_id } of calls) {
      const parsed = JSON.parse(String(given)) as Record<string, unknown>;
      log.push(`${name}: ${parsed.cmd ?? 'questions'}`);
      const { text, failed = false, said } = answer(String(name), parsed);
      input.push({ type: 'function_call_output', call_id, output: failed ? `exec_command failed: ${text}` : text });
      if (said !== undefined) input.push(codexSays(said));
    }
    if (calls.length === 0) return log;
  }
}
