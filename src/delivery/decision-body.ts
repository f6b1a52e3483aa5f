import { dollars } from '../approvals/action-text.ts';
import type { Question } from '../contracts/agent.ts';
import type { Action, CommandAction, QuotaAction, SpendAction, ToolAction } from '../contracts/policy.ts';
import type { RunResult } from '../contracts/run-event.ts';
import { type Block, bold, code, plain, type Span } from '../contracts/view.ts';
import { isShort, literal, readable, type Shown, warnings } from './decision-text.ts';
import { moment } from './moments.ts';
import { cleanText, oneLine, reveal, shorten } from './neutralise.ts';
import { publishBody } from './publish-body.ts';
import { count, duration } from './units.ts';

/** What is asked, as the card shows it. `does`: after the number of the task, while it is asked and later. */
export interface DecisionBody extends Shown {
  asks: string;
  asked: string;
  /** What a notification says after "#142 ". */
  says: string;
  fields: Extract<Block, { type: 'fields' }>['items'];
}

const saysLength = 200;
/** Further arguments of a call up to this long stand on the card. */
const argumentsLength = 400;

/** The whole of what is asked is shown or attached; nothing in it acts on a reader's screen or eye. `result`: of the run it is about. */
export function decisionBody(action: Action, number: number, result?: RunResult | undefined): DecisionBody {
  switch (action.type) {
    case 'command':
      return commandBody(action, number);
    case 'tool':
      return toolBody(action, number);
    case 'plan':
      return planBody(action.text, number);
    case 'question':
      return questionBody(action.questions);
    case 'spend':
      return spendBody(action);
    case 'quota':
      return quotaBody(action);
    case 'publish':
      return publishBody(action, result);
  }
}

function commandBody(action: CommandAction, number: number): DecisionBody {
  const revealed = reveal(action.command);
  const { blocks, files } = literal(revealed.text, { name: `${number}-command.sh`, what: 'command', language: 'sh' });
  return {
    asks: 'wants to run a command',
    asked: 'wanted to run a command',
    says: `wants to run ${oneLine(revealed.text.split('\n', 1)[0] ?? '')}`,
    blocks: [...blocks.map(plainCode), ...warnings(revealed)],
    files,
    fields: [
      { label: 'where', spans: where(action) },
      { label: 'time limit', spans: [plain(duration(action.timeoutMs))] },
    ],
  };
}

/** Commands are shown without colours: nothing but the letters counts. */
function plainCode(block: Block): Block {
  return block.type === 'code' ? { type: 'code', text: block.text } : block;
}

const reasonLength = 200;

