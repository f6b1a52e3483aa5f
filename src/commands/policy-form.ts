import type { CustomRole } from '../contracts/custom-roles.ts';
import { demandKinds, demandRisks } from '../contracts/demands.ts';
import { AppError } from '../contracts/errors.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { approvalsNeeded, policySchema } from '../contracts/policy.ts';
import { encodePress } from '../contracts/press.ts';
import { type Form, plain } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { askForm } from '../delivery/reply.ts';
import { putOutbox } from '../store/outbox.ts';
import { namesOf } from '../store/people.ts';
import { type Project, projectById } from '../store/projects.ts';
import { answered } from './answer.ts';
import { shortDuration } from './arguments.ts';
import type { Command, CommandContext, Reply } from './command.ts';
import { decidingRoles } from './decider-role.ts';
import { checkArguments } from './parse.ts';
import { policyView } from './policy.ts';
import { policyAdd } from './policy-add.ts';
import { type PolicyForm, policyButtons, policyFormPrefix } from './policy-buttons.ts';
import { holdProject } from './policy-change.ts';
import { newestMaker } from './policy-history.ts';
import { settings } from './settings.ts';
import { personFor } from './subject.ts';
import { quote } from './tokens.ts';

type Fields = Form['fields'];

const need = { command: 'policy', permission: 'policy.manage', action: 'change the policy' } as const;

/** A button asks for a form; where the platform has none its fields are asked one by one. */
export async function askPolicyForm(
  ctx: CommandContext,
  press: Extract<InboundEvent, { type: 'press' }>,
  asked: PolicyForm,
): Promise<void> {
  const project = await projectOf(ctx, asked);
  const form = asked.what === 'edit' ? await editForm(ctx, project) : await addForm(ctx, project);
  await putOutbox(ctx.tx, askForm(answered(press, ctx.person, press.conversation), press.trigger, form, new Date(press.at)));
}

/** The form comes back. What somebody else has changed meanwhile is never written over: then nothing is stored, and what was entered is given back. */
export async function onPolicyForm(
  ctx: CommandContext,
  form: Extract<InboundEvent, { type: 'form' }>,
  asked: PolicyForm,
): Promise<Reply> {
  const held = await holdProject(ctx, await projectOf(ctx, asked));
  const raw = Object.fromEntries(
    Object.entries(form.values).flatMap(([name, [value]]) =>
      value === undefined || value.trim() === '' ? [] : [[name, value.trim()]],
    ),
  );
  if (asked.what === 'add') {
    const checked = checkArguments(policyAdd, { ...raw, project: held.name });
    if (checked.type === 'invalid')
      throw new AppError('DH-201', { problem: checked.problem, example: `\`${policyAdd.examples[0]?.[0]}\`` });
    if (checked.type !== 'command') throw new AppError('DH-208');
    return storedBy(ctx, checked, held);
  }
  const change = { ...raw, people: raw.people ?? 'none' };
  const people = [{ operator: '=', value: change.people }];
  const checked = checkArguments(settings, { ...change, people, project: held.name });
  if (checked.type === 'invalid')
    throw new AppError('DH-201', { problem: checked.problem, example: '`settings approvals=2 expires=1h`' });
  if (checked.type !== 'command') throw new AppError('DH-208');
  if (asked.version !== held.policyVersion) return overtaken(ctx, held, change);
  return storedBy(ctx, checked, held);
}

async function storedBy(
  ctx: CommandContext,
  { command, args }: { command: Command; args: Record<string, unknown> },
  project: Project,
): Promise<Reply> {
  return (await command.run(ctx, args)) ?? { view: await policyView(ctx, project, []), audience: 'all' };
}

/** The command that does what the form said, on top of what holds now: nothing that was entered is lost. */
async function overtaken(ctx: CommandContext, project: Project, change: Readonly<Record<string, string>>): Promise<Reply> {
  const words = Object.entries(change).map(([name, value]) => `${name}=${quote(value)}`);
  const command = ['settings', ...words, `project=${quote(project.name)}`].join(' ');
  const who = await newestMaker(ctx, project);
  return {
    view: withFallback([
      {
        type: 'text',
        spans: marked(
          `${who} has made version ${project.policyVersion} of the policy of ${project.name} while you had the form, so yours is not stored. What you entered, as a command:`,
        ),
      },
      { type: 'code', text: command },
      { type: 'text', spans: [plain('Send it, or begin anew with what holds now.')] },
      ...policyButtons(project),
    ]),
    audience: 'person',
  };
}

