import { readFile } from 'node:fs/promises';
import type Docker from 'dockerode';
import { describe, expect, it } from 'vitest';
import { assertSpec } from '../../runner/sandbox/assert-spec.ts';
import { collectContainer, imageVersion, lockedDown, sandboxContainer } from '../../runner/sandbox/docker-container.ts';
import { call, EngineError, hasStatus, openEngine, stdoutOf } from '../../runner/sandbox/docker-engine.ts';
import { judge } from '../../runner/sandbox/docker-probe.ts';
import { membersOf } from '../../runner/sandbox/local-process.ts';
import { defaultSandboxLimits, SandboxUnreachable } from '../../runner/sandbox/port.ts';

const spec = { run: 'run_1', argv: ['true'] as const, env: {}, limits: defaultSandboxLimits, expiresAt: new Date('2030-01-01') };

describe('the container of a run', () => {
  const container = sandboxContainer({
    image: 'i',
    instance: 'one',
    volume: 'v',
    hosts: undefined,
    spec,
    memoryBytes: 5,
    extraLabels: { more: 'x' },
  });

  it('has no way out, no privileges and no swap', () => {
    expect(container.HostConfig).toMatchObject({
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      IpcMode: 'private',
      Memory: 5,
      MemorySwap: 5,
      Binds: ['v:/workspace:nocopy'],
      RestartPolicy: { Name: 'no' },
    });
    for (const absent of ['Privileged', 'CapAdd', 'Devices', 'PidMode', 'PortBindings'])
      expect(container.HostConfig).not.toHaveProperty(absent);
    expect(container.HostConfig?.Mounts).toEqual([]);
  });

  it('needs no network of the engine where there is a file that names localhost, which it cannot change', () => {
    const about = { image: 'i', instance: 'one', volume: 'v', memoryBytes: 5, extraLabels: {}, spec };
    expect(sandboxContainer({ ...about, hosts: '/disks/hosts' })).toMatchObject({
      NetworkDisabled: true,
      HostConfig: {
        NetworkMode: 'none',
        Mounts: [{ Type: 'bind', Source: '/disks/hosts', Target: '/etc/hosts', ReadOnly: true }],
      },
    });
    expect(container).not.toHaveProperty('NetworkDisabled');
  });

  it('sees one directory of the host where it has a gateway, read-only, and helpers over its working copy see none', () => {
    const about = { image: 'i', instance: 'one', volume: 'v', hosts: undefined, memoryBytes: 5, extraLabels: {} };
    const { HostConfig, Env } = sandboxContainer({ ...about, spec: { ...spec, gateway: '/data/gateway/run_1' } });
    expect(HostConfig?.Mounts).toEqual([
      expect.objectContaining({ Type: 'bind', Source: '/data/gateway/run_1', Target: '/run/deckhand', ReadOnly: true }),
    ]);
    expect(HostConfig?.Binds).toEqual(['v:/workspace:nocopy']);
    expect(Env).toEqual(['DECKHAND_GATEWAY_SOCKET=/run/deckhand/gw.sock']);
    const inspected = { Image: 'i', HostConfig } as Docker.ContainerInspectInfo;
    const helper = { argv: ['ls'] as const, timeMs: 1, outputBytes: 1 };
    expect(collectContainer({ sandbox: inspected, labels: {}, helper })).toMatchObject({
      NetworkDisabled: true,
      HostConfig: { Mounts: [], NetworkMode: 'none' },
    });
  });

  it('has a log that holds more than the first process ever writes, so that nothing is rotated away', () => {
    const entry = container.Entrypoint ?? [];
    const most = Number(entry[entry.indexOf('--log-bytes') + 1]);
    // Base64 takes four bytes for three.
    expect(most).toBeGreaterThan((spec.limits.outputBytes * 4) / 3);
    const { Type, Config } = container.HostConfig?.LogConfig ?? { Type: '', Config: {} };
    expect(Type).toBe('local');
    expect(Config['max-file']).toBe('1');
    expect(Number.parseInt(Config['max-size'], 10) * 1024 * 1024).toBeGreaterThan(most);
  });

  it('is found by its labels', () => {
    expect(container.Labels).toEqual({
      'deckhand.instance': 'one',
      'deckhand.run': 'run_1',
      'deckhand.role': 'sandbox',
      'deckhand.expires': '2030-01-01T00:00:00.000Z',
      more: 'x',
    });
  });

  it('has no volume where none is given', () => {
    expect(lockedDown(defaultSandboxLimits, undefined).Binds).toEqual([]);
  });
});

