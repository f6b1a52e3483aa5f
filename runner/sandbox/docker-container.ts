import type Docker from 'dockerode';
import type { Ahead } from './ahead.ts';
import { gatewayVariable, type Helper, type SandboxLimits, type SandboxSpec } from './port.ts';

/** User and group of everything in a sandbox; made by docker/Dockerfile. */
export const sandboxUser = 10001;
export const workspace = '/workspace';
/** Where a sandbox finds the directory of its gateway. */
export const gatewayDirectory = '/run/deckhand';
/** Where a sandbox that waits finds what it is to run. */
const goDirectory = '/run/deckhand-go';
export const initPath = '/usr/local/bin/deckhand-init';
/** Runs the bridge of an agent; as a process of which programs of the same user see nothing, see docker/private.c. */
export const bridge = [
  '/usr/bin/env',
  'LD_PRELOAD=/usr/local/lib/deckhand/private.so',
  'node',
  '/usr/local/lib/deckhand/bridge.mjs',
] as const;
/** Version of what the runner expects of the image, `deckhand.sandbox.version` in docker/Dockerfile. */
export const imageVersion = '1';

export const labels = {
  instance: 'deckhand.instance',
  run: 'deckhand.run',
  /** ISO 8601. */
  expires: 'deckhand.expires',
  role: 'deckhand.role',
  /** Kind of the working copy, on volumes and sandboxes. */
  disk: 'deckhand.disk',
  /** Of an image whose first process can wait for its command; docker/Dockerfile. */
  waits: 'deckhand.sandbox.waits',
  /** Of an image whose bridge can start the program of an agent meanwhile; docker/Dockerfile. */
  ahead: 'deckhand.sandbox.ahead',
  /** Versions of the programs in the image of agents; docker/agents.Dockerfile. */
  claude: 'deckhand.agents.claude',
  codex: 'deckhand.agents.codex',
} as const;

/** Begins the run ids of what only examines the engine. */
export const probePrefix = 'probe-';

/**
 * `sandbox` runs the command, `start` marks that somebody starts it, `holder` keeps a working copy in memory, `keeper` makes and removes
 * those on disk, of all runs; the others are brief.
 */
export type Role = 'sandbox' | 'start' | 'holder' | 'keeper' | 'collect' | 'probe';

/** dockerode's types do not know the cgroup namespace. */
type HostConfig = Docker.HostConfig & { CgroupnsMode: 'private' };

const mebibyte = 1024 * 1024;

/** Most bytes of records that the first process may write for a run; far more than its output needs unless it comes drop by drop. */
export function logBytes(outputBytes: number): number {
  return 2 * outputBytes + 64 * mebibyte;
}

/** The command line of the first process up to the command. */
export function initArguments(limits: Pick<SandboxLimits, 'timeMs' | 'outputBytes'>): string[] {
  return [initPath, '--time-ms', String(Math.ceil(limits.timeMs)), '--output-bytes', String(Math.ceil(limits.outputBytes))];
}

export function environment(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}

export function sandboxLabels(instance: string, run: string, expiresAt: Date, role: Role): Record<string, string> {
  return {
    [labels.instance]: instance,
    [labels.run]: run,
    [labels.expires]: expiresAt.toISOString(),
    [labels.role]: role,
  };
}

/**
 * Has a network of its own as well, with nothing in it but itself, and takes less than half the time to start than with `NetworkMode: 'none'`
 * alone: the engine prepares nothing for it, which takes two more processes of its own. What only commands of people miss, `localhost` as a
 * name, is in the file of `hostsMount`.
 */
export const unplugged = { NetworkDisabled: true } as const;

/** Names of this machine, for containers for which the engine writes no such file. The engine takes files of its own by `rslave` only. */
export function hostsMount(file: string): Docker.MountSettings {
  return { Type: 'bind', Source: file, Target: '/etc/hosts', ReadOnly: true, BindOptions: { Propagation: 'rslave' } };
}

/** What every container that runs commands of a task gets: nothing that it could use to leave or to hurt its neighbours. */
export function lockedDown(
  limits: Pick<SandboxLimits, 'memoryBytes' | 'cpus' | 'pids' | 'fileBytes'>,
  volume: string | undefined,
): HostConfig {
  const temporary = Math.floor(Math.min(limits.memoryBytes / 2, 512 * mebibyte));
  return {
    NetworkMode: 'none',
    ReadonlyRootfs: true,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges:true'],
    IpcMode: 'private',
    CgroupnsMode: 'private',
    Memory: limits.memoryBytes,
    // Equal to Memory: no swap.
    MemorySwap: limits.memoryBytes,
    NanoCpus: Math.round(limits.cpus * 1e9),
    PidsLimit: limits.pids,
    // When the host itself runs out of memory, sandboxes go first.
    OomScoreAdj: 500,
    Ulimits: [
      { Name: 'nofile', Soft: 8192, Hard: 8192 },
      { Name: 'core', Soft: 0, Hard: 0 },
      { Name: 'fsize', Soft: limits.fileBytes, Hard: limits.fileBytes },
    ],
    // Programs that compile and run their tests do so in /tmp; forbidding that protects nothing, /workspace allows it too.
    Tmpfs: {
      '/tmp': `rw,exec,nosuid,nodev,size=${temporary},mode=1777`,
      '/home/deckhand': `rw,exec,nosuid,nodev,size=${temporary},uid=${sandboxUser},gid=${sandboxUser},mode=700`,
    },
    Binds: volume === undefined ? [] : [`${volume}:${workspace}:nocopy`],
    RestartPolicy: { Name: 'no' },
    Init: false,
    LogConfig: { Type: 'none', Config: {} },
  };
}

