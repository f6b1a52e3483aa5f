import type { Conversation } from '../../src/contracts/platform.ts';

/**
 * Address of a conversation, or of the message that began its thread, in the shape of what `chat.getPermalink` answers.
 * `workspace`: address of the workspace as `auth.test` tells it, `https://acme.slack.com/`.
 */
export function slackLink(workspace: string, { channel, thread }: Conversation): string {
  const message = thread === undefined ? '' : `/p${thread.replace('.', '')}`;
  return new URL(`archives/${channel}${message}`, workspace).href;
}
