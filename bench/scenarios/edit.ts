import { join } from 'node:path';
import { addressOfRunning } from '../../src/store/postgres-address.ts';
import { addChannels, bindPlaces, chatVariables, makeRepository, openDatabase, slackPlaces, startChat } from '../chat.ts';
import { durations } from '../figures.ts';
import { complaints, startProgram } from '../program.ts';
import type { Scenario } from './scenario.ts';

const lineEveryMs = 100;
const lines = 600;
/** Prints the time, in milliseconds since 1970, again and again. */
const command = `i=0; while [ $i -lt ${lines} ]; do date +%s%3N; sleep ${lineEveryMs / 1000}; i=$((i+1)); done`;

/** How old the newest output is when it is shown. */
export const edit: Scenario = {
  name: 'edit',
  about: 'from a line of output to the card that shows it, one run that prints a line every 100 ms',
  async run(site) {
    const slack = await startChat(site);
    const [channel = ''] = addChannels(slack, 1);
    const dataDir = join(site.dir, 'data');
    const program = await startProgram(site, { role: 'start', dataDir, variables: chatVariables(slack, 'socket') });
    const database = await openDatabase(site, (await addressOfRunning(dataDir)) ?? '');
    const repository = await makeRepository(join(site.dir, 'repository'));
    await bindPlaces(database, slackPlaces(slack, [channel]), { repository, projects: 1, concurrency: 1 });
    const ada = slack.person('ada');
    await ada.slash(channel, `/deckhand sh ${command}`);
    await ada.waitForMessage(({ buttons }) => buttons.includes('Retry'), {
      channel,
      timeoutMs: 3 * lines * lineEveryMs + 60_000,
    });
    const notes = complaints(program).map((text) => `logged ${text}`);
    const sandbox = program.log.find(({ msg }) => msg === 'runner is ready')?.sandbox;
    await program.stop();

    const edits = slack.callsOf('chat.update').flatMap(({ at, args }) => {
      const newest = Math.max(...(JSON.stringify(args).match(/\b1\d{12}\b/g) ?? []).map(Number));
      return Number.isFinite(newest) ? [{ at, newest }] : [];
    });
    const gaps = edits.slice(1).map(({ at }, n) => at - (edits[n]?.at ?? at));
    // What a reader waits for a line: until the first edit that shows it or a later one.
    const waits = edits.flatMap(({ at, newest }, n) => {
      const before = edits[n - 1]?.newest;
      if (before === undefined) return [];
      return Array.from({ length: Math.floor((newest - before) / lineEveryMs) }, (_, line) => at - newest + line * lineEveryMs);
    });
    return {
      figures: [
        ...durations(
          'newest line to the edit that shows it',
          edits.map(({ at, newest }) => at - newest),
        ),
        ...durations('any line to the edit that shows it or a later one', waits),
        ...durations('from edit to edit', gaps),
        { name: 'edits', value: edits.length, unit: '' },
      ],
      notes: [
        'a card is edited at most every 3 s, because the platform takes 50 edits a minute in all',
        `sandbox ${sandbox}`,
        ...notes,
      ],
      broken: [
        ...(edits.length === 0 ? ['no edit showed a line'] : []),
        ...(slack.overLimit().length === 0 ? [] : [`${slack.overLimit().length} calls over the published limits`]),
      ],
    };
  },
};
