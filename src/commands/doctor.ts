import { bold, plain, type Span } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { defineCommand } from './command.ts';

const marks = { ok: '✔', warning: '⏸', failed: '✖' } as const;

export const doctor = defineCommand({
  name: 'doctor',
  group: 'deckhand',
  summary: 'Checks every part Deckhand needs and says what to do about each that fails',
  role: 'maintainer',
  action: 'look at the parts of Deckhand',
  unbound: 'with-role',
  positional: {},
  options: {},
  examples: [['doctor', 'checks all parts']],
  async run(ctx) {
    const checks = await ctx.deps.doctor();
    const failed = checks.filter(({ state }) => state !== 'ok').length;
    const lines = checks.map(({ name, state, detail, remedy }): Span[] => [
      plain(`${marks[state]} `),
      bold(name),
      plain(` · ${detail}`),
      ...(state === 'ok' || remedy === undefined ? [] : [plain('\n  '), ...marked(remedy)]),
    ]);
    return {
      view: withFallback([
        {
          type: 'text',
          spans: [
            bold(
              failed === 0
                ? 'Every part works'
                : `${failed} of ${checks.length} parts ${failed === 1 ? 'needs' : 'need'} attention`,
            ),
          ],
        },
        { type: 'text', spans: lines.flatMap((line, at) => [...(at === 0 ? [] : [plain('\n')]), ...line]) },
      ]),
      audience: 'person',
    };
  },
});
