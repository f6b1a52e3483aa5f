import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import type { ArtifactRef } from '../src/contracts/run-event.ts';
import { artifactForSystem } from '../src/store/artifact-rows.ts';
import { recordArtifact } from '../src/store/artifacts.ts';
import type { Database } from '../src/store/database.ts';
import { assertRun } from './sandbox/port.ts';

/** The run that leaves a file. */
export interface Owner {
  workspace: string;
  run: string;
}

/**
 * Files that runs leave, in `<dataDir>/artifacts/<run>/`. Their names on disk are fixed; what people see them called stands in the
 * table. Nothing in here was named by a command.
 */
export interface Artifacts {
  /** Where the output of a run is kept while it runs. */
  outputLog(run: string): string;
  /** Where the output of the check of a run is kept. */
  checkLog(run: string): string;
  /** Writes a patch, whole or not at all. Repeatable. Throws what the disk says. */
  writePatch(run: string, bytes: Uint8Array): Promise<void>;
  /** Writes the picture of a patch, whole or not at all. Repeatable. Throws what the disk says. */
  writePicture(run: string, bytes: Uint8Array): Promise<void>;
  /** Writes what continues an agent's session, whole or not at all. Repeatable. Throws what the disk says. */
  writeSession(run: string, bytes: Uint8Array): Promise<void>;
  /** Writes a file the agent made for people, whole or not at all; `name` is what people see it called. Throws what the disk says. */
  writeFile(run: string, name: string, bytes: Uint8Array): Promise<void>;
  /** Writes a file that people gave the agent, whole or not at all; `name` is the one it is recorded by. Throws what the disk says. */
  writeGiven(run: string, name: string, bytes: Uint8Array): Promise<void>;
  /** Notes a file that is complete; `bytes` is its size. Repeatable. Fails only when the database does. */
  record(owner: Owner, kind: ArtifactRef['kind'], name: string, bytes: number): Promise<ArtifactRef>;
  /** The file of an artifact, or undefined when there is no such artifact or its file is gone. */
  read(id: string): Promise<Uint8Array | undefined>;
}

const logFile = 'output.log';
const checkFile = 'check.log';
const patchFile = 'changes.patch';
const pictureFile = 'changes.png';
const sessionFile = 'session.tar';

export function createArtifacts(deps: { dataDir: string; database: Database }): Artifacts {
  const folder = resolve(deps.dataDir, 'artifacts');

  function fileOf(run: string, file: string): string {
    assertRun(run);
    return join(folder, run, file);
  }

  return {
    outputLog: (run) => fileOf(run, logFile),
    checkLog: (run) => fileOf(run, checkFile),
    writePatch: (run, bytes) => writeWhole(fileOf(run, patchFile), bytes),
    writeFile: (run, name, bytes) => writeWhole(fileOf(run, nameOnDisk('file', name)), bytes),
    writeGiven: (run, name, bytes) => writeWhole(fileOf(run, nameOnDisk('given', name)), bytes),
    writePicture: (run, bytes) => writeWhole(fileOf(run, pictureFile), bytes),
    writeSession: (run, bytes) => writeWhole(fileOf(run, sessionFile), bytes),
    async record({ workspace, run }, kind, name, bytes) {
      const path = join(run, nameOnDisk(kind, name));
      const row = { workspace, run, name, kind, bytes, path };
      const { id } = await deps.database.transaction(({ db }) => recordArtifact(db, row));
      return { id, name, kind, bytes };
    },
    async read(id) {
      const row = await artifactForSystem(deps.database.db, id);
      if (row === undefined) return undefined;
      const path = resolve(folder, row.path);
      if (!path.startsWith(folder + sep)) throw new Error(`artifact ${id} lies outside of the artifacts directory`);
      try {
        return await readFile(path);
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
        throw error;
      }
    },
  };
}

/** Never the name that somebody gave it. */
function nameOnDisk(kind: ArtifactRef['kind'], name: string): string {
  switch (kind) {
    case 'log':
      return logFile;
    case 'check':
      return checkFile;
    case 'patch':
      return patchFile;
    case 'picture':
      return pictureFile;
    case 'session':
      return sessionFile;
    case 'given':
      return `given-${createHash('sha256').update(name).digest('hex').slice(0, 24)}`;
    case 'file':
      return `file-${createHash('sha256').update(name).digest('hex').slice(0, 24)}`;
  }
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const draft = `${path}.new`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    const file = await open(draft, 'w', 0o600);
    try {
      await file.writeFile(bytes);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
