import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { labels, probePrefix } from '../../runner/sandbox/docker-container.ts';
import { openEngine } from '../../runner/sandbox/docker-engine.ts';
import { warmPrefix } from '../../runner/sandbox/warm-plan.ts';

/** A process that has to do with a data directory: it names it, works in it, or was started by one that does. */
export interface FoundProcess {
  pid: number;
  parent: number;
  command: string;
}

/** Living processes of a data directory: Deckhand itself, its database, commands in local sandboxes. Linux only. */
export function processesOf(dataDir: string): FoundProcess[] {
  const found: FoundProcess[] = [];
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const pid = Number(name);
    if (pid === process.pid) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      if (state === 'Z') continue;
      const texts = [command, readFileSync(`/proc/${name}/environ`, 'latin1'), readlinkSync(`/proc/${name}/cwd`)];
      if (texts.some((text) => text.includes(dataDir))) found.push({ pid, parent: Number(parent), command });
    } catch {
      // It has ended while it was looked at, or is not ours to look at.
    }
  }
  return found;
}

/**
 * What runs have left on this machine, in words: containers and volumes, local sandboxes, working copies, unfinished imports,
 * processes of commands. Empty when every run has been cleared away. `butProbes`: leaves out what a runner that was killed while it
 * examined the engine has left, which is removed when its time has passed.
 */
export async function leftOfRuns(dataDir: string, options: { butProbes?: boolean } = {}): Promise<string[]> {
  const { containers, volumes } = await onEngine(dataDir);
  // What waits for runs to come is no run's.
  const waits = new Set(
    containers
      .filter(({ Labels, Names, State }) => State === 'running' && Names.some((name) => name.endsWith(`-${Labels[labels.run]}`)))
      .map(({ Labels }) => Labels[labels.run] ?? '')
      .filter((slot) => slot.startsWith(warmPrefix)),
  );
  const counts = (run: string | undefined) =>
    run !== undefined && !waits.has(run) && !(options.butProbes === true && run.startsWith(probePrefix));
  const inside = async (folder: string) =>
    (await readdir(join(dataDir, folder)).catch(() => [])).map((one) => `${folder}/${one}`);
  return [
    ...containers
      // The one that makes all working copies is no run's either.
      .filter(({ Labels }) => Labels[labels.role] !== 'keeper' && counts(Labels[labels.run] ?? ''))
      .map(({ Names, Status }) => `container ${Names.join()} (${Status})`),
    ...volumes.filter(({ Labels }) => counts(Labels?.[labels.run])).map(({ Name }) => `volume ${Name}`),
    ...(await inside('sandboxes')),
    ...(await inside('work')),
    ...(await inside('mirrors/incoming')),
    ...processesOf(join(dataDir, 'sandboxes')).map(({ pid, command }) => `process ${pid} ${command}`),
  ];
}

/** Removes every container and volume of the installation, also those that it keeps between runs. */
export async function removeFromEngine(dataDir: string): Promise<void> {
  const { docker, containers, volumes } = await onEngine(dataDir);
  for (const { Id } of containers) await docker.getContainer(Id).remove({ force: true });
  for (const { Name } of volumes) await docker.getVolume(Name).remove({ force: true });
}

/** Everything of the installation on the usual container engine; nothing where there is no engine or no installation. */
async function onEngine(
  dataDir: string,
): Promise<{ docker: Docker; containers: Docker.ContainerInfo[]; volumes: Docker.VolumeInspectInfo[] }> {
  const docker = openEngine({ socketPath: '/var/run/docker.sock' });
  const hostId = (await readFile(join(dataDir, 'host-id'), 'utf8').catch(() => '')).trim();
  const answers = await docker.ping().then(
    () => true,
    () => false,
  );
  if (hostId === '' || !answers) return { docker, containers: [], volumes: [] };
  const instance = hostId.replace('_', '-');
  const label = [`${labels.instance}=${instance}`];
  const containers = await docker.listContainers({ all: true, filters: { label } });
  const { Volumes } = await docker.listVolumes();
  return { docker, containers, volumes: (Volumes ?? []).filter(({ Name }) => Name.startsWith(`deckhand-${instance}-`)) };
}
