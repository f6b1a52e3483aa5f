import { createSlackEmulator } from '../../lab/slack/emulator.ts';

/**
 * An emulator in a process of its own, to be killed: `node slack-emulator-process.ts <directory> <port>`. Prints one line of JSON
 * with its address and credentials, and says something as Ada for every line it reads.
 */
const [directory, port] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: slack-emulator-process.ts <directory> [port]');

const slack = await createSlackEmulator({
  persistPath: directory,
  port: Number(port ?? 0),
  credentials: { botToken: 'xoxb-fixed', appToken: 'xapp-fixed', signingSecret: 'fixed' },
});
process.stdout.write(`${JSON.stringify({ apiUrl: slack.apiUrl, port: new URL(slack.url).port })}\n`);

const ada = slack.person('ada');
let rest = '';
process.stdin.setEncoding('utf8').on('data', (chunk: string) => {
  const lines = (rest + chunk).split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) process.stdout.write(`${ada.say('#demo', line).ts}\n`);
});
