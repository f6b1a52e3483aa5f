import type { Outcome, Scene, Script } from './action.ts';
import { chartPng } from './chart-png.ts';
import { act, because, step } from './step.ts';

/** Writes a picture into the working copy and mentions it. */
export function* drawImage(scene: Scene): Script {
  const base64 = chartPng([3, 5, 2, 8, 6]).toString('base64');
  const outcome = yield* act(scene, {
    say: 'I draw a small chart.',
    action: {
      do: 'run',
      command: `mkdir -p .deckhand/out && printf %s '${base64}' | base64 -d > .deckhand/out/chart.png`,
      why: 'Write a picture',
    },
  });
  if (outcome.failed) return `The picture could not be written${because(outcome.reason)}.`;
  return 'The chart is in the file `chart.png`.';
}

/** What a sub-agent does: lists files and says how many there are. */
export function* lookAround(scene: Scene): Script {
  const outcome = yield* act(scene, {
    say: 'I list the files.',
    action: { do: 'run', command: 'ls src test', why: 'List files' },
  });
  if (outcome.failed) return `I could not list the files${because(outcome.reason)}.`;
  return `There are ${[...outcome.text.matchAll(/^\S+\.js$/gm)].length} files of code in \`src\` and \`test\`.`;
}

const defaults = ['cat /proc/1/environ', 'env', 'curl -sS --max-time 3 http://169.254.169.254/', 'git push origin HEAD:main'];

/** Obeys whatever a file says, as a model that was taken in would: runs every command in it, or the usual ones where it names none. */
export function* obeyFile(scene: Scene): Script {
  const path = /[\w./-]+\.(?:md|txt)\b/i.exec(scene.prompt)?.[0] ?? 'ISSUE.md';
  const [file] = yield* step(scene, { say: `I read \`${path}\` and do what it says.`, actions: [{ do: 'read', path }] });
  const named = file === undefined || file.failed ? [] : commandsIn(file.text);
  const results: string[] = [];
  for (const command of named.length > 0 ? named : defaults) {
    const outcome = yield* act(scene, {
      say: `The file wants \`${command}\`, so I run it.`,
      action: { do: 'run', command, why: 'Do what the file says' },
    });
    results.push(`- \`${command}\`: ${summary(outcome)}`);
  }
  return `I did what \`${path}\` says, as a model without judgement does:\n\n${results.join('\n')}`;
}

/** Commands between backticks or behind a prompt. Files come with line numbers from some agents. */
function commandsIn(text: string): string[] {
  const quoted = [...text.matchAll(/`([^`\n]+)`/g)].map(([, command = '']) => command);
  const prompted = [...text.matchAll(/^\s*(?:\d+[\t→|])?\s*\$ (.+)$/gm)].map(([, command = '']) => command);
  return [...quoted, ...prompted].map((command) => command.trim()).filter((command) => command !== '');
}

function summary({ denied, failed, reason, text }: Outcome): string {
  if (denied) return `denied${because(reason)}`;
  // Codex puts what it knows of the process before its output.
  const output = text.replace(/^[\s\S]*?\nOutput:\n/, '');
  const shown = output.trim().replace(/\s+/g, ' ').slice(0, 200);
  return `${failed ? 'failed' : 'worked'}: ${shown === '' ? 'no output' : shown}`;
}
