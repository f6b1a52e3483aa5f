/**
 * Writes the pages that are made from the code, so that they cannot tell anything else than the code does.
 *
 *   node docs/generate.ts            writes them
 *   node docs/generate.ts --check    fails when one is not as it would be written
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { discordCapabilities } from '../adapters/discord/capabilities.ts';
import { githubCapabilities } from '../adapters/github/talk-capabilities.ts';
import { slackCapabilities } from '../adapters/slack/capabilities.ts';
import { telegramCapabilities } from '../adapters/telegram/capabilities.ts';
import { commandsMarkdown } from '../src/commands/commands-page.ts';
import { type ErrorEntry, errorCatalogue } from '../src/contracts/errors.ts';
import { metricsMarkdown } from '../src/observe/metrics-page.ts';
import { describeVariables } from '../src/variables.ts';
import { platformsMarkdown } from './platforms-page.ts';

const root = new URL('..', import.meta.url);
type Variables = ReturnType<typeof describeVariables>;

/** Path below the root -> text of the page. */
export function generatedPages(): Map<string, string> {
  const variables = describeVariables();
  return new Map([
    ['docs/configuration.md', configurationPage(variables)],
    ['docs/errors.md', errorsPage(Object.entries(errorCatalogue))],
    ['docs/commands.md', `${commandsMarkdown().trimEnd()}\n`],
    ['docs/platforms.md', platformsMarkdown([slackCapabilities, telegramCapabilities, discordCapabilities, githubCapabilities])],
    ['docs/metrics.md', metricsMarkdown()],
    ['.env.example', envExample(variables)],
  ]);
}

/** The pages that are missing or differ from what the code says. */
export function stalePages(): string[] {
  return [...generatedPages()].filter(([path, text]) => readPage(path) !== text).map(([path]) => path);
}

function readPage(path: string): string | undefined {
  const file = new URL(path, root);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function configurationPage(variables: Variables): string {
  return page(
    '# Configuration',
    'Made from `src/variables.ts`; `npm run docs` writes it anew.',
    'Deckhand reads variables of the environment, and those of a file `.env` in the directory it is started in. None is needed: without any, Deckhand keeps its data in `~/.deckhand` and opens the lab. An empty value counts as unset. What is wrong is reported all at once, by the names of the variables and never their values, and the program ends with exit code 78.',
    ...[...grouped(variables)].flatMap(([group, members]) => [
      `## ${group}`,
      [
        '| variable | meaning | when unset |',
        '|---|---|---|',
        ...members.map(({ name, description, fallback, secret }) => {
          const note = secret === true ? ' Secret: never logged.' : '';
          return `| \`${name}\` | ${cell(description)}${note} | ${cell(fallback)} |`;
        }),
      ].join('\n'),
    ]),
    '## From a file',
    '`.env.example` lists every variable; copy it to `.env` and fill in what you need. Variables of the environment win over the file.',
  );
}

function envExample(variables: Variables): string {
  const head = '# Variables of Deckhand. Copy this file to .env and remove the # before what you set. All are optional.';
  const groups = [...grouped(variables)].map(([group, members]) => {
    const entries = members.map(({ name, description, fallback, example }) => {
      const text = `# ${plain(description)}\n# Unset: ${plain(fallback)}.`;
      const value = /^the /.test(example) ? '' : example;
      return `${text}\n#${name}=${value}`;
    });
    return [`## ${group}`, ...entries].join('\n\n');
  });
  return `${[head, ...groups].join('\n\n')}\n`;
}

function errorsPage(entries: [code: string, entry: ErrorEntry][]): string {
  return page(
    '# Errors',
    'Made from `src/contracts/errors.ts`; `npm run docs` writes it anew.',
    'A message of Deckhand that reports an error ends with a code. Codes are permanent: they are never renamed or given another meaning. Words in braces stand for what differs from case to case.',
    ...entries.map(([code, { title, text, remedy }]) =>
      [`## ${code}`, `**${title}**`, sentence(text), `What to do: ${sentence(remedy)}`].join('\n\n'),
    ),
  );
}

function grouped(variables: Variables): Map<string, Variables> {
  return Map.groupBy(variables, (variable) => variable.group);
}

/** Shows parameters as code, those inside code as they are. A text that consists of a parameter alone says so. */
function sentence(text: string): string {
  if (/^\{\w+\}$/.test(text)) return `The message says it (\`${text}\`).`;
  const pieces = text.split('`');
  return pieces.map((piece, at) => (at % 2 === 0 ? piece.replace(/\{\w+\}/g, '`$&`') : piece)).join('`');
}

function page(...blocks: string[]): string {
  return `${blocks.join('\n\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function plain(text: string): string {
  return text.replaceAll('`', '');
}

if (import.meta.main) {
  const stale = stalePages();
  if (process.argv.includes('--check')) {
    if (stale.length > 0) {
      process.stderr.write(`Not as the code says: ${stale.join(', ')}. \`npm run docs\` writes them anew.\n`);
      process.exitCode = 1;
    }
  } else {
    const pages = generatedPages();
    for (const path of stale) writeFileSync(fileURLToPath(new URL(path, root)), pages.get(path) ?? '');
    process.stdout.write(stale.length === 0 ? 'All pages are as the code says.\n' : `Wrote ${stale.join(', ')}\n`);
  }
}