async function projectOf(ctx: CommandContext, { project: id }: PolicyForm): Promise<Project> {
  const project = await projectById(ctx.tx, ctx.person.workspace, id);
  if (project === undefined) throw new AppError('DH-208');
  await personFor(ctx, project.id, need);
  return project;
}

async function editForm(ctx: CommandContext, project: Project): Promise<Form> {
  const { mode, approvers, expiresMs, waits } = project.policy;
  const roles = await decidingRoles(ctx, approvers);
  const names = await namesOf(ctx.tx, project.workspace, approvers.people);
  const people = approvers.people.map((user) => names.get(user) ?? user).join(', ');
  const fields: Fields = [
    select('policy', 'What runs without asking', modeLabels, mode),
    select(
      'approvers',
      'Who may decide',
      roleLabels(roles),
      roles.find(({ id }) => approvers.teams?.includes(id))?.name ?? approvers.role,
    ),
    {
      ...textField('people', 'Only these people of them (empty: all)', '@ada, @ben'),
      ...(people === '' ? {} : { initial: people }),
    },
    select('approvals', 'How many must say yes', countLabels, String(approvalsNeeded(approvers))),
    {
      ...textField('expires', 'After what time it counts as no, or never', '1h'),
      required: true,
      initial: waits === true ? 'never' : shortDuration(expiresMs),
    },
  ];
  const token = encodePress({ kind: 'command', text: `${policyFormPrefix}edit ${project.policyVersion} ${project.id}` });
  return { token, title: 'Policy', submit: 'Save', fields };
}

async function addForm(ctx: CommandContext, { id }: Project): Promise<Form> {
  const roles = await decidingRoles(ctx);
  return {
    token: encodePress({ kind: 'command', text: `${policyFormPrefix}add ${id}` }),
    title: 'Add a demand',
    submit: 'Add',
    fields: [
      select('kind', 'What it is about (none: everything)', kindLabels),
      textField('path', 'Files, of changes and of what agents edit', 'infra/**'),
      select('risk', 'A risk that cards name', new Map(demandRisks.map((risk) => [risk, risk]))),
      select('approvers', 'Who must decide', roleLabels(roles)),
      select('approvals', 'How many must say yes', countLabels),
    ],
  };
}

const modeLabels = new Map<string, string>(
  policySchema.shape.mode.options.map((mode) => [
    mode,
    {
      safe: 'safe: what only reads',
      ask: 'ask: nothing',
      custom: 'custom: what is allowed by pattern',
      yolo: 'yolo: everything',
    }[mode],
  ]),
);
function roleLabels(custom: readonly CustomRole[]): ReadonlyMap<string, string> {
  return new Map([
    ['developer', 'Developers and above'],
    ['maintainer', 'Maintainers and owners'],
    ['owner', 'Owners'],
    ...custom.map(({ name }) => [name, `Only the role ${name}`] as const),
  ]);
}
const countLabels = new Map(['1', '2', '3', '4', '5'].map((text) => [text, text === '1' ? 'One person' : `${text} people`]));
const kindLabels = new Map<string, string>(
  demandKinds.map((kind) => [
    kind,
    {
      command: 'Commands of tasks',
      tool: 'What agents want to do',
      plan: 'Plans',
      spend: 'More money',
      push: 'Changes that leave',
    }[kind],
  ]),
);

function select(id: string, label: string, options: ReadonlyMap<string, string>, initial?: string): Fields[number] {
  return {
    type: 'select',
    id,
    label,
    required: initial !== undefined,
    multiple: false,
    options: [...options].map(([value, text]) => ({ value, label: text })),
    ...(initial === undefined ? {} : { initial }),
  };
}

function textField(id: string, label: string, placeholder: string): Extract<Fields[number], { type: 'text' }> {
  return { type: 'text', id, label, multiline: false, required: false, placeholder, maxLength: 300 };
}
