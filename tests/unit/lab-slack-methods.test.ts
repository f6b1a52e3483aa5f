import { describe, expect, test } from 'vitest';
import { methods } from '../../lab/slack/methods.ts';

/**
 * Tier and bot scopes of each method as published in Slack's method reference (August 2026). `special` are the methods with limits of
 * their own. A method that needs any one of several scopes lists them all.
 */
const conversations = (right: string) => ['channels', 'groups', 'im', 'mpim'].map((kind) => `${kind}:${right}`).join(' ');
const published: Record<string, [tier: string, scopes: string]> = {
  'api.test': ['t4', ''],
  'apps.connections.open': ['t3', ''],
  'assistant.threads.setStatus': ['special', 'chat:write'],
  'assistant.threads.setSuggestedPrompts': ['t4', 'assistant:write'],
  'assistant.threads.setTitle': ['t4', 'assistant:write'],
  'auth.test': ['special', ''],
  'bots.info': ['t3', 'users:read'],
  'chat.appendStream': ['t4', 'chat:write'],
  'chat.delete': ['t3', 'chat:write'],
  'chat.getPermalink': ['special', ''],
  'chat.postEphemeral': ['t4', 'chat:write'],
  'chat.postMessage': ['special', 'chat:write'],
  'chat.startStream': ['t2', 'chat:write'],
  'chat.stopStream': ['t2', 'chat:write'],
  'chat.update': ['t3', 'chat:write'],
  'conversations.history': ['t3', conversations('history')],
  'conversations.info': ['t3', conversations('read')],
  'conversations.join': ['t3', 'channels:join'],
  'conversations.leave': ['t3', 'channels:manage channels:write groups:write im:write mpim:write'],
  'conversations.list': ['t2', conversations('read')],
  'conversations.members': ['t4', conversations('read')],
  'conversations.open': ['t3', 'channels:manage groups:write im:write mpim:write'],
  'conversations.replies': ['t3', conversations('history')],
  'files.completeUploadExternal': ['t4', 'files:write'],
  'files.delete': ['t3', 'files:write'],
  'files.getUploadURLExternal': ['t4', 'files:write'],
  'files.info': ['t4', 'files:read'],
  'files.list': ['t3', 'files:read'],
  'reactions.add': ['t3', 'reactions:write'],
  'reactions.get': ['t3', 'reactions:read'],
  'reactions.remove': ['t2', 'reactions:write'],
  'team.info': ['t3', 'team:read'],
  'users.conversations': ['t3', conversations('read')],
  'users.info': ['t4', 'users:read'],
  'users.list': ['t2', 'users:read'],
  'users.lookupByEmail': ['t3', 'users:read.email'],
  'views.open': ['t4', ''],
  'views.publish': ['t4', ''],
  'views.push': ['t4', ''],
  'views.update': ['t4', ''],
};

describe('the table of Web API methods', () => {
  test('holds exactly the methods listed here', () => {
    expect([...methods.keys()].sort()).toEqual(Object.keys(published).sort());
  });

  test.each(Object.entries(published))('%s has the published tier and scopes', (name, [tier, scopes]) => {
    const method = methods.get(name);
    expect(method?.tier).toBe(tier);
    expect([...(method?.scopes ?? [])].sort()).toEqual(scopes.split(' ').filter((scope) => scope !== ''));
  });

  test('only apps.connections.open takes the app-level token', () => {
    expect([...methods].filter(([, method]) => method.token === 'app').map(([name]) => name)).toEqual(['apps.connections.open']);
  });
});
