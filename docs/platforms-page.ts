import type { Capabilities, RateBudget } from '../src/contracts/chat-adapter.ts';

/** What is true of a platform and is no capability that the renderer asks for: said once, beside the table. */
interface Ability {
  name: string;
  of(capabilities: Capabilities): string;
  /** What happens where it is missing, or less than elsewhere. */
  instead: string;
}

const yesNo = (can: boolean) => (can ? 'yes' : 'no');

const abilities: readonly Ability[] = [
  {
    name: 'characters in one message',
    of: ({ text }) => `${number(text.maxMessage)}${text.unit === 'utf16' ? '' : ' code points'}`,
    instead:
      'A longer text goes on in the next message. What would take more than three has its longest text attached as a file, with its start and end shown and a line that says so. Nothing is cut.',
  },
  {
    name: 'characters in one block',
    of: ({ text }) => number(text.maxBlock),
    instead: 'The text goes on in the next block; code at the end of a line, prose at the end of a word.',
  },
  { name: 'blocks in one message', of: ({ text }) => number(text.maxBlocks), instead: 'The next message takes the others.' },
  {
    name: 'characters in a title',
    of: ({ text }) => number(text.maxTitle),
    instead: 'A longer title is written as bold text, whole.',
  },
  {
    name: 'buttons',
    of: ({ buttons }) => (buttons === undefined ? 'no' : `${buttons.perMessage}, ${buttons.perRow} in a row`),
    instead:
      'More buttons than fit go with the next message. Without any, each is written out with the words to type for it. A label that is too long ends with … on its button and stands whole above it.',
  },
  {
    name: 'options of a select',
    of: ({ select }) => (select === undefined ? 'no' : number(select.options)),
    instead:
      'Longer lists become several selects, “1 of 2” and so on. Telegram has no selects: a heading button with one button for each option below it.',
  },
  {
    name: 'forms',
    of: ({ forms }) => (forms === 'modal' ? 'a window' : 'guided replies'),
    instead:
      'Guided replies ask for one field after the other: the person replies to the question (in a direct message: just writes), presses a choice, or presses Skip or Cancel. In a channel a question to be answered in words has no buttons, and opens the reply for the person asked alone: there the words `skip` and `cancel` do it. Ten minutes for each answer; only the person who was asked may give it; the result is the same as that of a window.',
  },
  {
    name: 'messages for one request',
    of: ({ cards }) => (cards === 'one' ? 'one, which is edited' : 'a card, decisions, news, the end'),
    instead:
      'Where every message is sent on to all who follow the conversation, a request is answered by one message. Decisions are made, and news are told, in the chat channels of the project.',
  },
  {
    name: 'answers seen by one person',
    of: ({ ephemeral, platform }) => ephemeralOf[platform] ?? yesNo(ephemeral),
    instead: 'A direct message to the person, where there are any. Files for one person always go there.',
  },
  {
    name: 'threads',
    of: ({ threads, platform }) => threadsOf[platform] ?? yesNo(threads),
    instead: 'Each task has its own conversation wherever one can be made; the number `#n` leads to it everywhere.',
  },
  {
    name: 'edited cards',
    of: ({ edit }) => yesNo(edit),
    instead: 'Without edits a changed card is sent as a new message.',
  },
  {
    name: 'receipts as reactions',
    of: ({ reactions }) => yesNo(reactions),
    instead: 'Without reactions the card itself is the receipt.',
  },
  {
    name: 'deletes messages of people',
    of: ({ removes, platform }) => removesOf[platform] ?? yesNo(removes.channels),
    instead: 'Whoever wrote a key or a password where others read along is told to delete the message themselves.',
  },
  {
    name: 'home surface',
    of: ({ home }) => yesNo(home),
    instead: '`board`, `tasks mine` and `pending` show the same in any conversation.',
  },
  {
    name: 'files with one message',
    of: ({ files }) => (files === undefined ? 'no' : `${files.perMessage}, ${mebibytes(files.maxBytes)} each`),
    instead:
      'More files go up one message after the other; larger ones are cut into parts at line ends, `log.1-of-3.txt` and so on.',
  },
  {
    name: 'agent text as it is written',
    of: ({ streaming }) => streamingOf[streaming],
    instead: 'Elsewhere by edits of the card, within the rate limits below.',
  },
  {
    name: 'sent messages can be found again',
    of: ({ findsSent }) => yesNo(findsSent),
    instead:
      'When the answer to a send is lost, Deckhand looks whether the message arrived. Where it cannot look, a decision or a final card is sent again (twice is better than never), and anything else is recorded as unknown.',
  },
];

const ephemeralOf: Partial<Record<Capabilities['platform'], string>> = {
  slack: 'yes',
  telegram: 'only as the alert of a press, up to 200 characters',
  discord: 'only as the answer to a command, a press or a form, for 15 minutes',
  github: 'no, and no direct messages',
};

const removesOf: Partial<Record<Capabilities['platform'], string>> = {
  telegram: 'in private chats, and as an administrator who may delete messages',
  discord: 'with the permission *Manage Messages*',
};

const threadsOf: Partial<Record<Capabilities['platform'], string>> = {
  slack: 'replies below a message',
  telegram: 'a topic where the bot may make one, else a chain of replies',
  discord: 'a thread made from a message',
  github: 'an issue or a pull request',
};

const streamingOf: Record<Capabilities['streaming'], string> = {
  native: 'as a stream',
  draft: 'as a draft in private chats',
  edit: 'by edits',
};

