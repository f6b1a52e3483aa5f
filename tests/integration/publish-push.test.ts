import { access, mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Git } from '../../runner/git.ts';
import { createMirrorKeeping } from '../../runner/keep-mirror.ts';
import { createPublishing } from '../../runner/publish-push.ts';
import { serveGit } from '../support/git-http.ts';
import { git } from '../support/git-repository.ts';
import { createPushWorld, type PushWorld } from '../support/push-world.ts';

const branch = 'deckhand/1-fix';
/** For tests that change nothing in it. */
let shared: PushWorld | undefined;

afterAll(async () => {
  await shared?.[Symbol.asyncDispose]();
});

describe('a try of a push', () => {
  test('reaches the remote and changes nothing there, and says what is missing', async () => {
    await using world = await createPushWorld();
    await world.hook('pre-receive', 'touch ran; exit 1');
    await world.publishing.tryPush(world.project, world.base, undefined);
    expect(await git(world.bare, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
    await expect(access(join(world.bare, 'ran'))).rejects.toThrow('ENOENT');
    const elsewhere = { ...world.project, source: { kind: 'path', path: join(world.place.path, 'nowhere') } } as const;
    await expect(world.publishing.tryPush(elsewhere, world.base, undefined)).rejects.toMatchObject({
      code: expect.stringMatching(/^DH-50/),
    });
  });
});

describe('promise 10: a push', () => {
  test('brings exactly the commit that is named, whatever the references of the mirror name by then', async () => {
    await using world = await createPushWorld();
    const approved = await world.change('approved');
    const newer = await world.change('newer');
    const ref = 'refs/deckhand/tasks/tsk_1/head';
    await git(world.mirror, 'update-ref', ref, approved.commit);
    const spec = world.spec(approved);
    await world.publishing.check(spec);
    await git(world.mirror, 'update-ref', ref, newer.commit);
    await git(world.mirror, 'update-ref', `refs/heads/${branch}`, newer.commit);
    await git(world.mirror, 'update-ref', `refs/replace/${approved.commit}`, newer.commit);
    await world.publishing.push(spec, null, undefined);
    expect(await world.at(branch)).toBe(approved.commit);
    expect(await git(world.bare, 'rev-parse', `${branch}^{tree}`)).toBe(approved.tree);
    expect(await git(world.bare, 'for-each-ref', '--format=%(refname)')).toBe(`refs/heads/${branch}\nrefs/heads/main`);
  });

  test('of a repository whose objects have SHA-256 names is like any other', async () => {
    await using world = await createPushWorld({ format: 'sha256' });
    const one = await world.change('one');
    expect(one.commit).toHaveLength(64);
    await world.publishing.check(world.spec(one));
    await world.publishing.tryPush(world.project, world.base, undefined);
    await world.publishing.push(world.spec(one), null, undefined);
    const two = await world.change('two', one.commit);
    await world.publishing.push(world.spec(two), one.commit, undefined);
    expect(await world.at(branch)).toBe(two.commit);
  });

  test.each([
    ['another tree', { tree: 'b'.repeat(40) }],
    ['a commit that is not there', { commit: 'c'.repeat(40) }],
    ['the name of a reference instead of a commit', { commit: 'main' }],
    ['an option instead of a commit', { commit: '--all' }],
    ['a branch of the people', { branch: 'main' }],
    ['a branch that leads out', { branch: 'deckhand/../main' }],
    ['a branch that is a pattern', { branch: 'deckhand/*' }],
    ['a branch with a second reference in it', { branch: 'deckhand/a:refs/heads/main' }],
    ['a branch with a line break', { branch: 'deckhand/a\nb' }],
    ['a branch that locks another', { branch: 'deckhand/a.lock/' }],
    ['another repository', { remote: '/somewhere/else.git' }],
  ])('of %s is refused before git is asked', async (_, wrong) => {
    shared ??= await createPushWorld();
    const world = shared;
    const spec = { ...world.spec(await world.change('approved')), ...wrong };
    await expect(world.publishing.push(spec, null, undefined)).rejects.toThrow('DH-528');
    expect(await git(world.bare, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
  });

  test('of an object that is a tree or a tag and no commit is refused', async () => {
    await using world = await createPushWorld();
    const { tree } = await world.change('approved');
    await expect(world.publishing.check(world.spec({ commit: tree, tree }))).rejects.toThrow('DH-528');
  });

  test('has the history that was approved, whatever grafts, shallow ends and borrowed objects the mirror has by then', async () => {
    await using world = await createPushWorld();
    const elsewhere = await world.change('elsewhere');
    const approved = await world.change('approved');
    // The same files with another commit before them are another commit.
    const same = await git(world.mirror, 'commit-tree', approved.tree, '-p', elsewhere.commit, '-m', 'approved');
    expect(same).not.toBe(approved.commit);
    await mkdir(join(world.mirror, 'info'), { recursive: true });
    await writeFile(join(world.mirror, 'info', 'grafts'), `${approved.commit} ${elsewhere.commit}\n`);
    await writeFile(join(world.mirror, 'shallow'), `${approved.commit}\n`);
    await writeFile(join(world.mirror, 'objects', 'info', 'alternates'), `${join(world.seed, '.git', 'objects')}\n`);
    const included = join(world.place.path, 'included');
    await writeFile(included, `[url "${world.seed}"]\n\tinsteadOf = ${world.bare}\n`);
    await git(world.mirror, 'config', 'include.path', included);
    await world.publishing.push(world.spec(approved), null, undefined);
    expect(await git(world.bare, 'log', '--format=%H', branch)).toBe(`${approved.commit}\n${world.base}`);
    expect(await git(world.bare, 'fsck', '--strict')).toBe('');
    expect(await git(world.seed, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
  });

  test('goes on where the base has moved, the mirror is fetched and packed anew, and another runner is at the same', async () => {
    await using world = await createPushWorld();
    const approved = await world.change('approved');
    await git(world.mirror, 'update-ref', 'refs/deckhand/tasks/tsk_1/head', approved.commit);
    const moved = await git(world.bare, 'commit-tree', `${world.base}^{tree}`, '-p', world.base, '-m', 'Meanwhile');
    await git(world.bare, 'update-ref', 'refs/heads/main', moved);
    const spec = world.spec(approved);
    const other = createPublishing({ git: world.git, mirrors: world.mirrors });
    const meanwhile: Git = {
      ...world.git,
      async run(args, options) {
        // A runner that was taken for dead wakes up with what it knew then.
        if (args[0] === 'push') await expect(other.push(spec, world.base, undefined)).rejects.toThrow();
        return await world.git.run(args, options);
      },
    };
    const keeping = createMirrorKeeping({ git: world.git, mirrors: world.mirrors });
    await Promise.all([
      createPublishing({ git: meanwhile, mirrors: world.mirrors }).push(spec, null, undefined),
      world.mirrors.fetch({ ...world.project, source: { kind: 'path', path: world.bare } }),
      keeping.collectGarbage(world.project.id),
    ]);
    expect(await world.at(branch)).toBe(approved.commit);
    expect(await world.moves(branch)).toBe(1);
    expect(await world.at('main')).toBe(moved);
    expect(await readdir(join(world.dataDir, 'mirrors', 'outgoing'))).toEqual([]);
  });

  test('removes what pushes have left that were killed long ago, and nothing that may be under way', async () => {
    await using world = await createPushWorld();
    const outgoing = join(world.dataDir, 'mirrors', 'outgoing');
    for (const name of ['prj_old-1', 'prj_web-2']) await mkdir(join(outgoing, name), { recursive: true });
    const hourAgo = new Date(Date.now() - 3_600_000);
    await utimes(join(outgoing, 'prj_old-1'), hourAgo, hourAgo);
    await world.publishing.push(world.spec(await world.change('approved')), null, undefined);
    expect(await readdir(outgoing)).toEqual(['prj_web-2']);
  });

  test('moves a branch only from where it is expected, and compares at the remote itself', async () => {
    await using world = await createPushWorld();
    const one = await world.change('one');
    const two = await world.change('two');
    await world.publishing.push(world.spec(one), null, undefined);
    await expect(world.publishing.push(world.spec(two), null, undefined)).rejects.toThrow();
    await expect(world.publishing.push(world.spec(two), two.commit, undefined)).rejects.toThrow();
    expect(await world.at(branch)).toBe(one.commit);
    // Not a descendant: a working copy that was made anew.
    await world.publishing.push(world.spec(two), one.commit, undefined);
    expect(await world.at(branch)).toBe(two.commit);
  });

  test('knows where the branch is, and takes no other for it', async () => {
    await using world = await createPushWorld();
    const one = await world.change('one');
    const spec = world.spec(one);
    await git(world.bare, 'update-ref', `refs/heads/x/refs/heads/${branch}`, world.base);
    expect(await world.publishing.branchAt(spec, undefined)).toBeNull();
    await world.publishing.push(spec, null, undefined);
    expect(await world.publishing.branchAt(spec, undefined)).toBe(one.commit);
  });
});

describe('what a repository names is not run', () => {
  test('neither hooks of the mirror nor those of a directory, nor programs of their settings', async () => {
    await using world = await createPushWorld();
    const marker = join(world.place.path, 'ran');
    const script = `#!/bin/sh\ntouch ${marker}\n`;
    for (const repository of [world.mirror, world.bare]) {
      await mkdir(join(repository, 'hooks'), { recursive: true });
      await git(repository, 'config', 'core.hooksPath', join(repository, 'hooks'));
      for (const name of [
        'pre-push',
        'pre-receive',
        'update',
        'post-receive',
        'post-update',
        'reference-transaction',
        'push-to-checkout',
      ]) {
        await writeFile(join(repository, 'hooks', name), script, { mode: 0o755 });
      }
    }
    const program = join(world.place.path, 'program.sh');
    await writeFile(program, script, { mode: 0o755 });
    await git(world.mirror, 'config', 'core.sshCommand', program);
    await git(world.mirror, 'config', 'credential.helper', `!${program}`);
    await git(world.mirror, 'config', 'gpg.program', program);
    await git(world.mirror, 'config', 'push.gpgSign', 'true');
    await git(world.mirror, 'config', 'push.recurseSubmodules', 'on-demand');
    await git(world.bare, 'config', 'core.fsmonitor', program);
    await git(world.bare, 'config', 'core.alternateRefsCommand', program);
    await git(world.bare, 'config', 'receive.procReceiveRefs', 'refs/none');
    await git(world.bare, 'config', 'gc.auto', '1');
    await writeFile(join(world.bare, 'objects', 'info', 'alternates'), `${join(world.seed, '.git', 'objects')}\n`);
    const change = await world.change('approved');
    await world.publishing.push(world.spec(change), null, undefined);
    expect(await world.at(branch)).toBe(change.commit);
    await expect(access(marker)).rejects.toThrow('ENOENT');
  });

  test('settings of the mirror send the push nowhere else and bring nothing along', async () => {
    await using world = await createPushWorld();
    const other = join(world.place.path, 'remotes', 'other.git');
    await git(world.seed, 'clone', '--quiet', '--bare', world.seed, other);
    await git(world.mirror, 'config', `url.${other}.pushInsteadOf`, world.bare);
    await git(world.mirror, 'config', 'push.followTags', 'true');
    await git(world.mirror, 'config', 'remote.pushDefault', other);
    await git(world.mirror, 'tag', '-a', '-m', 'x', 'v1', world.base);
    const change = await world.change('approved');
    await world.publishing.push(world.spec(change), null, undefined);
    expect(await git(other, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
    expect(await world.at(branch)).toBe(change.commit);
    expect(await git(world.bare, 'for-each-ref', '--format=%(refname)', 'refs/tags')).toBe('');
  });
});

describe('a push that is refused says why', () => {
  test('the branch is checked out in a directory', async () => {
    await using world = await createPushWorld({
      source: (bare) => ({ kind: 'path', path: bare.replace('remotes/web.git', 'seed') }),
    });
    await git(world.seed, 'checkout', '--quiet', '-b', branch);
    const change = await world.change('approved');
    await expect(world.publishing.push(world.spec(change), world.base, undefined)).rejects.toThrow('DH-529');
  });

  test.each([
    [
      'protected',
      'echo "GH006: Protected branch update failed for refs/heads/deckhand/1-fix." >&2; exit 1',
      'DH-522',
      'Protected branch update failed',
    ],
    [
      'a workflow',
      'echo "refusing to allow a Personal Access Token to create or update workflow \\`.github/workflows/ci.yml\\` without \\`workflow\\` scope" >&2; exit 1',
      'DH-524',
      'workflow files',
    ],
    [
      'too large',
      'echo "error: File big.bin is 120.00 MB; this exceeds GitHub\'s file size limit of 100.00 MB" >&2; exit 1',
      'DH-527',
      '120.00 MB',
    ],
    ['a rule of the server', 'echo "Commits must name a ticket." >&2; exit 1', 'DH-525', 'Commits must name a ticket'],
  ])('by a server for which it is %s', async (_, script, code, words) => {
    await using world = await createPushWorld({ source: () => ({ kind: 'git', url: 'http://127.0.0.1:1/web.git' }) });
    await using server = await serveGit(join(world.place.path, 'remotes'));
    await world.hook('pre-receive', script);
    const url = `http://${server.host}/web.git`;
    const project = { ...world.project, source: { kind: 'git', url } } as const;
    const change = await world.change('approved');
    const push = world.publishing.push({ ...world.spec(change), project, remote: url }, null, undefined);
    await expect(push).rejects.toThrow(code);
    await expect(push).rejects.toThrow(words);
  });

  test('a name that the remote cannot have beside others', async () => {
    await using world = await createPushWorld();
    await git(world.bare, 'update-ref', 'refs/heads/deckhand', world.base);
    const change = await world.change('approved');
    await expect(world.publishing.push(world.spec(change), null, undefined)).rejects.toThrow('DH-520');
  });

  test('a branch that may not be rewritten', async () => {
    await using world = await createPushWorld();
    const one = await world.change('one');
    await world.publishing.push(world.spec(one), null, undefined);
    await git(world.bare, 'config', 'receive.denyNonFastForwards', 'true');
    const two = await world.change('two');
    await expect(world.publishing.push(world.spec(two), one.commit, undefined)).rejects.toThrow('DH-531');
  });

  test('a server that gives no right to write, one that wants a login, and one that is not there', async () => {
    await using world = await createPushWorld();
    const change = await world.change('approved');
    const to = (url: string) => ({
      ...world.spec(change),
      project: { ...world.project, source: { kind: 'git', url } as const },
      remote: url,
    });
    await git(world.bare, 'config', 'http.receivepack', 'false');
    {
      await using server = await serveGit(join(world.place.path, 'remotes'));
      await expect(world.publishing.push(to(`http://${server.host}/web.git`), null, undefined)).rejects.toThrow('DH-523');
    }
    await git(world.bare, 'config', 'http.receivepack', 'true');
    {
      await using server = await serveGit(join(world.place.path, 'remotes'), 'x-access-token:secret');
      const there = to(`http://${server.host}/web.git`);
      await expect(world.publishing.push(there, null, undefined)).rejects.toThrow('DH-504');
      const authorization = `Basic ${Buffer.from('x-access-token:secret').toString('base64')}`;
      await world.publishing.push(there, null, () => authorization);
      expect(await world.at(branch)).toBe(change.commit);
      // A login in the address of the project is used, and is no part of what is approved and told.
      const next = await world.change('next', change.commit);
      const source = { kind: 'git', url: `http://x-access-token:secret@${server.host}/web.git` } as const;
      await world.publishing.push({ ...there, ...next, project: { ...world.project, source } }, change.commit, undefined);
      expect(await world.at(branch)).toBe(next.commit);
    }
    await expect(world.publishing.push(to('http://127.0.0.1:9/web.git'), null, undefined)).rejects.toThrow('DH-500');
  });

  test('a login is not sent where others could read it, nor on to another host', async () => {
    await using world = await createPushWorld();
    await using server = await serveGit(join(world.place.path, 'remotes'));
    const change = await world.change('approved');
    const url = `http://${server.host}/moved/web.git`;
    const spec = { ...world.spec(change), project: { ...world.project, source: { kind: 'git', url } as const }, remote: url };
    await expect(world.publishing.push(spec, null, () => 'Basic c2VjcmV0')).rejects.toThrow(/DH-5/);
    // Without one it goes nowhere else either: another place than the one that was approved.
    await expect(world.publishing.push(spec, null, undefined)).rejects.toThrow('at another address now');
    await expect(world.publishing.branchAt(spec, undefined)).rejects.toThrow('at another address now');
    expect(server.seen.length).toBeGreaterThan(0);
    expect(await world.at(branch)).toBe('');
    let asked = 0;
    const plain = 'http://git.example.invalid/web.git';
    const open = { ...spec, project: { ...world.project, source: { kind: 'git', url: plain } as const }, remote: plain };
    await expect(
      world.publishing.push(open, null, () => {
        asked += 1;
        return 'Basic c2VjcmV0';
      }),
    ).rejects.toThrow('DH-500');
    expect(asked).toBe(0);
  });
});
