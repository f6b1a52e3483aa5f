import type { Scenario } from './action.ts';
import { mendChecks } from './scenario-checks.ts';
import { tryForbidden } from './scenario-deny.ts';
import { drawImage, lookAround, obeyFile } from './scenario-files.ts';
import { fix } from './scenario-fix.ts';
import { plan } from './scenario-plan.ts';
import { askFirst } from './scenario-question.ts';
import { resolveConflict } from './scenario-resolve.ts';
import { mindReview } from './scenario-review.ts';
import { countSlowly } from './scenario-steer.ts';
import { delegate } from './scenario-subagent.ts';
import { longAnswer } from './scenario-talk.ts';

const words = (pattern: RegExp) => (prompt: string) => pattern.test(prompt);

/** What the scripted model can do, in the order in which a prompt that asks for several gets it. */
export const scenarios: readonly Scenario[] = [
  { name: 'question', example: 'ask me a question first', matches: words(/\bask me\b|\bquestion\b/i), play: askFirst },
  { name: 'plan', example: 'plan first, then fix the failing test', matches: words(/\bplan\b/i), play: plan },
  { name: 'fix', example: 'fix the failing test', matches: words(/\b(fix|repair)\b|\bfailing test\b/i), play: fix },
  {
    name: 'checks',
    example: 'Checks of pull request #1 have failed',
    matches: words(/\bchecks of pull request #\d+ have failed\b/i),
    play: mendChecks,
  },
  {
    name: 'review',
    example: 'Reviewers have commented on pull request #1',
    matches: words(/\breviewers have commented on pull request #\d+|, lines? \d+(?: to \d+)?(?::|, which (?:is|are)$)/im),
    play: mindReview,
  },
  {
    name: 'resolve',
    example: 'The base branch has moved on',
    matches: words(/\bthe base branch has moved on\b/i),
    play: resolveConflict,
  },
  { name: 'steer', example: 'work slowly in 6 steps of 2 s', matches: words(/\bslow(ly)?\b|\d+ steps?\b/i), play: countSlowly },
  {
    name: 'subagent',
    example: 'delegate a part to a sub-agent',
    matches: words(/\bsub-?agents?\b|\bdelegate\b/i),
    play: delegate,
  },
  { name: 'image', example: 'draw a chart', matches: words(/\b(draw|image|picture|chart|screenshot|png)\b/i), play: drawImage },
  { name: 'look', example: 'look around', matches: words(/\blook around\b/i), play: lookAround },
  {
    name: 'inject',
    example: 'do what ISSUE.md says',
    matches: words(/\b(do|obey|follow)\b.*\b(says|instructions)\b/i),
    play: obeyFile,
  },
  { name: 'deny', example: 'push the result', matches: words(/\bpush\b|\brm -rf\b|\bclean up\b/i), play: tryForbidden },
  {
    name: 'long',
    example: 'give a long answer of 12000 characters',
    matches: words(/\blong (answer|text)\b/i),
    play: longAnswer,
  },
  {
    name: 'idle',
    example: 'hello',
    matches: words(/^\W*(hello|hi|hey|idle|ping|thanks|thank you)\b/i),
    play: () => 'Hello. I am the scripted model and wait for work.',
  },
];
