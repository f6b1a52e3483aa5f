import { createArtifacts } from '../runner/artifacts.ts';
import { createDrawing } from '../runner/picture.ts';
import { chartSvg } from './delivery/chart.ts';
import type { DrawChart, ReadArtifact } from './delivery/upload.ts';
import type { Infrastructure } from './infrastructure.ts';
import type { Logger } from './runtime/logger.ts';
import type { FetcherDeps } from './tasks/file-fetcher.ts';

/** Keeps files that people attached, for the agents of their runs. */
export function givenFileKeeper(infrastructure: Infrastructure): FetcherDeps['keep'] {
  const artifacts = createArtifacts({ dataDir: infrastructure.dataDir.path, database: infrastructure.database });
  return async (owner, file, bytes) => {
    const name = `given/${file}`;
    await artifacts.writeGiven(owner.run, name, bytes);
    return (await artifacts.record(owner, 'given', name, bytes.length)).id;
  };
}

/** Reads files of runs for the messages that carry them, or draws a part of them. Logs and patches lie in the data directory of the runner. */
export function fileSources(
  infrastructure: Infrastructure,
  logger: Logger,
): { readArtifact: ReadArtifact; drawChart: DrawChart } {
  const draw = createDrawing();
  const artifacts = createArtifacts({ dataDir: infrastructure.dataDir.path, database: infrastructure.database });
  return {
    async readArtifact(id, draws) {
      const bytes = await artifacts.read(id);
      if (bytes === undefined || draws === undefined) return bytes;
      try {
        return await draw({ patch: bytes, title: draws.title, file: draws.file - 1 });
      } catch (error) {
        logger.warn({ artifact: id, err: error }, 'no picture of a file');
        return undefined;
      }
    },
    async drawChart(chart) {
      try {
        return await draw({ svg: chartSvg(chart) });
      } catch (error) {
        logger.warn({ err: error }, 'no picture of figures');
        return undefined;
      }
    },
  };
}
