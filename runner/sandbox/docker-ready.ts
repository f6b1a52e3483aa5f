import type Docker from 'dockerode';
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
      return { detail: `the image ${options.image} is not on the container engine`, remedy: 'Build it: npm run image' };
    }
    const detail = error instanceof Error ? error.message : String(error);
    return {
      detail: `no container engine answers (${detail})`,
      remedy: 'Start one, or set DOCKER_HOST; docs/install.md says more.',
    };
  }
}