/** What differs and is not a matter of what a message can carry. */
const differences: readonly (readonly [what: string, slack: string, telegram: string, discord: string, github: string])[] = [
  [
    'commands',
    '`/deckhand sh npm test`',
    '`/sh npm test`; two words are joined: `/project_add`',
    '`/deckhand sh command: npm test` with typed options (`/deckhand-setup`, `/deckhand-people` for the rest), or `/deckhand do text: …`',
    '`@deckhand sh npm test` in a comment',
  ],
  [
    'hand over a message',
    'shortcut “Hand to Deckhand”',
    'answer the message with nothing but the name of the bot',
    'Apps › “Hand to Deckhand”',
    'name the bot in an answer to it',
  ],
  [
    'a plain reply in the thread of a task',
    'is read',
    'is read when it replies to a message of the bot, or when privacy mode is off',
    'is read',
    'is for the others: only what names the bot is read',
  ],
  [
    'files that people attach for an agent',
    'fetched, up to 20 MB each; needs the scope `files:read`; links to other services are left out',
    'fetched, up to 20 MB each: Telegram gives bots no larger ones',
    'fetched, up to 20 MB each',
    'not fetched: an agent is given their addresses',
  ],
  [
    'what was said before a request',
    'the thread, or the last day of the channel, with its files',
    'what was said to Deckhand in the topic, or lately in the chat: bots cannot look anything up',
    'the thread with the message it was opened on, or the last day of the channel, with its files',
    'title and text of the issue or pull request, and its newest comments, reviews and comments on lines',
  ],
  [
    '“Are you sure?” before a button',
    'a dialog',
    'none: the button acts at once',
    'none: the button acts at once',
    'there are no buttons',
  ],
  ['a message of a person is deleted', 'Deckhand is told', 'bots are never told', 'Deckhand is told', 'told by a webhook only'],
  [
    'a direct message from the bot',
    'always possible',
    'only after the person has pressed Start once',
    'unless the person has closed direct messages of the server',
    'there are none',
  ],
  [
    'what was said while Deckhand was off',
    'delivered again by Slack, three times within about six minutes',
    'kept by Telegram for 24 hours',
    'looked up when Deckhand is back, of the last 24 hours: in bound channels, threads of tasks and direct messages',
    'looked up when Deckhand is back, of the last 24 hours: in the repositories of projects',
  ],
];

/** docs/platforms.md, from what the adapters declare. */
export function platformsMarkdown(adapters: readonly Capabilities[]): string {
  const heads = adapters.map(({ platform }) => names[platform] ?? platform);
  const differing = differences.map(([what, slack, telegram, discord, github]) => {
    const said: Partial<Record<Capabilities['platform'], string>> = { slack, telegram, discord, github };
    return [what, ...adapters.map(({ platform }) => said[platform] ?? '')];
  });
  return `${[
    '# Platforms',
    'Made from the capabilities of the adapters (`adapters/`) and `docs/platforms-page.ts`; `npm run docs` writes it anew.',
    'A task looks and works the same wherever it was started. Platforms differ in what a message can carry; Deckhand asks the table below, never the name of a platform, and falls back as its last column says. Nothing is left out in a chat: no step, no choice, no text, no file. An issue or a pull request of GitHub gets one comment for each request; all the rest is in the chat channels of the project.',
    `How to connect each: ${adapters.map(({ platform }) => `[${names[platform] ?? platform}](setup/${platform}.md)`).join(', ')}. How to add another: [add-an-adapter.md](add-an-adapter.md).`,
    '## What each can carry',
    table(
      ['', ...heads, 'where it is missing or less'],
      abilities.map(({ name, of, instead }) => [name, ...adapters.map(of), instead]),
    ),
    'Lengths count as the platform counts them, after escaping. A little below the published limits is kept for what stands between blocks.',
    '## What else differs',
    table(['', ...heads], differing),
    '## Rate limits',
    'What Deckhand allows itself, at or below what the platforms publish. Cards that change faster than that show the newest state when their turn comes; decisions go first, then ends of tasks and answers, then first cards, then progress. When a platform says how long to wait, everything of that scope waits as long, and nothing is lost.',
    table(
      ['platform', 'calls', 'at most', 'within', 'of'],
      adapters.flatMap(({ platform, budgets }) => budgets.map((budget) => [names[platform] ?? platform, ...budgetCells(budget)])),
    ),
  ].join('\n\n')}\n`;
}

const names: Partial<Record<Capabilities['platform'], string>> = {
  slack: 'Slack',
  telegram: 'Telegram',
  discord: 'Discord',
  github: 'GitHub',
};

const operationNames: Record<RateBudget['operations'][number], string> = {
  send: 'new messages',
  edit: 'edits',
  ephemeral: 'answers to one person',
  form: 'forms',
  upload: 'uploads',
  react: 'reactions',
  home: 'home surfaces',
  direct: 'opened direct conversations',
  draft: 'drafts',
  remove: 'deleted messages of people',
};

const scopeNames: Record<RateBudget['scope'], string> = {
  message: 'one message',
  conversation: 'one conversation',
  tenant: 'the bot in all',
};

function budgetCells({ operations, scope, calls, windowMs }: RateBudget): string[] {
  return [operations.map((one) => operationNames[one]).join(', '), number(calls), `${windowMs / 1000} s`, scopeNames[scope]];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

function mebibytes(bytes: number): string {
  return `${bytes / 1024 / 1024} MiB`;
}
