import { groups } from './command.ts';
import { topics, whereWords, whoMay } from './help-topics.ts';
import { commands } from './registry.ts';
import { argumentLines, usageOf } from './usage-line.ts';

/** The text of docs/commands.md. */
export function commandsMarkdown(): string {
  const head = [
    '# Commands',
    '',
    'Made from the registry in `src/commands/registry.ts`; `npm run docs` writes it anew.',
    '',
    'Write `/deckhand <command>`, mention the bot with the command, or send it as a direct message. In the thread of a task the number of the task may be left out.',
    'Words with spaces stand in quotes: `settings allow+="npm test"`.',
    '',
    '| command | what it does | who |',
    '|---|---|---|',
    ...commands.map(
      (command) =>
        `| [\`${cell(usageOf(command))}\`](#${anchor(command.name)}) | ${command.summary} | ${whoMay(command).toLowerCase()} |`,
    ),
  ];
  const sections = Object.entries(groups).flatMap(([group, title]) => [
    '',
    `## ${title}`,
    ...commands
      .filter((command) => command.group === group)
      .flatMap((command) => [
        '',
        `### ${command.name}`,
        '',
        `\`${usageOf(command)}\``,
        '',
        `${command.summary}. ${command.details.join(' ')}`.trim(),
        '',
        ...list(argumentLines(command).map(({ text, about }) => `\`${text}\` ${about}`)),
        ...list(
          command.examples.map(([text, meaning]) => `\`${text}\`: ${meaning}`),
          'For example:',
        ),
        `${whoMay(command)} may use it. ${whereWords[command.unbound]}`,
      ]),
  ]);
  const pages = Object.values(topics).flatMap(({ title, lines }) => ['', `## ${title}`, '', ...lines.map((line) => `- ${line}`)]);
  return `${[...head, ...sections, ...pages].join('\n')}\n`;
}

function list(lines: readonly string[], title?: string): string[] {
  if (lines.length === 0) return [];
  return [...(title === undefined ? [] : [title, '']), ...lines.map((line) => `- ${line}`), ''];
}

/** A pipe would end the cell of a table. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** The anchor that Markdown readers make of a heading. */
function anchor(heading: string): string {
  return heading.toLowerCase().replaceAll(' ', '-');
}
