import type { Capabilities } from '../../src/contracts/chat-adapter.ts';

const minute = 60_000;

/**
 * What Slack can carry. Slack caps the blocks of one message at about 13,300 characters of JSON (reported in
 * slackapi/bolt-js#2509), so that texts count as JSON writes them and everything costs beside its text. 5,000 characters in 20
 * blocks with 10 buttons and one select of 30 options, whose values are ids, stay below the cap whatever they say. Tests with the
 * fullest view and with random ones hold this page to it.
 */
export const slackCapabilities: Capabilities = {
  platform: 'slack',
  text: {
    unit: 'utf16',
    escapes: { '"': 2, '\\': 2, '\n': 2, '\t': 2 },
    maxMessage: 5000,
    maxBlock: 3000,
    maxBlocks: 20,
    maxTitle: 250,
  },
  buttons: { perRow: 5, perMessage: 10, label: 40 },
  select: { options: 30, label: 40 },
  forms: 'modal',
  ephemeral: true,
  threads: true,
  cards: 'many',
  edit: true,
  reactions: true,
  // A token of a bot deletes its own messages only.
  removes: { channels: false, direct: false },
  home: true,
  // The limit of a workspace is its own; 1 GB is Slack's. What is larger than 50 MB belongs elsewhere.
  files: { maxBytes: 50 * 1024 * 1024, perMessage: 4 },
  streaming: 'edit',
  findsSent: true,
  // Published limits (docs.slack.dev, rate limits; tiers of the methods each operation calls), per app and workspace.
  budgets: [
    // chat.postMessage: about one a second in a channel with short bursts, several hundred a minute in all.
    { operations: ['send'], scope: 'conversation', calls: 3, windowMs: 3000 },
    { operations: ['send'], scope: 'tenant', calls: 240, windowMs: minute },
    // chat.update: tier 3, over all cards of the workspace; one card changes at most every three seconds.
    { operations: ['edit'], scope: 'message', calls: 1, windowMs: 3000 },
    { operations: ['edit'], scope: 'tenant', calls: 50, windowMs: minute },
    // chat.postEphemeral: tier 4. In a thread it first looks whether the thread is active: conversations.replies, tier 3.
    { operations: ['ephemeral'], scope: 'tenant', calls: 50, windowMs: minute },
    // views.open and views.publish: tier 4.
    { operations: ['form'], scope: 'tenant', calls: 100, windowMs: minute },
    { operations: ['home'], scope: 'tenant', calls: 100, windowMs: minute },
    // files.getUploadURLExternal, once for each of up to four files: tier 4.
    { operations: ['upload'], scope: 'tenant', calls: 25, windowMs: minute },
    { operations: ['upload'], scope: 'conversation', calls: 1, windowMs: 1000 },
    // reactions.add is tier 3, reactions.remove tier 2; the stricter one holds for both.
    { operations: ['react'], scope: 'tenant', calls: 20, windowMs: minute },
    // conversations.open: tier 3.
    { operations: ['direct'], scope: 'tenant', calls: 50, windowMs: minute },
  ],
};
