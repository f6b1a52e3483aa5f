import { afterAll, expect, onTestFinished, test } from 'vitest';
import type { SshFiles } from '../../runner/ssh-command.ts';
import { git } from '../support/git-repository.ts';
import { createPushWorld } from '../support/push-world.ts';
import { serveSsh } from '../support/ssh-server.ts';

const branch = 'deckhand/1-fix';

type Server = Awaited<ReturnType<typeof serveSsh>>;
let server: Server | undefined;

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

async function sshWorld(files: (server: Server) => Promise<SshFiles> | SshFiles) {
  server ??= await serveSsh();
  const { address } = server;
  const world = await createPushWorld({
    source: (bare) => ({ kind: 'git', url: address(bare) }),
    ssh: await files(server),
  });
  onTestFinished(() => world[Symbol.asyncDispose]());
  return world;
}

test('a repository at an ssh address is read and pushed to with the key and the known hosts of Deckhand', async () => {
  // Names that a shell, and ssh itself, would read as something else.
  const world = await sshWorld(async (server) => ({
    keyFile: await server.copyOfKey(`of a 'bot' "$HOME" %h/id; touch ran`, 0o600),
    knownHostsFile: server.knownHostsFile,
  }));
  const change = await world.change('approved');
  await git(world.seed, 'push', '--quiet', world.bare, 'HEAD:refs/heads/other');
  await world.mirrors.fetch(world.project);
  expect(await git(world.mirror, 'rev-parse', 'refs/heads/other')).toBe(world.base);
  await world.publishing.tryPush(world.project, world.base, undefined);
  await world.publishing.push(world.spec(change), null, undefined);
  expect(await world.at(branch)).toBe(change.commit);
  expect(await world.publishing.branchAt(world.spec(change), undefined)).toBe(change.commit);
  // From elsewhere than where the branch is.
  const next = await world.change('next', change.commit);
  await expect(world.publishing.push(world.spec(next), world.base, undefined)).rejects.toThrow('DH-5');
  expect(await world.at(branch)).toBe(change.commit);
});

test.each([
  ['a key that the host does not know', 'DH-504', (server) => ({ ...server, keyFile: server.strangerFile })],
  ['no file of that name', 'GIT_SSH_KEY_FILE', (server) => ({ ...server, keyFile: '/nonexistent/key' })],
  ['a key that others may read', 'chmod 600', async (server) => ({ ...server, keyFile: await server.copyOfKey('open', 0o644) })],
  ['a host that is not known', 'the key of the host is not known', (server) => ({ ...server, knownHostsFile: '/dev/null' })],
] satisfies [string, string, (server: Server) => Promise<SshFiles> | SshFiles][])(
  'with %s the reason is named, and nothing is read',
  async (_, said, files) => {
    const world = await sshWorld(async (server) => {
      const { keyFile, knownHostsFile } = await files(server);
      return { keyFile, knownHostsFile };
    });
    await expect(world.mirrors.fetch(world.project)).rejects.toSatisfy((error: unknown) =>
      `${String(error)} ${JSON.stringify(error)}`.includes(said),
    );
  },
);
