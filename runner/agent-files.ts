import { Readable } from 'node:stream';
import type { AgentSpec } from '../src/contracts/agent-control.ts';
import type { ArtifactRef } from '../src/contracts/run-event.ts';
import { freeName, plainName } from '../src/runtime/plain-name.ts';
import { type HomeFile, keepHelper, packSession, readSession, readShown, showHelper } from './agent-home.ts';
import type { Journey } from './run-journey.ts';
import { size } from './run-outcome.ts';

/** What continues the agent's session, from an earlier run. */
export async function sessionFiles({ deps }: Journey, { session }: AgentSpec): Promise<HomeFile[]> {
  if (session?.artifact == null) return [];
  const bytes = await deps.artifacts.read(session.artifact);
  return bytes === undefined ? [] : await readSession(Readable.from([bytes]));
}

/** Files that people gave, under names that are safe. One whose bytes are gone from the data directory is missing. */
export async function filesGiven({ deps }: Journey, { files }: AgentSpec): Promise<HomeFile[]> {
  const given: HomeFile[] = [];
  for (const { artifact, name } of files) {
    const bytes = await deps.artifacts.read(artifact);
    if (bytes !== undefined) given.push({ path: freePath(name, given), bytes });
  }
  return given;
}

/**
 * Keeps what a later run needs to continue the session; null: nothing. Nobody may lose a result because the agent's own files are odd:
 * then a follow-up begins a new session, and the card says so.
 */
export async function keepSessionFiles(
  { deps, spec, place, calls, left, ...journey }: Journey,
  keeps: readonly string[],
): Promise<string | null> {
  if (keeps.length === 0) return null;
  try {
    const files = await journey.withSandbox(() => readSession(place.sandbox.collect(spec.run, keepHelper(keeps), left)), left);
    if (files.length === 0) return null;
    const bytes = await packSession(files);
    await deps.artifacts.writeSession(spec.run, bytes);
    return (await calls.recordArtifact(spec, 'session', `session-${spec.attempt}.tar`, bytes.length)).id;
  } catch (error) {
    left.throwIfAborted();
    deps.logger.warn({ run: spec.run, err: error }, 'session not kept');
    await journey.note('warning', "The agent's session could not be kept: a follow-up begins a new one on the same branch.");
    return null;
  }
}

const mostShown = 10;

/** Keeps the files that the agent has for people, as artifacts that go with the end of the run. */
export async function keepShownFiles({ deps, spec, place, calls, left, ...journey }: Journey): Promise<ArtifactRef[]> {
  try {
    const found = await journey.withSandbox(() => readShown(place.sandbox.collect(spec.run, showHelper, left)), left);
    if (found.length > mostShown) {
      await journey.note('warning', `The agent has ${found.length} files for people; the first ${mostShown} are sent.`);
    }
    const kept: ArtifactRef[] = [];
    const named: HomeFile[] = [];
    for (const { path, bytes } of found.filter(({ bytes: one }) => one.length > 0).slice(0, mostShown)) {
      const name = freePath(path, named);
      named.push({ path: name, bytes });
      await deps.artifacts.writeFile(spec.run, name, bytes);
      kept.push(await calls.recordArtifact(spec, 'file', name, bytes.length));
    }
    return kept;
  } catch (error) {
    left.throwIfAborted();
    deps.logger.warn({ run: spec.run, err: error }, 'files of the agent not kept');
    await journey.note(
      'warning',
      `The files the agent has for people could not be taken over; together they may have ${size(50 * 1024 ** 2)}.`,
    );
    return [];
  }
}

function freePath(name: string, taken: readonly HomeFile[]): string {
  return freeName(
    plainName(name),
    taken.map(({ path }) => path),
  );
}
