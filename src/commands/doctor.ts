import { putExamination } from '../store/examinations.ts';
import { answered } from './answer.ts';
import { defineCommand } from './command.ts';

export const doctor = defineCommand({
  name: 'doctor',
  group: 'deckhand',
  summary: 'Checks every part Deckhand needs and says what to do about each that fails',
  details: ['The answer comes when every part has answered or has had its time, in half a minute at most.'],
  permission: 'installation.examine',
  action: 'look at the parts of Deckhand',
  unbound: 'with-role',
  positional: {},
  options: {},
  examples: [['doctor', 'checks all parts']],
  async run(ctx) {
    const { event } = ctx.act;
    await putExamination(ctx.tx, answered(event, ctx.person, event.conversation), ctx.deps.now());
    return undefined;
  },
});
