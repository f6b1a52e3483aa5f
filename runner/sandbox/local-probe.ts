import { access, constants, mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { errorText } from '../../src/runtime/error-text.ts';
import { localAgents } from './local-agents.ts';
import { freeBytes } from './local-files.ts';
import { type ProbeCheck, programsOf } from './port.ts';

const needed = ['sh', 'cat', 'mkfifo', 'tar', 'git'];

/** Says what local sandboxes are, and whether their few needs are met. */
export async function probeLocal(root: string, path: string, minFreeBytes: number): Promise<ProbeCheck[]> {
  const missing: string[] = [];
  for (const program of needed) if (!(await isOnPath(program, path))) missing.push(program);
  const programs: ProbeCheck =
    missing.length === 0
      ? { name: 'programs', ok: true, detail: `${needed.join(', ')} are here` }
      : { name: 'programs', ok: false, detail: `Missing: ${missing.join(', ')}`, remedy: 'Install them, or correct PATH.' };
  return [
    {
      name: 'isolation',
      ok: false,
      harmless: true,
      detail:
        `None: commands run on this machine as ${userInfo().username}, with all that user may do, the network of the machine, ` +
        'and no limits of memory, CPU, processes and disk.',
      remedy: 'Let commands run in containers: SANDBOX=docker, with a container engine and `npm run image`.',
    },
    programs,
    { name: 'agents', ok: true, detail: programsOf(await localAgents(path)) },
    await checkDisk(root, minFreeBytes),
  ];
}

async function isOnPath(program: string, path: string): Promise<boolean> {
  for (const directory of path.split(delimiter)) {
    try {
      await access(join(directory, program), constants.X_OK);
      return true;
    } catch {
      // not in this one
    }
  }
  return false;
}

async function checkDisk(root: string, minFreeBytes: number): Promise<ProbeCheck> {
  try {
    await mkdir(root, { recursive: true, mode: 0o700 });
    const free = await freeBytes(root);
    const detail = `${Math.floor(free / 1024 ** 2)} MiB are free in ${root}`;
    return free >= minFreeBytes
      ? { name: 'disk', ok: true, detail }
      : { name: 'disk', ok: false, detail, remedy: 'Free some space.' };
  } catch (error) {
    const detail = errorText(error);
    return { name: 'disk', ok: false, detail, remedy: `Make ${root} writable.` };
  }
}
