import type Anthropic from '@anthropic-ai/sdk';

const wanted =
  'Summarise this conversation for yourself, to go on with the work without it: what people want, what has been decided or denied and why, what was found and changed (files, commands, results), and what is left. At most 1,500 words.';
const newestCharacters = 200_000;
const pieceCharacters = 4000;

/** A summary of a conversation that is too long to be sent: of its newest part, as text. Rejects as the SDK does. */
export async function summaryRequest(
  client: Anthropic,
  model: string,
  messages: readonly Anthropic.MessageParam[],
  signal: AbortSignal,
): Promise<string> {
  const told = messages.map(
    ({ role, content }) => `${role}: ${typeof content === 'string' ? content : content.map(pieceOf).join('\n')}`,
  );
  const newest = told.join('\n\n').slice(-newestCharacters);
  const answer = await client.messages.create(
    {
      model,
      max_tokens: 4000,
      messages: [
        {
          role: 'user',
          content: `<conversation>\n${told[0]?.slice(0, pieceCharacters) ?? ''}\n…\n${newest}\n</conversation>\n\n${wanted}`,
        },
      ],
    },
    { signal },
  );
  return answer.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

function pieceOf(block: Anthropic.ContentBlockParam): string {
  switch (block.type) {
    case 'text':
      return block.text;
    case 'tool_use':
      return `[calls ${block.name}: ${JSON.stringify(block.input).slice(0, pieceCharacters)}]`;
    case 'tool_result':
      return `[result: ${(typeof block.content === 'string' ? block.content : JSON.stringify(block.content)).slice(0, pieceCharacters)}]`;
    default:
      return '';
  }
}