/** Why the agent says that it wants to make the call, on one line and at most 200 characters; undefined: it does not say. */
export function reasonShown({ because }: ToolAction): string | undefined {
  const text = because === undefined ? '' : oneLine(reveal(because).text).replaceAll(/["“”„«»]/g, "'");
  return text === '' ? undefined : shorten(text, reasonLength);
}

function toolBody(action: ToolAction, number: number): DecisionBody {
  const { call } = action;
  const place = { label: 'where', spans: where(action) };
  const changed = (call.files ?? []).filter(({ change }) => change !== 'read');
  if (call.command !== undefined) {
    const body = commandBody({ ...action, type: 'command', command: call.command, timeoutMs: 0 }, number);
    const rest = restOf(call.input, call.command, action.because);
    const more = rest === undefined ? undefined : literal(rest, { name: `${number}-arguments.json`, what: 'list of arguments' });
    const short = rest !== undefined && rest.length <= argumentsLength;
    return {
      ...body,
      blocks: [...body.blocks, ...(more === undefined || short ? [] : more.blocks)],
      files: [...body.files, ...(more === undefined || short ? [] : more.files)],
      fields: [place, ...(short ? [{ label: 'with', spans: [plain(oneLine(rest))] }] : [])],
    };
  }
  if (changed.length > 0 && changed.every(({ diff }) => diff !== undefined)) {
    const what = changed.length === 1 ? `change ${oneLine(reveal(changed[0]?.path ?? '').text)}` : count(changed.length, 'file');
    return {
      asks: changed.length === 1 ? 'wants to change a file' : `wants to change ${count(changed.length, 'file')}`,
      asked: changed.length === 1 ? 'wanted to change a file' : `wanted to change ${count(changed.length, 'file')}`,
      says: shorten(`wants to ${changed.length === 1 ? what : `change ${what}`}`, saysLength),
      ...changes(changed, number),
      fields: [place],
    };
  }
  const revealed = reveal(pretty(call.input));
  const tool = shorten(oneLine(reveal(call.tool).text), 60);
  const { blocks, files } = literal(revealed.text, { name: `${number}-input.json`, what: 'input', language: 'json' });
  return {
    asks: `wants to use ${tool}`,
    asked: `wanted to use ${tool}`,
    says: shorten(`wants to use ${oneLine(reveal(call.title).text)}`, saysLength),
    blocks: [{ type: 'text', spans: [plain(oneLine(reveal(call.title).text))] }, ...blocks, ...warnings(revealed)],
    files,
    fields: [place],
  };
}

const words = { read: 'reads', create: 'creates', edit: 'edits', delete: 'deletes' } as const;

function changes(files: NonNullable<ToolAction['call']['files']>, number: number): Shown {
  const all = files.map(({ path, change, diff = '' }) => ({
    head: `${words[change]} ${oneLine(reveal(path).text)}`,
    ...reveal(diff),
  }));
  const noted = warnings({
    hidden: [...new Set(all.flatMap(({ hidden }) => hidden))],
    mixed: [...new Set(all.flatMap(({ mixed }) => mixed))],
  });
  const whole = all.map(({ head, text }) => (all.length === 1 ? text : `# ${head}\n${text}`)).join('\n');
  if (isShort(whole)) {
    const blocks = all.flatMap(({ head, text }): Block[] => [
      { type: 'text', spans: [plain(head)] },
      ...(text.trim() === '' ? [] : [{ type: 'code' as const, text, language: 'diff' }]),
    ]);
    return { blocks: [...blocks, ...noted], files: [] };
  }
  const heads = all.map(({ head }) => head).join('\n');
  const { blocks, files: attached } = literal(whole, { name: `${number}-changes.diff`, what: 'change', language: 'diff' });
  return { blocks: [{ type: 'text', spans: [plain(heads)] }, ...blocks, ...noted], files: attached };
}

function planBody(text: string, number: number): DecisionBody {
  const revealed = reveal(text);
  const note = ' Read it before you decide.';
  const { blocks, files } = readable(revealed.text, { name: `${number}-plan.md`, what: 'plan', note });
  return {
    asks: 'has a plan',
    asked: 'had a plan',
    says: 'has a plan and waits for a word',
    blocks: [...blocks, ...warnings({ ...revealed, mixed: [] })],
    files,
    fields: [],
  };
}

function questionBody(questions: readonly Question[]): DecisionBody {
  const first = oneLine(reveal(questions[0]?.text ?? '').text);
  const many = questions.length > 1;
  return {
    asks: many ? `asks ${count(questions.length, 'question')}` : 'asks a question',
    asked: many ? `asked ${count(questions.length, 'question')}` : 'asked a question',
    says: `asks: ${shorten(first, saysLength)}`,
    blocks: questions.flatMap((question, at) => questionBlocks(question, many ? `Question ${at + 1}: ` : '')),
    files: [],
    fields: [],
  };
}

function questionBlocks({ text, options, multiple }: Question, number: string): Block[] {
  const head: Span[] = [bold(`${number}${cleanText(reveal(text).text)}`)];
  const choices = options.flatMap(({ label, description }, at): Span[] => [
    plain(`\n${at + 1}. `),
    bold(oneLine(reveal(label).text)),
    ...(description === undefined || description.trim() === '' ? [] : [plain(`: ${oneLine(reveal(description).text)}`)]),
  ]);
  const hint = multiple && options.length > 1 ? [plain('\nSeveral can be chosen.')] : [];
  return [{ type: 'text', spans: [...head, ...choices, ...hint] }];
}

function spendBody({ spentUsd, budgetUsd, raisedUsd, unpriced }: SpendAction): DecisionBody {
  if (unpriced !== undefined) {
    const model = oneLine(reveal(unpriced).text);
    return {
      asks: 'wants to use a model without a known price',
      asked: 'wanted to use a model without a known price',
      says: `wants to use ${model}, which has no known price`,
      blocks: [
        {
          type: 'text',
          spans: [
            code(model),
            plain(` has no known price, so what it costs is not counted against the budget of ${dollars(budgetUsd)} `),
            plain(`(${dollars(spentUsd)} of it is spent). Go on with it without a limit?`),
          ],
        },
      ],
      files: [],
      fields: [],
    };
  }
  return {
    asks: 'has used up its budget',
    asked: 'had used up its budget',
    says: `has used up its budget of ${dollars(budgetUsd)}`,
    blocks: [
      {
        type: 'text',
        spans: [
          plain(`It has cost ${dollars(spentUsd)} of ${dollars(budgetUsd)} and waits. May it go on up to `),
          bold(dollars(raisedUsd)),
          plain(' in all?'),
        ],
      },
    ],
    files: [],
    fields: [],
  };
}

function quotaBody(action: QuotaAction): DecisionBody {
  const name = oneLine(reveal(action.name).text);
  return {
    asks: 'has used up a quota',
    asked: 'had used up a quota',
    says: `has used up the quota of ${name}`,
    blocks: [
      {
        type: 'text',
        spans: [
          plain(`The quota of ${name} is used up, and it waits. It goes on by itself when the quota is free again, `),
          moment(new Date(action.freeAt)),
          plain('. May it, and what else counts for the quota, go on before, up to '),
          bold(action.upTo),
          plain('?'),
        ],
      },
    ],
    files: [],
    fields: [],
  };
}

function where(action: Extract<Action, { cwd: string }>): Span[] {
  const { cwd, sandbox, network } = action;
  const hosts = 'hosts' in action ? (action.hosts ?? []) : [];
  const few = hosts.length === 0 ? 'no network' : `network: ${hosts.map(oneLine).join(', ')} only`;
  const reach = network === 'none' ? few : 'the network of the machine';
  if (sandbox === 'docker') return [plain(`${oneLine(cwd)} in a container, ${reach}`)];
  return [plain(`${oneLine(cwd)} on the machine of the runner, `), bold('not isolated'), plain(`, ${reach}`)];
}

function pretty(input: string): string {
  try {
    return JSON.stringify(JSON.parse(input), null, 2);
  } catch {
    return input;
  }
}

/** What else is in the input of a call than the command that the card shows already; undefined: nothing. */
function restOf(input: string, command: string, because: string | undefined): string | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(input);
  } catch {
    return reveal(input).text;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return reveal(input).text;
  // What stands on the card as a whole, as the agent's reason, need not stand there twice.
  const stated = because !== undefined && because.length <= reasonLength ? because : undefined;
  const rest = Object.entries(parsed).filter(
    ([name, value]) => !says(value, command) && !(name === 'description' && value === stated),
  );
  if (rest.length === 0) return undefined;
  return reveal(rest.map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`).join(', '))
    .text;
}

/** The command itself, as a line or as the words of it. */
function says(value: unknown, command: string): boolean {
  return value === command || (Array.isArray(value) && (value.join(' ') === command || value.at(-1) === command));
}
