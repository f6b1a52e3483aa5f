import { join } from 'node:path';
import { chatVariables, startChat } from '../chat.ts';
import { type Figure, percentile } from '../figures.ts';
import { complaints, type Program, startProgram } from '../program.ts';
import type { Site } from '../site.ts';
import type { Scenario } from './scenario.ts';

const laterStarts = 5;
const targetMs = 3000;

/** From the start of the process to "ready", and from there to the first answer a person sees. */
export const start: Scenario = {
  name: 'start',
  about: 'from the start of the process to ready, and to the first handled command',
  async run(site) {
    const lab = await startSeveral(site, 'lab', join(site.dir, 'lab'), {});
    const slack = await startChat(site);
    const ada = slack.person('ada');
    const answers: number[] = [];
    const chat = await startSeveral(site, 'Slack', join(site.dir, 'slack'), chatVariables(slack, 'socket'), async () => {
      const asked = Date.now();
      const after = ada.ephemerals().at(-1)?.ts;
      await ada.slash('#demo', '/deckhand help');
      await ada.waitForEphemeral('Deckhand', { timeoutMs: 30_000, ...(after === undefined ? {} : { after }) });
      answers.push(Date.now() - asked);
    });
    const first: Figure = { name: 'Slack: ready to first answer, first start', value: answers[0] ?? Number.NaN, unit: 'ms' };
    const later: Figure = {
      name: 'Slack: ready to first answer, later starts, p50',
      value: percentile(answers.slice(1), 50),
      unit: 'ms',
    };
    return {
      figures: [...lab.figures, ...chat.figures, first, later],
      notes: [`${laterStarts} later starts each`, ...new Set([...lab.notes, ...chat.notes])],
      broken: [],
    };
  },
};

async function startSeveral(
  site: Site,
  name: string,
  dataDir: string,
  variables: Record<string, string>,
  use: (program: Program) => Promise<void> = async () => undefined,
) {
  const ready: number[] = [];
  const cpu: number[] = [];
  const stops: number[] = [];
  const notes: string[] = [];
  for (let n = 0; n <= laterStarts; n += 1) {
    const program = await startProgram(site, { role: 'start', dataDir, variables });
    ready.push(program.readyMs);
    cpu.push(program.readyCpuMs);
    await use(program);
    notes.push(...complaints(program).map((text) => `${name} logged ${text}`));
    stops.push(await program.stop());
  }
  const later = ready.slice(1);
  const figures: Figure[] = [
    { name: `${name}: first start to ready, with initialisation`, value: ready[0] ?? Number.NaN, unit: 'ms' },
    { name: `${name}: later start to ready, p50`, value: percentile(later, 50), unit: 'ms', target: { below: targetMs } },
    { name: `${name}: later start to ready, slowest`, value: percentile(later, 100), unit: 'ms', target: { below: targetMs } },
    { name: `${name}: CPU of a later start until ready, p50`, value: percentile(cpu.slice(1), 50), unit: 'ms' },
    { name: `${name}: SIGTERM to the end, p50`, value: percentile(stops, 50), unit: 'ms' },
  ];
  return { figures, notes };
}
