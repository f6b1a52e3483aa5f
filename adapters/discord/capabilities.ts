import type { Capabilities } from '../../src/contracts/chat-adapter.ts';

/**
 * What Discord can carry. A message of components takes 4,000 characters over all its texts and 40 components, nested ones included.
 * Characters that mean something in Discord's markdown are escaped with a backslash; at the start of a line a few more are, which
 * the line end pays for. What is kept back below 4,000 is for small print and the joints between blocks. A test with random
 * views holds this page to it.
 */
export const discordCapabilities: Capabilities = {
  platform: 'discord',
  text: {
    unit: 'utf16',
    escapes: { '\\': 2, '*': 2, _: 2, '~': 2, '`': 2, '|': 2, '<': 2, '@': 2, ':': 2, '[': 2, '\n': 2 },
    maxMessage: 3800,
    maxBlock: 3800,
    maxBlocks: 20,
    maxTitle: 250,
  },
  buttons: { perRow: 5, perMessage: 10, label: 40 },
  select: { options: 25, label: 100 },
  forms: 'modal',
  // Only as the answer to a command, a press or a form, for fifteen minutes; `ephemeral` rejects with `not_permitted` elsewhere.
  ephemeral: true,
  threads: true,
  cards: 'many',
  edit: true,
  reactions: true,
  // With the right to manage messages; nobody else can in direct messages.
  removes: { channels: true, direct: false },
  home: false,
  // 10 MiB each and 25 MiB together without boosts of the server.
  files: { maxBytes: 10 * 1024 * 1024, perMessage: 2 },
  streaming: 'edit',
  findsSent: true,
  // Discord publishes 50 requests a second; the others it tells with every answer. About five in five seconds for new messages and for
  // edits of one channel is what it tells (observed).
  budgets: [
    { operations: ['send', 'upload'], scope: 'conversation', calls: 5, windowMs: 5000 },
    { operations: ['edit'], scope: 'conversation', calls: 5, windowMs: 5000 },
    { operations: ['react'], scope: 'conversation', calls: 1, windowMs: 300 },
    { operations: ['remove'], scope: 'conversation', calls: 3, windowMs: 1000 },
    // A thread is opened by a request of its own.
    {
      operations: ['send', 'edit', 'upload', 'react', 'direct', 'remove'],
      scope: 'tenant',
      calls: 40,
      windowMs: 1000,
      opening: 2,
    },
    // Follow-ups of an interaction: not in the limit above, with a bucket of their own for each interaction.
    { operations: ['ephemeral'], scope: 'conversation', calls: 5, windowMs: 5000 },
    { operations: ['direct'], scope: 'tenant', calls: 5, windowMs: 5000 },
  ],
};
