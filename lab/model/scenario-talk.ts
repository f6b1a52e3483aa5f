import type { Scene } from './action.ts';

/** A long answer: headings, lists, a table and code, `characters` long or a little more. */
export function longAnswer(scene: Scene): string {
  const wanted = Number(/(\d{3,6}) (?:characters|letters)/i.exec(scene.prompt)?.[1] ?? 12_000);
  const parts: string[] = [];
  let length = 0;
  for (let at = 1; length < Math.min(wanted, 200_000); at += 1) {
    const part = chapter(at);
    parts.push(part);
    length += part.length + 2;
  }
  return parts.join('\n\n');
}

function chapter(at: number): string {
  return [
    `## Part ${at} of a long scripted answer`,
    '',
    `This is paragraph ${at}. It says nothing in particular, but it says it at length, so that one can see what becomes of a long text: ` +
      'where it is split, whether it is attached as a file, and that nothing of it is lost on the way.',
    '',
    `- the first point of part ${at}`,
    `- the second one, with *emphasis* and \`code\``,
    '',
    '```js',
    `const part = ${at};`,
    "console.log('part', part);",
    '```',
  ].join('\n');
}
