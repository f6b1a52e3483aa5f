import type { RunEventData } from '../src/contracts/run-event.ts';

/**
 * What an event adds to the log file that people can download: output as it is, and of an agent's turn what was said and done, in
 * words. Empty for all else. Pure.
 */
export function transcriptOf(data: RunEventData): string {
  switch (data.type) {
    case 'output':
      return data.text;
    case 'assistant':
      return data.final ? `${data.text}\n\n` : data.text;
    case 'tool':
      return `> ${data.title}\n${data.detail === undefined || data.detail === '' ? '' : `${indented(data.detail)}\n`}`;
    case 'tool_ended':
      return `${data.ok ? '' : '! failed\n'}${indented(data.detail ?? data.summary)}\n\n`;
    case 'message':
      return `${data.by}: ${data.text}\n\n`;
    case 'aside':
      return `(aside) ${data.text}\n\n`;
    default:
      return '';
  }
}

function indented(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
