import { z } from 'zod';
import { type Block, type Button, bold, code, plain, type Span, type View } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { textView, withFallback } from '../delivery/list-view.ts';
import { optional } from './arguments.ts';
import { type Command, type CommandContext, defineCommand, type Group, groups } from './command.ts';
import { topics, whereWords, whoMay } from './help-topics.ts';
import { nearest } from './nearest.ts';
import { commandButton } from './task-lines.ts';
import { argumentLines, usageOf } from './usage-line.ts';

/** So many are shown with their summaries at once. */
const fewCommands = 15;

/** The command `help` over these commands and itself. */
export function helpCommand(others: readonly Command[]): Command {
  const help: Command = defineCommand({
    name: 'help',
    group: 'deckhand',
    summary: 'Says what there is, or all about one command',
    permission: 'anyone',
    action: 'ask for help',
    unbound: 'yes',
    open: true,
    positional: {
      topic: optional({
        hint: 'topic',
        about: `a command, or one of ${Object.keys(topics)
          .map((topic) => `\`${topic}\``)
          .join(', ')}`,
        schema: z.string().max(200),
        takes: 'words',
      }),
    },
    options: {},
    examples: [
      ['help', 'everything at a glance'],
      ['help people', 'what there is about people, roles and accounts'],
      ['help project add', 'one command'],
      ['help answers', 'where answers go'],
    ],
    async run(ctx, { topic }) {
      return { view: helpView(usableHere(ctx, [...others, help]), topic), audience: 'person', list: 'own' };
    },
  });
  return help;
}

/** The commands that may be used in the conversation. */
export function usableHere({ act }: CommandContext, commands: readonly Command[]): readonly Command[] {
  return act.open ? commands.filter(({ open }) => open) : commands;
}

/** The page about a topic; the overview without one. */
export function helpView(commands: readonly Command[], topic: string | undefined): View {
  if (topic === undefined) return overview(commands);
  const wanted = topic.trim().toLowerCase().replace(/\s+/g, ' ').replace(/^\//, '');
  const place = groupsOf(commands).find((one) => one === wanted || groups[one].toLowerCase() === wanted);
  if (place !== undefined) return groupOverview(place, commands);
  const command = commands.find(({ name }) => name === wanted);
  const group = commands.filter(({ name }) => name.startsWith(`${wanted} `));
  if (command !== undefined) return commandPage(command, group);
  if (group.length > 0) return groupPage(wanted, group);
  const page = Object.hasOwn(topics, wanted) ? topics[wanted] : undefined;
  if (page !== undefined) {
    return withFallback([
      { type: 'text', spans: [bold(page.title)] },
      ...page.lines.map((line): Block => ({ type: 'text', spans: marked(line) })),
    ]);
  }
  const meant = nearest(wanted, [...commands.map(({ name }) => name), ...Object.keys(topics)]);
  const suggestion = meant.length === 0 ? '' : ` Did you mean ${meant.map((name) => `\`help ${name}\``).join(' or ')}?`;
  return textView(`There is no help on that.${suggestion}`, [commandButton('Overview', 'help')]);
}

function overview(commands: readonly Command[]): View {
  const some = groupsOf(commands);
  // Where few can be used, a look says it all.
  const few = commands.length <= fewCommands;
  return withFallback([
    {
      type: 'text',
      spans: marked(
        'Deckhand runs commands and agents of the team, each on its own working copy, and asks before what is risky. `sh npm test` runs the tests, `run fix the failing test` has an agent do it.',
      ),
    },
    ...some.map((group): Block => ({ type: 'text', spans: few ? groupLines(group, commands) : groupWords(group, commands) })),
    {
      type: 'context',
      spans: marked(
        `\`help <command>\` says all about one. Also: ${Object.keys(topics)
          .map((topic) => `\`help ${topic}\``)
          .join(', ')}.`,
      ),
    },
    ...(few ? [] : [groupButtons(some)]),
  ]);
}

/** What one group of commands is for, each with its summary. */
function groupOverview(group: Group, commands: readonly Command[]): View {
  const others = groupsOf(commands).filter((one) => one !== group);
  return withFallback([
    { type: 'text', spans: groupLines(group, commands) },
    { type: 'context', spans: marked('`help <command>` says all about one.') },
    groupButtons(others, commandButton('Overview', 'help')),
  ]);
}

function groupsOf(commands: readonly Command[]): Group[] {
  return (Object.keys(groups) as Group[]).filter((group) => commands.some((command) => command.group === group));
}

function groupLines(group: Group, commands: readonly Command[]): Span[] {
  const own = commands.filter((command) => command.group === group);
  return [bold(groups[group]), ...own.flatMap(({ name, summary }) => [plain('\n'), code(name), plain(` ${summary}`)])];
}

/** First words alone: what begins with the same one is shown by its page. */
function groupWords(group: Group, commands: readonly Command[]): Span[] {
  const words = new Set(commands.filter((command) => command.group === group).map(({ name }) => name.split(' ', 1)[0] ?? name));
  return [bold(groups[group]), plain('\n'), ...[...words].flatMap((word, at) => [plain(at === 0 ? '' : ' '), code(word)])];
}

function groupButtons(some: readonly Group[], ...before: Button[]): Block {
  return { type: 'buttons', buttons: [...before, ...some.map((group) => commandButton(groups[group], `help ${group}`))] };
}

function commandPage(command: Command, subcommands: readonly Command[]): View {
  const lines = argumentLines(command);
  return withFallback([
    { type: 'text', spans: [code(usageOf(command)), plain(`\n${command.summary}.`)] },
    ...command.details.map((line): Block => ({ type: 'text', spans: marked(line) })),
    ...(lines.length === 0
      ? []
      : [{ type: 'text' as const, spans: joined(lines.map(({ text, about }) => [code(text), ...marked(` ${about}`)])) }]),
    {
      type: 'text',
      spans: [
        bold('For example'),
        ...command.examples.flatMap(([text, meaning]) => [plain('\n'), code(text), plain(` ${meaning}`)]),
      ],
    },
    ...(subcommands.length === 0 ? [] : [{ type: 'text' as const, spans: commandList(subcommands) }]),
    { type: 'context', spans: marked(`${whoMay(command)} may use it. ${whereWords[command.unbound]}`) },
  ]);
}

function groupPage(name: string, commands: readonly Command[]): View {
  return withFallback([
    { type: 'text', spans: [...marked(`\`${name}\` needs a second word:`), plain('\n'), ...commandList(commands)] },
    { type: 'context', spans: marked(`\`help ${commands[0]?.name ?? name}\` says all about one.`) },
  ]);
}

function commandList(commands: readonly Command[]): Span[] {
  return joined(commands.map((command) => [code(usageOf(command)), plain(` ${command.summary}`)]));
}

function joined(lines: readonly (readonly Span[])[]): Span[] {
  return lines.flatMap((line, at) => [...(at === 0 ? [] : [plain('\n')]), ...line]);
}
