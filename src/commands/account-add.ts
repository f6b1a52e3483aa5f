import { type AgentAccount, modelProtocolSchema } from '../contracts/agent-account.ts';
import { AppError } from '../contracts/errors.ts';
import { agentAccountById, createAgentAccount, setOfferedModels } from '../store/agent-accounts.ts';
import { recordAudit } from '../store/audit.ts';
import { askedFor, serverRefused } from './account-key.ts';
import { accountView } from './account-view.ts';
import { accountName, binaryWord, imageWord, modelsOf, serverAddress } from './account-words.ts';
import { applyChange, type ListChange, listChange, name, oneOf, optional, required } from './arguments.ts';
import { type CommandContext, defineCommand, type Reply } from './command.ts';
import { namedProject } from './subject.ts';

/** Options of an account that can also change later. */
export const accountOptions = {
  url: optional({ hint: 'https://…', about: 'address of a compatible server; else that of the provider', schema: serverAddress }),
  auth: optional({
    hint: 'bearer',
    about: 'how the key is sent: as the provider has it, as a bearer, or `none` for a server without keys',
    values: ['key', 'bearer', 'none'],
    schema: oneOf(['key', 'bearer', 'none']),
  }),
  models: optional({
    hint: 'a,b',
    about: 'the only models that may be asked for; `any` for no limit',
    schema: listChange,
    takes: 'change',
  }),
  image: optional({
    hint: 'acme/agents:2',
    about: 'the image that its runs work in; `default` for that of agents',
    schema: imageWord,
  }),
  binary: optional({
    hint: '/opt/bin/claude',
    about: "the agent's program in that image; `default` for the one that is found",
    schema: binaryWord,
  }),
  project: optional({
    hint: 'web',
    about: 'the only project whose tasks work with it; `all` for every project',
    names: 'project',
    schema: name,
  }),
};

const usual: Record<AgentAccount['protocol'], string> = {
  anthropic: 'https://api.anthropic.com',
  openai: 'https://api.openai.com/v1',
};

const example = '`account add main anthropic`';

export const accountAdd = defineCommand({
  name: 'account add',
  group: 'setup',
  summary: 'Adds an account of agents: a model server under a name, with a key of its own',
  details: [
    '`anthropic` is for `claude` and `claude-code`, `openai` for `codex`; both also for servers that speak the same protocol.',
    'The key is asked for afterwards, in a form that nobody else sees. A key in the command is taken out and not stored.',
    'Tasks work with it by `run account=…`, projects by `settings account=…`. Keys stay outside of the sandboxes.',
    'With `project=web` only tasks of that project work with it; everywhere else it does not exist.',
    'An image of your own is built from that of agents (docs/agents.md) and shown in every request for a decision.',
  ],
  permission: 'account.manage',
  action: 'change accounts of agents',
  unbound: 'with-role',
  positional: {
    name: required({ hint: 'name', about: 'a short name', schema: accountName }),
    protocol: required({
      hint: 'protocol',
      about: 'what its server speaks',
      values: modelProtocolSchema.options,
      schema: oneOf(modelProtocolSchema.options),
    }),
  },
  options: accountOptions,
  examples: [
    ['account add main anthropic', 'then asks for the key'],
    ['account add local openai url=http://10.0.0.5:8000/v1 auth=none', 'a server of your own that asks for no key'],
    ['account add cheap anthropic models=claude-haiku-4-5', 'for one model only'],
    ['account add web anthropic project=web', 'for tasks of one project only'],
  ],
  async run(ctx, args) {
    const { tx, person, deps } = ctx;
    const account = await createAgentAccount(tx, {
      workspace: person.workspace,
      name: args.name,
      protocol: args.protocol,
      baseUrl: args.url ?? usual[args.protocol],
      credential: args.auth ?? 'key',
      models: args.models === undefined ? null : changedModels(null, args.models),
      image: args.image ?? null,
      binary: args.binary ?? null,
      project: (await projectOfAccount(ctx, args.project)) ?? null,
      by: person.user,
      at: deps.now(),
    });
    if (account === undefined) {
      throw new AppError('DH-217', {
        what: `There is an account \`${args.name}\` already.`,
        instead: `\`account set ${args.name}\` changes it, \`account remove ${args.name}\` removes it.`,
      });
    }
    await recordAudit(tx, {
      workspace: person.workspace,
      actor: person.user,
      action: 'account.add',
      subject: account.id,
      data: auditOf(account),
    });
    return account.credential === 'none'
      ? withoutKey(ctx, account, 'The account is there.')
      : askedFor(account, 'The account is there, without a key yet. The button asks you for it; nobody else sees what you type.');
  },
});

/** Looks what a server without keys has. Throws DH-219 when it does not answer. */
export async function withoutKey(ctx: CommandContext, account: AgentAccount, note: string): Promise<Reply> {
  const { tx, deps } = ctx;
  const found = await deps.accounts.check(account, { credential: 'none', key: '' });
  if (!found.ok) throw serverRefused(account, found);
  await setOfferedModels(tx, account.id, found.models === null ? null : { models: found.models, at: deps.now() });
  const now = (await agentAccountById(tx, account.workspace, account.id)) ?? account;
  return { view: accountView(now, `${note} ${found.untried ?? 'Its server answers.'}`), audience: 'person' };
}

/** What may be asked for after a change; null: anything. Throws DH-201 for what is no name of a model. */
export function changedModels(current: readonly string[] | null, change: ListChange): string[] | null {
  const read = modelsOf(change);
  if ('problem' in read) throw new AppError('DH-201', { problem: read.problem, example });
  const models = applyChange(current ?? [], read);
  return models.length === 0 ? null : models;
}

/** Id of the project that is named; null: `all`; undefined: none is named. Throws DH-205. */
export async function projectOfAccount(ctx: CommandContext, named: string | undefined): Promise<string | null | undefined> {
  if (named === undefined) return undefined;
  return named.toLowerCase() === 'all' ? null : (await namedProject(ctx, named)).id;
}

/** What of an account is written down about who did what. */
export function auditOf({ name: called, protocol, baseUrl, credential, models, image, binary, project }: AgentAccount) {
  const limits = { models: models === null ? null : [...models], image, binary, project: project?.name ?? 'all' };
  return { name: called, protocol, server: baseUrl, credential, ...limits };
}
