import { type AgentAccount, secretFormPrefix } from '../contracts/agent-account.ts';
import { AppError } from '../contracts/errors.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { encodePress } from '../contracts/press.ts';
import type { Form } from '../contracts/view.ts';
import { askForm } from '../delivery/reply.ts';
import { agentAccountById, lockAgentAccount, setAgentAccountKey, setOfferedModels } from '../store/agent-accounts.ts';
import { recordAudit } from '../store/audit.ts';
import { putOutbox } from '../store/outbox.ts';
import { credentialFor, endOfKey, keyProblem } from '../tasks/agent-account-rules.ts';
import { namedAccount } from './account-choice.ts';
import { accountView } from './account-view.ts';
import { accountName } from './account-words.ts';
import { answered } from './answer.ts';
import { required } from './arguments.ts';
import { type CommandContext, type CommandDeps, defineCommand, type Reply } from './command.ts';
import { guidedKey } from './on-guided.ts';

const keyFormPrefix = `${secretFormPrefix}account `;

export const accountKey = defineCommand({
  name: 'account key',
  group: 'setup',
  summary: 'Asks for the key of an account, seen by nobody else',
  details: [
    'The key is typed into a form, or answered in a direct message where the platform has no forms; never into a command. It is sealed before it is stored, tried at its server, and never shown again but for its last characters.',
    'For Claude Code with a subscription: run `claude setup-token` on a machine of yours and give the token that it prints.',
    'A new key counts from the next run on.',
  ],
  permission: 'account.manage',
  action: 'change accounts of agents',
  unbound: 'with-role',
  positional: { name: required({ hint: 'name', about: 'the account', names: 'account', schema: accountName }) },
  options: {},
  examples: [['account key main', 'asks you for the key of `main`']],
  async run(ctx, { name }) {
    const account = await namedAccount(ctx, name);
    if (account.credential === 'none') {
      throw new AppError('DH-217', {
        what: `The server of \`${account.name}\` asks for no key.`,
        instead: `\`account set ${account.name} auth=key\` says that it does.`,
      });
    }
    const { event } = ctx.act;
    if (event.type !== 'press') return askedFor(account, 'Its key is entered here, seen by nobody else:');
    const act = answered(event, ctx.person, event.conversation);
    await putOutbox(ctx.tx, askForm(act, event.trigger, keyForm(account), new Date(event.at)));
    return undefined;
  },
});

/** The account with the button that asks for its key. Seen by who asked alone. */
export function askedFor(account: AgentAccount, note: string): Reply {
  return { view: accountView(account, note), audience: 'person' };
}

/** A sealed text is longer than what was typed. */
const longestTyped = 1000;

function keyForm({ id, protocol }: AgentAccount): Form {
  return {
    token: encodePress({ kind: 'command', text: `${keyFormPrefix}${id}` }),
    title: 'Key of an account',
    submit: 'Store',
    fields: [
      {
        type: 'text',
        id: 'key',
        label: protocol === 'anthropic' ? 'API key, or token of a login' : 'API key',
        multiline: false,
        required: true,
        placeholder: protocol === 'anthropic' ? 'sk-ant-…' : 'sk-…',
        maxLength: longestTyped,
        secret: true,
      },
    ],
  };
}

/** Of which account a form asks for the key; undefined: of none. */
export function accountOfForm(text: string): string | undefined {
  return text.startsWith(keyFormPrefix) ? text.slice(keyFormPrefix.length) : undefined;
}

/** The form comes back: tries the key at the server, and stores it when it is good. Whoever sends it may change accounts: asked before. */
export async function onAccountKey(
  ctx: CommandContext,
  id: string,
  form: Extract<InboundEvent, { type: 'form' }>,
): Promise<Reply> {
  const { tx, person, deps } = ctx;
  const account = await agentAccountById(tx, person.workspace, id);
  if (account === undefined || !(await lockAgentAccount(tx, person.workspace, id))) throw new AppError('DH-208');
  const key = deps.accounts.typed(form.values.key?.[0] ?? '', form)?.trim();
  if (key === undefined) throw new AppError('DH-208');
  const problem = keyProblem(key);
  if (problem !== undefined) {
    throw new AppError('DH-201', { problem: `${problem} Nothing was stored.`, example: `\`account key ${account.name}\`` });
  }
  const credential = credentialFor(account, key);
  const found = await deps.accounts.check(account, { credential, key });
  if (!found.ok) throw serverRefused(account, found);
  const at = deps.now();
  const end = endOfKey(key);
  await setAgentAccountKey(tx, id, { sealed: deps.accounts.seal(id, key), end, credential, at });
  await setOfferedModels(tx, id, found.models === null ? null : { models: found.models, at });
  await recordAudit(tx, {
    workspace: person.workspace,
    actor: person.user,
    action: 'account.key',
    subject: id,
    data: { name: account.name, end, credential },
  });
  const now = await agentAccountById(tx, person.workspace, id);
  if (now === undefined) throw new Error(`account ${id} is gone`);
  const told = found.untried ?? 'The server takes the key.';
  return { view: accountView(now, `The key is stored. ${told}${messageText(deps, form)}`), audience: 'person' };
}

/** What becomes of the message in which the key was written, where it was asked for in words. */
function messageText({ removes }: CommandDeps, { key, conversation }: InboundEvent): string {
  if (!key.startsWith(guidedKey)) return '';
  return removes?.(conversation) === true ? ' Your message with it is deleted.' : ' Delete your message with it.';
}

/** A server that does not take what it is sent: nothing of it is stored. */
export function serverRefused({ baseUrl }: Pick<AgentAccount, 'baseUrl'>, found: { what: string; remedy: string }): AppError {
  return new AppError('DH-219', { server: new URL(baseUrl).host, what: found.what, remedy: found.remedy });
}
