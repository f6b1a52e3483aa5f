import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { slackCapabilities } from '../../adapters/slack/capabilities.ts';
import { slackManifest } from '../../adapters/slack/manifest.ts';
import { eventScopes, methodScopes, neededScopes, type SlackMethod } from '../../adapters/slack/methods.ts';
import { parseManifest } from '../../lab/slack/manifest.ts';
import { methods } from '../../lab/slack/methods.ts';
import type { Operation } from '../../src/contracts/chat-adapter.ts';

const http = { mode: 'http' as const, publicUrl: 'https://deckhand.example.com', usageHint: 'help' };

describe('the Slack manifest', () => {
  it.each([{ mode: 'socket' as const, usageHint: 'help | sh <command>' }, http])(
    'is one that Slack accepts ($mode)',
    (options) => {
      expect(parseManifest(slackManifest(options))).toMatchObject({ display_information: { name: 'Deckhand' } });
    },
  );

  it('asks for the scopes of what is called, heard and offered, and for nothing else', () => {
    const { oauth_config: oauth } = slackManifest(http);
    const used = ['commands', ...Object.values(methodScopes).flat(), ...Object.values(eventScopes).flat()];
    expect(oauth.scopes.bot).toEqual([...new Set(used)].sort());
    expect(oauth.scopes.bot).toEqual(neededScopes());
  });

  it('names for every method a scope by which Slack lets it in', () => {
    for (const [name, scopes] of Object.entries(methodScopes)) {
      const known = methods.get(name)?.scopes ?? ['unknown method'];
      if (known.length === 0) expect(scopes, name).toEqual([]);
      else expect(known, name).toEqual(expect.arrayContaining([...scopes]));
      if (known.length > 0) expect(scopes.length, name).toBeGreaterThan(0);
    }
  });

  it.each(['chat:write.public', 'chat:write.customize', 'channels:read', 'channels:join', 'users:read.email'])(
    'does not ask for %s',
    (scope) => {
      expect(neededScopes()).not.toContain(scope);
    },
  );

  it('has one request address in HTTP mode and none in Socket Mode', () => {
    const address = 'https://deckhand.example.com/slack/events';
    const { features, settings } = slackManifest(http);
    expect(features.slash_commands[0]).toMatchObject({ url: address });
    expect(settings).toMatchObject({
      socket_mode_enabled: false,
      event_subscriptions: { request_url: address },
      interactivity: { request_url: address },
    });
    expect(JSON.stringify(slackManifest({ mode: 'socket', publicUrl: http.publicUrl, usageHint: '' }))).not.toContain('https://');
  });

  it.each([undefined, 'http://deckhand.example.com', 'deckhand.example.com'])(
    'refuses HTTP mode with the address %s',
    (publicUrl) => {
      expect(() => slackManifest({ mode: 'http', publicUrl, usageHint: '' })).toThrow('PUBLIC_URL');
    },
  );

  it('keeps a long list of commands within what Slack shows', () => {
    const [command] = slackManifest({ mode: 'socket', usageHint: 'word '.repeat(400) }).features.slash_commands;
    expect(command?.usage_hint).toHaveLength(1000);
  });
});

describe('the budgets of Slack', () => {
  // Slack has no drafts, and bots delete nobody else's messages.
  const called: Record<Exclude<Operation, 'draft' | 'remove'>, SlackMethod[]> = {
    send: ['chat.postMessage'],
    edit: ['chat.update'],
    ephemeral: ['chat.postEphemeral', 'conversations.replies'],
    form: ['views.open'],
    upload: ['files.completeUploadExternal'],
    react: ['reactions.add', 'reactions.remove'],
    home: ['views.publish'],
    direct: ['conversations.open'],
  };
  const perMinute = { t1: 1, t2: 20, t3: 50, t4: 100, special: 300 };

  it.each(Object.entries(called))('promise 5: %s stays within the published limits of what it calls', (operation, names) => {
    const budget = slackCapabilities.budgets.find(
      ({ operations, scope }) => operations.includes(operation as Operation) && scope === 'tenant',
    );
    for (const name of names) {
      const tier = methods.get(name)?.tier ?? 't1';
      expect((budget?.calls ?? Number.POSITIVE_INFINITY) / ((budget?.windowMs ?? 0) / 60_000), name).toBeLessThanOrEqual(
        perMinute[tier],
      );
    }
  });

  it('promise 5: an upload asks for an address once for each file', () => {
    const uploads =
      slackCapabilities.budgets.find(({ operations, scope }) => operations.includes('upload') && scope === 'tenant')?.calls ?? 0;
    expect(uploads * (slackCapabilities.files?.perMessage ?? 0)).toBeLessThanOrEqual(perMinute.t4);
  });
});

describe('docs/setup/slack.md', () => {
  const page = readFileSync(new URL('../../docs/setup/slack.md', import.meta.url), 'utf8');

  it('shows the manifest of Socket Mode as it is printed, apart from the list of commands', () => {
    const shown = JSON.parse(/```json\n([\s\S]*?)\n```/.exec(page)?.[1] ?? '{}');
    const usageHint = shown.features?.slash_commands?.[0]?.usage_hint;
    expect(shown).toEqual(slackManifest({ mode: 'socket', usageHint }));
  });

  it('says what every scope is for', () => {
    for (const scope of neededScopes()) expect(page).toMatch(new RegExp(`^\\| .*\`${scope}\`.* \\| \\S`, 'm'));
  });
});
