import type Docker from 'dockerode';
import { errorText } from '../../src/runtime/error-text.ts';
import { call, hasStatus, openEngine } from './docker-engine.ts';

/** What keeps the engine from running sandboxes, and the remedy. */
export interface DockerProblem {
  detail: string;
  remedy: string;
}

const answerMs = 3_000;

/**
 * A quick look, for the choice at start: does the engine answer, and is the image there? `Sandbox.probe` looks deeper and takes
 * seconds. Returns undefined when both hold. Never throws.
 */
export async function dockerProblem(options: {
  engine: Docker.DockerOptions;
  image: string;
}): Promise<DockerProblem | undefined> {
  const docker = openEngine(options.engine);
  try {
    await call(() => docker.getImage(options.image).inspect(), undefined, answerMs);
    return undefined;
  } catch (error) {
    if (hasStatus(error, 404)) {
      return {
        detail: `the image ${options.image} is not on the container engine`,
        remedy: 'Build it: `npm run image`. SANDBOX_IMAGE names another one.',
      };
    }
    return { detail: `no container engine answers (${reasonOf(error)})`, remedy: engineRemedy(error) };
  }
}

/** What to do about an engine that does not answer. Pure. */
export function engineRemedy(error: unknown): string {
  const denied = codeOf(error) === 'EACCES' || codeOf(error) === 'EPERM';
  if (denied)
    return 'Give the user that runs Deckhand access to the engine (group `docker` on most machines); docs/install.md says more.';
  return 'Start the engine, or set DOCKER_HOST to its address; docs/install.md says more.';
}

/** The words of the system, without those of the layers above it. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof Error && cause.name === 'TimeoutError') return `nothing within ${answerMs / 1000} s`;
  return errorText(cause);
}

function codeOf(error: unknown): unknown {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return cause instanceof Error && 'code' in cause ? cause.code : undefined;
}
