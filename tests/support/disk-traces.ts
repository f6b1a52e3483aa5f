import { openEngine } from '../../runner/sandbox/docker-engine.ts';
import { waitFor } from './wait-for.ts';

/** Removes what an installation keeps on the engine for the working copies of all runs; fails while there is one of a run. */
export async function removeDisks(instance: string): Promise<void> {
  const docker = openEngine({ socketPath: '/var/run/docker.sock' });
  await docker
    .getContainer(`deckhand-${instance}-keeper`)
    .remove({ force: true })
    .catch((error: { statusCode?: number }) => {
      if (error.statusCode !== 404 && error.statusCode !== 409) throw error;
    });
  // A container that removes itself is gone a moment later.
  await waitFor('the volume of the disks to be free', async () => {
    await docker.getVolume(`deckhand-${instance}-disks`).remove();
    return true;
  });
}
