import type { Action, PublishAction, ToolAction } from '../contracts/policy.ts';
import type { PublishWhat } from '../contracts/publication.ts';
import { duration } from '../delivery/units.ts';
import { hiddenCharacters, revealHidden } from './hidden-characters.ts';

/** One line for lists: the command, the call, what is asked. Not cleaned for a platform. */
export function actionTitle(action: Action): string {
  switch (action.type) {
    case 'command':
      return action.command;
    case 'tool':
      return action.call.title;
    case 'plan':
      return firstLine(action.text);
    case 'question':
      return action.questions.map(({ text }) => text).join(' ');
    case 'spend':
      if (action.unpriced !== undefined) return `Go on with ${action.unpriced} without a limit`;
      return `Go on up to ${dollars(action.raisedUsd)}`;
    case 'quota':
      return `Go on up to ${action.upTo}`;
    case 'publish':
      return publishTitle(action);
  }
}

/** Everything the decision is bound to, nothing cut, hidden characters written out. */
export function actionLines(action: Action, project: string): string[] {
  switch (action.type) {
    case 'command':
      return [
        ...block('Command', action.command),
        `Project: ${shown(project)}`,
        ...placeLines(action),
        `Time limit: ${duration(action.timeoutMs)}`,
      ];
    case 'tool':
      return [`Call: ${shown(action.call.title)}`, ...toolLines(action), ...agentLines(action, project)];
    case 'plan':
      return [...block('Plan', action.text), ...agentLines(action, project)];
    case 'question':
      return [
        ...action.questions.flatMap(({ header, text, options, multiple, free }) => [
          ...block(`Question (${shown(header)})`, text),
          ...options.map(
            ({ label, description }) => `  - ${shown(label)}${description === undefined ? '' : `: ${shown(description)}`}`,
          ),
          `  ${multiple ? 'several can be chosen' : 'one can be chosen'}${free ? ', or own words' : ''}`,
        ]),
        ...agentLines(action, project),
      ];
    case 'spend':
      return [
        `Spent: ${dollars(action.spentUsd)} of ${dollars(action.budgetUsd)}`,
        action.unpriced === undefined
          ? `Go on up to: ${dollars(action.raisedUsd)}`
          : `Go on without a limit with the model: ${shown(action.unpriced)} (no known price)`,
        `Project: ${shown(project)}`,
      ];
    case 'quota':
      return [`Quota: ${shown(action.name)}`, `Go on up to: ${action.upTo}`, `Project: ${shown(project)}`];
    case 'publish':
      return [
        `Push: ${publishes[action.what]}`,
        `Repository: ${shown(action.remote)}`,
        `Branch: ${shown(action.branch)}`,
        `Into: ${shown(action.baseBranch)}`,
        `Commit: ${shown(action.commit)}`,
        `Tree: ${shown(action.tree)}`,
        `Since: ${shown(action.base)}`,
        `Project: ${shown(project)}`,
      ];
  }
}

/** US dollars for people: `$1.20`, small amounts with as many digits as it takes. */
export function dollars(usd: number): string {
  return usd !== 0 && Math.abs(usd) < 0.01 ? `$${usd.toPrecision(2)}` : `$${usd.toFixed(2)}`;
}

/** What is made where a change is brought out. */
const publishes: Record<PublishWhat, string> = {
  push: 'a branch',
  pull_request: 'a branch and a pull request',
  draft: 'a branch and a draft of a pull request',
};

function publishTitle({ what, branch, commit }: PublishAction): string {
  const made = what === 'push' ? 'Push' : what === 'draft' ? 'Open a draft of a pull request for' : 'Open a pull request for';
  return `${made} ${branch} at ${commit.slice(0, 12)}`;
}

function toolLines({ call, because }: ToolAction): string[] {
  return [
    `Tool: ${shown(call.tool)}`,
    ...(call.command === undefined ? [] : block('Command', call.command)),
    ...(call.files ?? []).flatMap(({ path, change, diff }) => [
      `File: ${shown(path)} (${change})`,
      ...(diff === undefined ? [] : indented(diff)),
    ]),
    ...block('Input', call.input),
    ...(call.readOnly ? ['The tool only reads.'] : []),
    ...(because === undefined ? [] : block('Why, in the words of the agent', because)),
  ];
}

function agentLines(action: Exclude<Action, { type: 'command' | 'spend' | 'quota' | 'publish' }>, project: string): string[] {
  return [`Agent: ${action.agent}`, `Named by it: ${shown(action.ask)}`, `Project: ${shown(project)}`, ...placeLines(action)];
}

function placeLines(action: Extract<Action, { cwd: string }>): string[] {
  const { cwd, sandbox, image, network } = action;
  const hosts = 'hosts' in action ? (action.hosts ?? []) : [];
  const reach = hosts.length === 0 ? 'none' : `none but ${hosts.map(shown).join(', ')}`;
  const container = image === null ? 'container' : `container of ${shown(image)}`;
  return [
    `In: ${shown(cwd)}`,
    `Sandbox: ${sandbox === 'local' ? 'none: it runs on the host, not isolated' : container}`,
    `Network: ${network === 'none' ? reach : 'all that the host reaches'}`,
  ];
}

function block(label: string, text: string): string[] {
  const hidden = hiddenCharacters(text);
  const note = `Hidden characters: ${hidden.join(', ')} (shown above between ⟨ and ⟩)`;
  return [`${label}:`, ...indented(text), ...(hidden.length === 0 ? [] : [note])];
}

function indented(text: string): string[] {
  return revealHidden(text)
    .split('\n')
    .map((line) => `  ${line}`);
}

function shown(text: string): string {
  return revealHidden(text).replaceAll('\n', '⏎');
}

function firstLine(text: string): string {
  return text.split('\n').find((line) => line.trim() !== '') ?? text;
}
