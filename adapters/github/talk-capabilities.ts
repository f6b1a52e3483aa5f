import type { Capabilities } from '../../src/contracts/chat-adapter.ts';

/** A comment has at most 65,536 characters; GitHub says so when it refuses one. */
export const maxComment = 65_536;

/**
 * What a comment can carry. What means something in Markdown is escaped with a backslash, and what GitHub would make a mention, a reference or
 * a link of gets a character that does not show; what is kept back below the 65,536 characters is for marks and the joints between blocks. A
 * test with random views holds this page to it.
 */
export const githubCapabilities: Capabilities = {
  platform: 'github',
  text: {
    unit: 'utf16',
    escapes: {
      ...{
        '\\': 2,
        '`': 2,
        '*': 2,
        _: 2,
        '{': 2,
        '}': 2,
        '[': 2,
        ']': 2,
        '(': 2,
        ')': 2,
        '<': 2,
        '>': 2,
        '#': 3,
        '+': 2,
        '-': 2,
      },
      ...{ '.': 2, '!': 2, '|': 2, '~': 2, '&': 2, $: 2, '^': 2, '=': 2, '@': 2, ':': 2 },
    },
    maxMessage: 60_000,
    maxBlock: 60_000,
    maxBlocks: 100,
    maxTitle: 300,
  },
  buttons: undefined,
  select: undefined,
  forms: 'guided',
  cards: 'one',
  ephemeral: false,
  threads: true,
  edit: true,
  reactions: true,
  // Whoever reads a repository may have had it mailed.
  removes: { channels: false, direct: false },
  home: false,
  files: undefined,
  streaming: 'edit',
  findsSent: true,
  // docs.github.com, "Rate limits for the REST API": about 80 requests a minute and 500 an hour that make content. Whoever has a page open
  // sees each edit; one in 20 seconds is enough for a card.
  budgets: [
    { operations: ['edit'], scope: 'message', calls: 1, windowMs: 20_000 },
    { operations: ['send', 'edit', 'react'], scope: 'tenant', calls: 80, windowMs: 60_000 },
    { operations: ['send', 'edit', 'react'], scope: 'tenant', calls: 500, windowMs: 60 * 60_000 },
  ],
};