describe('the image', () => {
  it('of agents is built on it, from packages whose checksums are known for both architectures', async () => {
    const read = (name: string) => readFile(new URL(`../../docker/${name}`, import.meta.url), 'utf8');
    const [script, sums] = await Promise.all([read('build-image.sh'), read('agents.sha512')]);
    const version = (name: string) => new RegExp(`\\$\\{${name}_VERSION:-([\\d.]+)\\}`).exec(script)?.[1];
    const archives = ['x64', 'arm64'].flatMap((arch) => [
      `anthropic-ai-claude-code-linux-${arch}-${version('CLAUDE')}.tgz`,
      `openai-codex-${version('CODEX')}-linux-${arch}.tgz`,
    ]);
    expect(
      sums
        .trim()
        .split('\n')
        .map((line) => line.replace(/^[0-9a-f]{128} {2}/, ''))
        .sort(),
    ).toEqual(archives.sort());
  });

  it('is built with the version that the runner expects', async () => {
    const dockerfile = await readFile(new URL('../../docker/Dockerfile', import.meta.url), 'utf8');
    expect(/^LABEL deckhand\.sandbox\.version=(\S+)$/m.exec(dockerfile)?.[1]).toBe(imageVersion);
  });
});

describe('the address of the engine', () => {
  it('is the one given, whatever DOCKER_HOST says', async () => {
    const before = process.env.DOCKER_HOST;
    process.env.DOCKER_HOST = 'tcp://127.0.0.1:1';
    try {
      const error = await call(() => openEngine({ socketPath: '/nonexistent/engine.sock' }).ping()).catch(
        (failure: Error) => failure,
      );
      expect(error).toBeInstanceOf(SandboxUnreachable);
      expect(error.message).toContain('/nonexistent/engine.sock');
    } finally {
      if (before === undefined) delete process.env.DOCKER_HOST;
      else process.env.DOCKER_HOST = before;
    }
  });
});

