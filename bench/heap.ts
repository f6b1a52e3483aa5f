import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Program } from './program.ts';
import type { Site } from './site.ts';

/** Options of Node for a program whose heap is looked at. */
export const heapOptions = ['--expose-gc', '--import', fileURLToPath(new URL('heap-probe.ts', import.meta.url))] as const;

const usageSchema = z.object({ rss: z.number(), heapUsed: z.number(), external: z.number() });
const lineSchema = z.object({ before: usageSchema, after: usageSchema });
const megabyte = 1024 ** 2;

/** What a program held, in MB. */
export interface Heap {
  /** What is reachable: objects and buffers. */
  held: number;
  /** What could be collected when it was asked. */
  garbage: number;
  /** Resident memory before the collection. */
  resident: number;
}

/** Has the program, started with `heapOptions`, collect its garbage. */
export async function heapOf(site: Site, program: Program): Promise<Heap> {
  const lines = () => program.log.filter(({ msg }) => msg === 'heap');
  const known = lines().length;
  process.kill(program.pid, 'SIGUSR2');
  await site.until('the program to look at its heap', () => lines().length > known, 30_000);
  const { before, after } = lineSchema.parse(lines().at(-1));
  const size = ({ heapUsed, external }: z.infer<typeof usageSchema>) => (heapUsed + external) / megabyte;
  return { held: size(after), garbage: size(before) - size(after), resident: before.rss / megabyte };
}
