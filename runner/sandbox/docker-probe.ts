import type Docker from 'dockerode';
import { errorText } from '../../src/runtime/error-text.ts';
import { initArguments, lockedDown, probePrefix, sandboxLabels, sandboxUser } from './docker-container.ts';
import type { DiskChoice } from './docker-disk.ts';
import { call } from './docker-engine.ts';
import { collectFrom } from './docker-exec.ts';
import { tryGateway } from './docker-gateway.ts';
import { engineRemedy } from './docker-ready.ts';
import { type AgentPrograms, type ProbeCheck, programsOf, SandboxUnreachable } from './port.ts';
import { readAll } from './tar.ts';

interface ProbeInput {
  docker: Docker;
  instance: string;
  image: string;
  requireImage(signal?: AbortSignal): Promise<unknown>;
  agents(signal?: AbortSignal): Promise<AgentPrograms>;
  /** Where gateways have their directories; undefined: anywhere. */
  gateways: string | undefined;
  examineDisk(): Promise<DiskChoice>;
  signal: AbortSignal | undefined;
}

/** A public address, the metadata address of clouds, and the usual addresses of the host on Docker's bridge. */
const forbidden = ['http://1.1.1.1/', 'http://169.254.169.254/', 'http://172.17.0.1:22/', 'http://example.com/'];
const limits = { memoryBytes: 128 * 1024 ** 2, cpus: 1, pids: 64, fileBytes: 1024 ** 2 };
const helper = { argv: ['/usr/local/lib/deckhand/probe.sh', ...forbidden] as const, timeMs: 30_000, outputBytes: 64 * 1024 };

/** Looks at the engine from outside and at a sandbox from inside. */
export async function probeDocker(input: ProbeInput): Promise<ProbeCheck[]> {
  const { docker, signal } = input;
  const checks: ProbeCheck[] = [];
  /** Runs one part; a failure becomes a failed check, and the parts that need it are left out. */
  async function part(
    name: string,
    remedy: string | ((error: unknown) => string),
    examine: () => Promise<string>,
    harmless?: true,
  ): Promise<boolean> {
    try {
      checks.push({ name, ok: true, detail: await examine() });
      return true;
    } catch (error) {
      const detail = errorText(error);
      checks.push({ name, ok: false, harmless, detail, remedy: typeof remedy === 'string' ? remedy : remedy(error) });
      return false;
    }
  }

  const engine = await part('engine', engineRemedy, async () => {
    const [version, info] = await Promise.all([call(() => docker.version(), signal), call(() => docker.info(), signal)]);
    return `Docker ${version.Version}, cgroup version ${info.CgroupVersion ?? '1'}, ${info.Driver}`;
  });
  if (!engine) return checks;
  const image = await part('image', 'Run `npm run image`.', async () => {
    await input.requireImage(signal);
    return `${input.image} is here`;
  });
  if (!image) return checks;
  await part('disk', 'Look at the free space of the disk of the container engine.', async () => {
    const { kind, why } = await input.examineDisk();
    return kind === 'ext4' ? 'Working copies are on disk with a size limit' : `Working copies are in memory: ${why}`;
  });
  let seen = new Map<string, string[]>();
  const inside = await part('sandbox', 'Look at the log of the container engine.', async () => {
    seen = await lookInside(input);
    return 'A sandbox starts and answers';
  });
  if (!inside) return checks;
  checks.push(...judge(seen));
  await part('agents', 'Run `npm run image`.', () => input.agents(signal).then(programsOf), true);
  await part(
    'gateway',
    gatewayRemedy,
    async () => {
      await tryGateway({ ...input, run: probeRun(), limits, root: input.gateways });
      return 'A sandbox reaches its gateway, and with it the models';
    },
    true,
  );
  return checks;
}

const gatewayRemedy =
  'Agents cannot work in containers of this engine; commands can. Run the engine and the runner on the same machine and with the same file system: no DOCKER_HOST of another machine, no engine in a virtual machine of its own (Docker Desktop), no PrivateTmp.';

function probeRun(): string {
  return `${probePrefix}${process.pid}-${Date.now()}`;
}

async function lookInside({ docker, instance, image, signal }: ProbeInput): Promise<Map<string, string[]>> {
  const options: Docker.ContainerCreateOptions = {
    Image: image,
    Hostname: 'sandbox',
    User: `${sandboxUser}:${sandboxUser}`,
    Entrypoint: [...initArguments(helper), '--'],
    Cmd: [...helper.argv],
    Labels: sandboxLabels(instance, probeRun(), new Date(Date.now() + 120_000), 'probe'),
    HostConfig: lockedDown(limits, undefined),
  };
  const text = (await readAll(collectFrom(docker, options, helper, signal), helper.outputBytes)).toString();
  const seen = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [name = '', ...rest] = line.split(' ');
    seen.set(name, [...(seen.get(name) ?? []), rest.join(' ')]);
  }
  if (!seen.has('uid')) throw new SandboxUnreachable('The probe answers nothing');
  return seen;
}

/** Pure: what the lines of docker/probe.sh mean. */
export function judge(seen: ReadonlyMap<string, readonly string[]>): ProbeCheck[] {
  const value = (name: string) => seen.get(name)?.[0] ?? 'unknown';
  const check = (name: string, ok: boolean, detail: string, remedy: string): ProbeCheck =>
    ok ? { name, ok, detail } : { name, ok, detail, remedy };
  const reached = seen.get('reached') ?? [];
  const privileges = {
    uid: value('uid') === String(sandboxUser),
    capabilities: /^0+$/.test(value('capabilities')),
    no_new_privileges: value('no_new_privileges') === '1',
    seccomp: value('seccomp') === '2',
    root: value('root') === 'read-only',
    engine_socket: value('engine_socket') === 'absent',
  };
  const wrong = Object.entries(privileges).filter(([, good]) => !good);
  return [
    check(
      'isolation',
      wrong.length === 0,
      wrong.length === 0
        ? 'No privileges: own user, no capabilities, filtered system calls, read-only system'
        : `Not as it must be: ${wrong.map(([name]) => `${name} is ${value(name)}`).join(', ')}`,
      'The engine ignores security options; use one that supports them.',
    ),
    check(
      'limits',
      value('memory') === String(limits.memoryBytes) && value('pids') === String(limits.pids),
      `Memory limit ${value('memory')} of ${limits.memoryBytes}, process limit ${value('pids')} of ${limits.pids}`,
      'The kernel or the engine lacks the memory or pids controller; enable them (cgroup_enable=memory).',
    ),
    check(
      'network',
      reached.length === 0 && value('interfaces') === 'lo',
      reached.length === 0 ? `Closed: interfaces ${value('interfaces')}` : `A sandbox reaches ${reached.join(', ')}`,
      'The engine does not honour network mode none; do not run untrusted commands with it.',
    ),
  ];
}