/** The container of a run. Its output goes to a log that is never rotated: the first process stops before it is full. */
export function sandboxContainer(p: {
  image: string;
  instance: string;
  volume: string;
  /** See `hostsMount`; undefined: the engine writes one. */
  hosts: string | undefined;
  spec: SandboxSpec;
  memoryBytes: number;
  extraLabels: Record<string, string>;
}): Docker.ContainerCreateOptions {
  const { spec } = p;
  const log = logBytes(spec.limits.outputBytes);
  const gateway = spec.gateway === undefined ? [] : [gatewayMount(spec.gateway)];
  return {
    ...(p.hosts === undefined ? {} : unplugged),
    Image: p.image,
    Hostname: 'sandbox',
    User: `${sandboxUser}:${sandboxUser}`,
    WorkingDir: workspace,
    Entrypoint: [...initArguments(spec.limits), '--log-bytes', String(log), '--disk', workspace, '--'],
    Cmd: [...spec.argv],
    Env: environment(environmentOf(spec)),
    Labels: { ...sandboxLabels(p.instance, spec.run, spec.expiresAt, 'sandbox'), ...p.extraLabels },
    HostConfig: {
      ...lockedDown({ ...spec.limits, memoryBytes: p.memoryBytes }, p.volume),
      Mounts: [...gateway, ...(p.hosts === undefined ? [] : [hostsMount(p.hosts)])],
      LogConfig: logOf(log),
    },
  };
}

/** What the command of a run finds in its environment. */
export function environmentOf({ env, gateway }: Pick<SandboxSpec, 'env' | 'gateway'>): Record<string, string> {
  return { ...env, ...(gateway === undefined ? {} : { [gatewayVariable]: `${gatewayDirectory}/gw.sock` }) };
}

function logOf(bytes: number): Docker.HostConfig['LogConfig'] {
  const Config = { 'max-size': `${Math.ceil(bytes / mebibyte) + 64}m`, 'max-file': '1', compress: 'false' };
  return { Type: 'local', Config };
}

/** A container that runs before it is known for which run: the same in everything but that its first process waits for its command. */
export function waitingContainer(p: {
  image: string;
  instance: string;
  volume: string;
  /** See `hostsMount`; undefined: the engine writes one. */
  hosts: string | undefined;
  slot: string;
  limits: SandboxLimits;
  expiresAt: Date;
  memoryBytes: number;
  /** Of the working copy. */
  kind: string;
  gateway: string | undefined;
  /** See WarmControl. */
  directory: string;
  /** What is started meanwhile. */
  ahead: Ahead | undefined;
}): Docker.ContainerCreateOptions {
  const gateway = p.gateway === undefined ? [] : [gatewayMount(p.gateway)];
  const hosts = p.hosts === undefined ? [] : [hostsMount(p.hosts)];
  const go = `${goDirectory}/go`;
  return {
    ...(p.hosts === undefined ? {} : unplugged),
    Image: p.image,
    Hostname: 'sandbox',
    User: `${sandboxUser}:${sandboxUser}`,
    WorkingDir: workspace,
    Entrypoint: [initPath, '--disk', workspace, '--go', go],
    Cmd: p.ahead === undefined ? [] : ['--', ...bridge, '--ahead', JSON.stringify({ ...p.ahead, go })],
    Labels: { ...sandboxLabels(p.instance, p.slot, p.expiresAt, 'sandbox'), [labels.disk]: p.kind },
    HostConfig: {
      ...lockedDown({ ...p.limits, memoryBytes: p.memoryBytes }, p.volume),
      Mounts: [{ ...gatewayMount(p.directory), Target: goDirectory }, ...gateway, ...hosts],
      LogConfig: logOf(logBytes(p.limits.outputBytes)),
    },
  };
}

/** As a mount, not as one of `Binds`: a directory that does not exist is an error then, instead of being made by the engine. */
export function gatewayMount(directory: string): Docker.MountSettings {
  const BindOptions = { Propagation: 'private' } as const;
  return { Type: 'bind', Source: directory, Target: gatewayDirectory, ReadOnly: true, BindOptions };
}

/** A helper over the working copy of a sandbox, with the restrictions of that sandbox. */
export function collectContainer(p: {
  sandbox: Docker.ContainerInspectInfo;
  labels: Record<string, string>;
  helper: Helper;
}): Docker.ContainerCreateOptions {
  return {
    ...unplugged,
    Image: p.sandbox.Image,
    Hostname: 'sandbox',
    User: `${sandboxUser}:${sandboxUser}`,
    WorkingDir: workspace,
    Entrypoint: [...initArguments(p.helper), '--'],
    Cmd: [...p.helper.argv],
    Env: environment(p.helper.env ?? {}),
    Labels: p.labels,
    HostConfig: { ...p.sandbox.HostConfig, Mounts: [], LogConfig: { Type: 'none', Config: {} } },
  };
}
