import { join } from 'node:path';
import { chatVariables, startChat } from '../chat.ts';
import type { Figure } from '../figures.ts';
import { type Memory, memoryOf, processTree } from '../processes.ts';
import { startProgram } from '../program.ts';
import type { Site } from '../site.ts';
import type { Scenario } from './scenario.ts';

const idleMs = 10_000;
const targetMegabytes = 300;

/** Memory of the whole program, its database included, some seconds after the start. */
export const memory: Scenario = {
  name: 'memory',
  about: `memory of the whole program, database included, ${idleMs / 1000} s after ready`,
  async run(site) {
    const lab = await measure(site, 'lab', {});
    const slack = await startChat(site);
    const socket = await measure(site, 'Slack', chatVariables(slack, 'socket'));
    return {
      figures: [...lab, ...socket],
      notes: [
        'PSS divides pages of program files among all who have them open, other programs of the machine included;',
        '"alone" counts each file once and in full, as on a machine that runs nothing else.',
      ],
      broken: [],
    };
  },
};

async function measure(site: Site, name: string, variables: Record<string, string>): Promise<Figure[]> {
  const program = await startProgram(site, { role: 'start', dataDir: join(site.dir, name), variables });
  await site.pause(idleMs);
  const found = processTree(program.pid).flatMap(({ pid }) => {
    const used = memoryOf(pid);
    return used === undefined ? [] : [{ pid, ...used }];
  });
  await program.stop();
  const node = found.filter(({ pid }) => pid === program.pid);
  const database = found.filter(({ pid }) => pid !== program.pid);
  const figure = (what: string, value: number, target?: Figure['target']): Figure => ({
    name: `${name}: ${what}`,
    value,
    unit: 'MB',
    target,
  });
  return [
    figure('whole program (PSS)', sum(found, 'pss'), { below: targetMegabytes }),
    figure('whole program, alone on the machine', alone(found), { below: targetMegabytes }),
    figure('Node process (PSS)', sum(node, 'pss')),
    figure('Node process: heap and other own pages', sum(node, 'own')),
    figure('Node process: files, in full', alone(node) - sum(node, 'own')),
    figure('database processes (PSS)', sum(database, 'pss')),
    figure('database processes, alone on the machine', alone(database)),
    { name: `${name}: processes`, value: found.length, unit: '' },
  ];
}

function sum(found: readonly Memory[], what: 'pss' | 'own'): number {
  return found.reduce((total, one) => total + one[what], 0);
}

/** Own pages of all, and of each file as much as whoever has most of it. */
function alone(found: readonly Memory[]): number {
  const files = new Map<string, number>();
  for (const one of found) {
    for (const [path, amount] of one.files) files.set(path, Math.max(amount, files.get(path) ?? 0));
  }
  return sum(found, 'own') + [...files.values()].reduce((total, amount) => total + amount, 0);
}
