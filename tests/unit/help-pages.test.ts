import { describe, expect, it } from 'vitest';
import { commandsMarkdown } from '../../src/commands/commands-page.ts';
import { helpView } from '../../src/commands/help.ts';
import { topics } from '../../src/commands/help-topics.ts';
import { commands, usageHint } from '../../src/commands/registry.ts';
import { usageOf } from '../../src/commands/usage-line.ts';
import { type View, viewSchema } from '../../src/contracts/view.ts';

function text(topic?: string): string {
  const view: View = helpView(commands, topic);
  expect(() => viewSchema.parse(view)).not.toThrow();
  return view.fallback;
}

describe('help', () => {
  it('names all there is at a glance, and every command with its summary in the page of its group', () => {
    const page = text();
    for (const { name, group, summary } of commands) {
      expect(page).toContain(name.split(' ')[0]);
      expect(text(group)).toContain(`${name} ${summary}`);
    }
    expect(text('Set up')).toBe(text('setup'));
    const few = commands.filter(({ open }) => open);
    const [one] = few;
    expect(helpView(few, undefined).fallback).toContain(`${one?.name} ${one?.summary}`);
    for (const topic of Object.keys(topics)) expect(page).toContain(`help ${topic}`);
  });

  it.each(commands.map(({ name }) => name))('has a page about %s with usage, examples and who may use it', (name) => {
    const command = commands.find((known) => known.name === name);
    const page = text(name);
    expect(command).toBeDefined();
    if (command === undefined) return;
    expect(page).toContain(usageOf(command));
    expect(page).toContain('may use it');
    for (const [example, meaning] of command.examples) expect(page).toContain(`${example} ${meaning}`);
    for (const option of Object.keys(command.options)) expect(page).toContain(`${option}=`);
  });

  it('leads from the first word of a group to its commands', () => {
    expect(text('project')).toContain('project add <name> <repository>');
    expect(text('Member')).toContain('member remove <@person>');
    expect(text('rules')).toContain('rules revoke <rule>');
  });

  it('answers topics that are no commands and suggests the nearest for those it does not know', () => {
    for (const [topic, { title }] of Object.entries(topics)) expect(text(topic)).toContain(title);
    expect(text('bord')).toContain('Did you mean help board?');
    expect(text('zzzzzz')).toBe('There is no help on that.');
    expect(text('constructor')).toBe('There is no help on that.');
  });
});

describe('texts made from the registry', () => {
  it('names of commands are unique, summaries are one line without a full stop', () => {
    expect(new Set(commands.map(({ name }) => name)).size).toBe(commands.length);
    for (const { summary, name } of commands) {
      expect(summary, name).toMatch(/^[A-Z][^\n]*[^.\s]$/);
      expect(name).toMatch(/^[a-z]+( [a-z]+)?$/);
    }
  });

  it('the page about commands has a section for each and ends with the topics', () => {
    const page = commandsMarkdown();
    for (const command of commands) {
      expect(page).toContain(`\n### ${command.name}\n\n\`${usageOf(command)}\`\n`);
      expect(page).toContain(`](#${command.name.replaceAll(' ', '-')})`);
    }
    for (const { title } of Object.values(topics)) expect(page).toContain(`\n## ${title}\n`);
    expect(page.endsWith('\n')).toBe(true);
    expect(page).not.toMatch(/\n\n\n/);
  });

  it('the hint of the slash command names the first words within its limit', () => {
    expect(usageHint()).toMatch(/^sh npm test \| run \| steer \| stop \|.* \| help$/);
    expect(usageHint(40).length).toBeLessThanOrEqual(40);
  });
});
