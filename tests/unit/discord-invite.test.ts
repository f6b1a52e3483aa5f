import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { interactionsPath } from '../../adapters/discord/http.ts';
import { inviteUrl, permissions } from '../../adapters/discord/invite.ts';
import { bitsOf, type PermissionName } from '../../lab/discord/permissions.ts';
import { runCommandLine } from '../../src/cli.ts';

const application = '1100000000000000900';

async function run(env: NodeJS.ProcessEnv, ...command: string[]): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCommandLine(command.length === 0 ? ['discord', 'invite'] : command, {
    env,
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    interactive: false,
  });
  return { code, out: out.join(''), err: err.join('') };
}

describe('deckhand discord invite', () => {
  it('prints the address that adds the application with its commands, and nothing else', async () => {
    const { code, out, err } = await run({ DISCORD_APPLICATION_ID: application });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^https:\/\/discord\.com\/oauth2\/authorize\?\S+\n$/);
    const query = Object.fromEntries(new URL(out.trim()).searchParams);
    expect(query).toEqual({ client_id: application, scope: 'bot applications.commands', permissions: expect.any(String) });
  });

  it('asks for the rights that the adapter uses, and for no others', () => {
    const used: PermissionName[] = [
      'VIEW_CHANNEL',
      'SEND_MESSAGES',
      'CREATE_PUBLIC_THREADS',
      'SEND_MESSAGES_IN_THREADS',
      'ATTACH_FILES',
      'READ_MESSAGE_HISTORY',
      'ADD_REACTIONS',
    ];
    expect(new URL(inviteUrl(application)).searchParams.get('permissions')).toBe(String(bitsOf(used)));
    expect(permissions.every(({ name, why }) => name !== '' && why !== '')).toBe(true);
  });

  it.each([{}, { DISCORD_APPLICATION_ID: '', DISCORD_BOT_TOKEN: '' }])('says what is missing, given %j', async (env) => {
    const { code, out, err } = await run(env);
    expect({ code, out }).toEqual({ code: 78, out: '' });
    expect(err).toContain('DISCORD_APPLICATION_ID');
    expect(err).toContain('DISCORD_BOT_TOKEN');
    expect(err).toContain('DH-100');
  });

  it.each(['deckhand', '123', '1100000000000000900&permissions=8'])('does not take %s for an application', async (id) => {
    const { code, out, err } = await run({ DISCORD_APPLICATION_ID: id });
    expect({ code, out }).toEqual({ code: 78, out: '' });
    expect(err).toContain('DISCORD_APPLICATION_ID must be');
  });

  it('is named in the help', async () => {
    const { out: help } = await run({}, 'help');
    expect(help).toContain('deckhand discord invite');
  });
});

describe('docs/setup/discord.md', () => {
  const page = readFileSync(new URL('../../docs/setup/discord.md', import.meta.url), 'utf8');

  it('says what every right of the invite is for, and lists no other', () => {
    const [, table = ''] = /## What it may do, and why\n\n([\s\S]*?)\n\n/.exec(page) ?? [];
    const listed = [...table.matchAll(/^\| \*\*(.+?)\*\* +\| \S/gm)].map(([, name]) => name);
    expect(listed).toEqual(permissions.map(({ name }) => name));
  });

  it('names every variable of Discord, and the path of interactions', () => {
    for (const name of ['DISCORD_BOT_TOKEN', 'DISCORD_APPLICATION_ID', 'DISCORD_PUBLIC_KEY', 'PUBLIC_URL']) {
      expect(page).toContain(`\`${name}\``);
    }
    expect(page).toContain(interactionsPath);
  });
});
