import { z } from 'zod';
import { type Block, bold, code, plain, type Span, type View } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { textView, withFallback } from '../delivery/list-view.ts';
import { optional } from './arguments.ts';
import { type Command, type CommandContext, defineCommand, type Group, groups } from './command.ts';
import { topics, whereWords, whoMay } from './help-topics.ts';
import { nearest } from './nearest.ts';
import { commandButton } from './task-lines.ts';
import { argumentLines, usageOf } from './usage-line.ts';

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
      ['help project add', 'one command'],
      ['help answers', 'where answers go'],
    ],
    async run(ctx, { topic }) {
      return { view: helpView(usableHere(ctx, [...others, help]), topic), audience: 'person' };
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
  const blocks = (Object.keys(groups) as Group[]).map((group): Block => {
    const lines = commands
      .filter((command) => command.group === group)
      .flatMap((command) => [plain('\n'), code(command.name), plain(` ${command.summary}`)]);
    return { type: 'text', spans: [bold(groups[group]), ...lines] };
  });
  return withFallback([
    {
      type: 'text',
      spans: marked(
        'Deckhand runs commands of the team, each on its own working copy, and asks before what is risky. `sh npm test` runs the tests.',
      ),
    },
    ...blocks,
    {
      type: 'context',
      spans: marked(
        `\`help <command>\` says all about one. Also: ${Object.keys(topics)
          .map((topic) => `\`help ${topic}\``)
          .join(', ')}.`,
      ),
    },
  ]);
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
