import type { RunEventData } from '../../src/contracts/run-event.ts';
import type { Step } from './cli-protocol.ts';
import { changeTitle, commandTitle, shownCommand } from './codex-calls.ts';
import type { CodexItem } from './codex-lines.ts';
import type { CodexState } from './codex-state.ts';
import { taken } from './codex-talk.ts';
import type { Turn } from './port.ts';
import { takeText } from './text-parts.ts';
import { firstLine, longestDetail } from './tool-events.ts';

/** Something begins: a call becomes visible, a message of ours is being read. */
export function onStarted(state: CodexState, item: CodexItem, thread: string, turn: Turn): Step<CodexState> {
  if (item.type === 'userMessage') return item.clientId == null ? { state } : taken(state, item.clientId);
  if (item.type === 'subAgentActivity') return onSubAgent(state, item);
  const known = noticed(state, item);
  const shown = shownCall(item, known, turn.cwd);
  if (shown === undefined || known.calls.includes(item.id)) return { state: known };
  const parent = known.parents[thread];
  const next = { ...known, calls: [...known.calls, item.id] };
  return { state: next, events: [{ type: 'tool', id: item.id, ...shown, ...(parent === undefined ? {} : { parent }) }] };
}

/** A sub-agent is a call that lasts until its work is done; what it does meanwhile hangs below it. */
function onSubAgent(state: CodexState, { id, kind, agentThreadId: thread = '', agentPath = '' }: CodexItem): Step<CodexState> {
  const call = state.parents[thread];
  if (kind === 'started') {
    if (call !== undefined) return { state };
    const title = `Sub-agent: ${(agentPath.split('/').at(-1) ?? '').replaceAll('_', ' ')}`;
    const next = { ...state, parents: { ...state.parents, [thread]: id }, calls: [...state.calls, id] };
    return { state: next, events: [{ type: 'tool', id, tool: 'spawn_agent', title }] };
  }
  if (call === undefined || kind === 'interacted' || !state.calls.includes(call)) return { state };
  const ok = kind === 'completed';
  const over: RunEventData = { type: 'tool_ended', id: call, ok, summary: ok ? '' : 'Interrupted.' };
  return { state: { ...state, calls: state.calls.filter((one) => one !== call) }, events: [over] };
}

/** What later lines need of an item. */
function noticed(state: CodexState, item: CodexItem): CodexState {
  if (item.type === 'fileChange') {
    const changes = (item.changes ?? []).map(({ path, kind, diff }) => ({
      path,
      kind: kind.type,
      to: kind.move_path ?? null,
      diff,
    }));
    return { ...state, changes: { ...state.changes, [item.id]: changes } };
  }
  if (item.type !== 'collabAgentToolCall' || item.tool !== 'spawnAgent') return state;
  const parents = Object.fromEntries((item.receiverThreadIds ?? []).map((thread) => [thread, item.id]));
  return { ...state, parents: { ...state.parents, ...parents } };
}

function shownCall(
  item: CodexItem,
  state: CodexState,
  cwd: string,
): { tool: string; title: string; detail?: string } | undefined {
  switch (item.type) {
    case 'commandExecution': {
      const command = shownCommand(item.command ?? '', item.cwd ?? cwd, cwd);
      return { tool: 'exec_command', title: commandTitle(command), detail: command.slice(0, longestDetail) };
    }
    case 'fileChange': {
      const changes = state.changes[item.id] ?? [];
      const detail = changes.map(({ diff }) => diff).join('\n');
      return { tool: 'apply_patch', title: changeTitle(changes, cwd), detail: detail.slice(0, longestDetail) };
    }
    case 'collabAgentToolCall':
      return {
        tool: item.tool ?? 'agent',
        title: `Sub-agent: ${(item.prompt ?? item.tool ?? '').split('\n')[0]?.slice(0, 100)}`,
      };
    case 'imageView':
      return { tool: 'view_image', title: `View ${item.path ?? 'an image'}` };
    case 'webSearch':
      return { tool: 'web_search', title: `Search the web: ${item.query ?? ''}` };
    case 'mcpToolCall':
    case 'dynamicToolCall':
      return { tool: item.tool ?? item.type, title: item.tool ?? item.type };
    default:
      return undefined;
  }
}

/** Something is over: the result of a call, the whole of a text. */
export function onCompleted(state: CodexState, item: CodexItem, thread: string, turn: Turn): Step<CodexState> {
  const parent = state.parents[thread];
  switch (item.type) {
    case 'agentMessage': {
      const questions = (item.questions ?? []).flatMap(({ question }) => (question === undefined ? [] : [question]));
      return lastPiece(state, 'assistant', item.id, [item.text ?? '', ...questions].join('\n\n').trim(), parent);
    }
    case 'reasoning':
      return (item.summary ?? []).reduce<Step<CodexState>>(
        (step, text, at) => {
          const next = lastPiece(step.state, 'thinking', `${item.id}:${at}`, text, parent);
          return { state: next.state, events: [...(step.events ?? []), ...(next.events ?? [])] };
        },
        { state },
      );
    case 'plan':
      return { state: parent === undefined ? { ...state, plan: item.text ?? '' } : state };
    case 'subAgentActivity':
      return onSubAgent(state, item);
    case 'contextCompaction':
      return { state, events: [{ type: 'note', level: 'info', text: 'The conversation became long and was summarised.' }] };
    default:
      return ended(onStarted(state, item, thread, turn), item);
  }
}

function ended({ state, events = [] }: Step<CodexState>, item: CodexItem): Step<CodexState> {
  if (!state.calls.includes(item.id)) return { state, events };
  const { [item.id]: _, ...changes } = state.changes;
  const ok = item.status === undefined || item.status === 'completed';
  const text = item.aggregatedOutput ?? '';
  const word = item.status === 'declined' ? 'Not allowed.' : ok ? '' : 'Failed.';
  const summary = firstLine(text) || word;
  const detail = text.slice(0, longestDetail);
  const over: RunEventData = { type: 'tool_ended', id: item.id, ok, summary, ...(detail === '' ? {} : { detail }) };
  return { state: { ...state, changes, calls: state.calls.filter((id) => id !== item.id) }, events: [...events, over] };
}

/** A piece of what the agent says or thinks; words are not split between two of them. */
export function onDelta(
  state: CodexState,
  type: 'assistant' | 'thinking',
  { part, delta, parent }: { part: string; delta: string; parent: string | undefined },
): Step<CodexState> {
  const { text, held } = takeText(state.parts[part] ?? '', delta);
  const next = { ...state, parts: { ...state.parts, [part]: held } };
  if (text === '') return { state: next };
  return { state: next, events: [{ type, part, text, final: false, ...(parent === undefined ? {} : { parent }) }] };
}

function lastPiece(
  state: CodexState,
  type: 'assistant' | 'thinking',
  part: string,
  whole: string,
  parent: string | undefined,
): Step<CodexState> {
  const { [part]: held, ...parts } = state.parts;
  const event = { type, part, text: held ?? whole, final: true, ...(parent === undefined ? {} : { parent }) };
  return { state: { ...state, parts }, events: [event] };
}