describe('a call to the engine', () => {
  const refused = (statusCode: number, message: string) =>
    Promise.reject(Object.assign(new Error(`(HTTP code ${statusCode}) x - ${message}`), { statusCode, json: { message } }));

  it('that is answered with a refusal keeps its status and words', async () => {
    const failing = call(() => refused(409, 'name in use'));
    await expect(failing).rejects.toThrow(EngineError);
    await failing.catch((error: unknown) => expect(hasStatus(error, 404, 409)).toBe(true));
    await expect(failing).rejects.toThrow(/^name in use$/);
  });

  it.each([
    ['no answer', () => Promise.reject(Object.assign(new Error('connect ENOENT'), { code: 'ENOENT' }))],
    ['a gateway without an engine', () => refused(503, 'later')],
    ['silence', () => new Promise<never>(() => undefined)],
  ])('that gets %s says unreachable', async (_, make) => {
    await expect(call(make, undefined, 50)).rejects.toThrow(SandboxUnreachable);
  });

  it('that is aborted gives the reason of the abort', async () => {
    const abort = new AbortController();
    const waiting = call(() => new Promise<never>(() => undefined), abort.signal);
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  it('takes stdout out of the frames, wherever they are cut', async () => {
    const frame = (stream: number, text: string) => {
      const header = Buffer.alloc(8);
      header[0] = stream;
      header.writeUInt32BE(Buffer.byteLength(text), 4);
      return Buffer.concat([header, Buffer.from(text)]);
    };
    const bytes = Buffer.concat([frame(1, 'one '), frame(2, 'err'), frame(1, ''), frame(1, 'two')]);
    for (let cut = 1; cut <= bytes.length; cut++) {
      const source = (async function* () {
        for (let at = 0; at < bytes.length; at += cut) yield bytes.subarray(at, at + cut);
      })();
      let out = '';
      let err = '';
      for await (const part of stdoutOf(source, (more) => (err += more.toString()))) out += part.toString();
      expect([out, err]).toEqual(['one two', 'err']);
    }
  });
});

describe('the judgement of the probe', () => {
  const good = {
    uid: ['10001'],
    capabilities: ['0000000000000000'],
    no_new_privileges: ['1'],
    seccomp: ['2'],
    memory: ['134217728'],
    pids: ['64'],
    interfaces: ['lo'],
    root: ['read-only'],
    engine_socket: ['absent'],
    blocked: ['http://1.1.1.1/'],
  };
  const failed = (change: Record<string, string[]>) =>
    judge(new Map(Object.entries({ ...good, ...change })))
      .filter((check) => !check.ok)
      .map((check) => check.name);

  it.each([
    [{}, []],
    [{ uid: ['0'] }, ['isolation']],
    [{ capabilities: ['00000000a80425fb'] }, ['isolation']],
    [{ no_new_privileges: ['0'] }, ['isolation']],
    [{ seccomp: ['0'] }, ['isolation']],
    [{ root: ['writable'] }, ['isolation']],
    [{ engine_socket: ['present'] }, ['isolation']],
    [{ memory: ['max'] }, ['limits']],
    [{ pids: ['unknown'] }, ['limits']],
    [{ interfaces: ['lo,eth0'] }, ['network']],
    [{ reached: ['http://169.254.169.254/'] }, ['network']],
  ])('of %j fails %j', (change, names) => {
    expect(failed(change)).toEqual(names);
  });

  it('fails everything when nothing is known', () => {
    expect(judge(new Map()).every((check) => !check.ok && check.remedy !== undefined)).toBe(true);
  });
});

describe('the family of a local command', () => {
  it('is what is below the leader or in its group, without the leader, its helpers and theirs', () => {
    const rows = [
      { pid: 1, parent: 0, group: 1 },
      { pid: 50, parent: 1, group: 50 },
      { pid: 100, parent: 50, group: 100 },
      { pid: 101, parent: 100, group: 100 },
      { pid: 102, parent: 100, group: 100 },
      { pid: 103, parent: 101, group: 100 },
      { pid: 110, parent: 100, group: 100 },
      { pid: 111, parent: 110, group: 111 },
      { pid: 112, parent: 1, group: 100 },
      { pid: 200, parent: 50, group: 200 },
      // Numbers can be in a circle for a moment, while processes come and go.
      { pid: 300, parent: 301, group: 300 },
      { pid: 301, parent: 300, group: 301 },
    ];
    expect([...membersOf(rows, 100, [101, 102])]).toEqual([110, 111, 112]);
  });
});

describe('a spec', () => {
  it.each([
    ['a run id with a path', { ...spec, run: '../x' }],
    ['a run id that is empty', { ...spec, run: '' }],
    ['a variable name with =', { ...spec, env: { 'A=B': 'c' } }],
    ['a NUL byte in a value', { ...spec, env: { A: 'b\0c' } }],
    ['a NUL byte in an argument', { ...spec, argv: ['a\0b'] as const }],
    ['a gateway that is not named from the root', { ...spec, gateway: 'gateway/run_1' }],
    ['a limit of nothing', { ...spec, limits: { ...defaultSandboxLimits, pids: 0 } }],
  ])('with %s is refused', (_, bad) => {
    expect(() => assertSpec(bad)).toThrow();
  });

  it('that is right passes', () => {
    expect(() => assertSpec({ ...spec, env: { A: 'b c', _x: '' } })).not.toThrow();
  });
});
