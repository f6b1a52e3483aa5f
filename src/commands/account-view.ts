import type { AgentAccount } from '../contracts/agent-account.ts';
import { encodePress } from '../contracts/press.ts';
import { type Block, type Button, bold, code, plain, type Span, type View } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { dated } from '../delivery/moments.ts';
import { agentsOf } from '../tasks/agent-account-rules.ts';

/** What an account is, for people: never its key. `note`: what has just happened; `more`: further fields. */
export function accountView(account: AgentAccount, note: string | undefined, more: readonly Field[] = []): View {
  const blocks: Block[] = [
    { type: 'text', spans: [bold('Account '), code(account.name)] },
    ...(note === undefined ? [] : [{ type: 'text' as const, spans: marked(note) }]),
    { type: 'fields', items: [...fieldsOf(account), ...more].map(({ label, spans }) => ({ label, spans: [...spans] })) },
    ...(account.credential === 'none' ? [] : [{ type: 'buttons' as const, buttons: [keyButton(account)] }]),
  ];
  return withFallback(blocks);
}

interface Field {
  label: string;
  spans: readonly Span[];
}

export function field(label: string, text: string): Field {
  return { label, spans: marked(text) };
}

/** Asks for the key, seen by who presses alone. */
export function keyButton({ name, hasKey }: AgentAccount): Button {
  return {
    token: encodePress({ kind: 'command', text: `account key ${name}` }),
    label: hasKey ? 'Change the key…' : 'Enter the key…',
    style: hasKey ? 'default' : 'primary',
    form: true,
  };
}

function fieldsOf(account: AgentAccount): Field[] {
  const { baseUrl, models, offered, image, binary, project, lastUsedAt } = account;
  return [
    field(
      'for',
      agentsOf(account)
        .map((agent) => `\`${agent}\``)
        .join(', '),
    ),
    { label: 'server', spans: [code(baseUrl)] },
    field('key', keyText(account).replace(/^key /, '')),
    field('models', models === null ? 'any' : models.map((model) => `\`${model}\``).join(', ')),
    ...(offered === null ? [] : [field('server has', offeredText(offered.models))]),
    ...(project === null ? [] : [field('tasks', `only of project \`${project.name}\``)]),
    ...(image === null ? [] : [{ label: 'image', spans: [code(image)] }]),
    ...(binary === null ? [] : [{ label: 'program', spans: [code(binary)] }]),
    { label: 'last used', spans: lastUsedAt === null ? [plain('never')] : [dated(lastUsedAt)] },
  ];
}

/** One line of the list. */
export function accountLine(account: AgentAccount): Span[] {
  const { name, baseUrl, lastUsedAt } = account;
  const about = [
    agentsOf(account).join(', '),
    new URL(baseUrl).host,
    keyText(account),
    ...(account.project === null ? [] : [onlyText(account)]),
    ...(account.image === null ? [] : [`image ${account.image}`]),
    ...(lastUsedAt === null ? ['never used'] : []),
  ];
  return [
    plain(account.hasKey ? '✔ ' : '✖ '),
    code(name),
    plain(` · ${about.join(' · ')}`),
    ...(lastUsedAt === null ? [] : [plain(' · used '), dated(lastUsedAt)]),
  ];
}

/** "only project web", after `before`; empty for one that tasks of every project work with. */
export function onlyText({ project }: Pick<AgentAccount, 'project'>, before = ''): string {
  return project === null ? '' : `${before}only project ${project.name}`;
}

/** Masked: enough to tell two keys apart. */
export function keyText({ credential, hasKey, keyEnd }: AgentAccount): string {
  if (credential === 'none') return 'needs no key';
  if (!hasKey) return 'no key yet';
  const kind = credential === 'login' ? 'login of Claude Code' : 'key';
  return keyEnd === null ? `${kind} is set` : `${kind} …${keyEnd}`;
}

const shownModels = 12;

function offeredText(models: readonly string[]): string {
  if (models.length === 0) return 'no models';
  const shown = models.slice(0, shownModels).map((model) => `\`${model}\``);
  return models.length > shown.length ? `${shown.join(', ')} and ${models.length - shown.length} more` : shown.join(', ');
}
