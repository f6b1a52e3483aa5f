import { setTimeout as delay } from 'node:timers/promises';
import type Anthropic from '@anthropic-ai/sdk';
import type { Ask } from '../../src/contracts/agent.ts';
import type { RunEventData } from '../../src/contracts/run-event.ts';
import { callsOf, conversationOf, type Entry, messagesOf, result, text, user } from './claude-conversation.ts';
import { executeCall } from './claude-exec.ts';
import { openMailbox } from './claude-mailbox.ts';
import { askModel, troubleOf } from './claude-model.ts';
import { received } from './claude-received.ts';
import { type ClaudeLoopState, claudeLoopStateSchema } from './claude-state.ts';
import { summaryRequest } from './claude-summary.ts';
import { askedCall, type CheckedCall, checkCall, offeredTools, questionsOf, reasonOf, stepsOf } from './claude-tools.ts';
import { createPictures, pictureBlock, picturesIn } from './pictures.ts';
import type { Commit, HarnessSession, Turn, TurnEnd } from './port.ts';
import { instructionsOf, promptOf } from './prompt.ts';
import { toolBegun, toolEnded } from './tool-events.ts';

export const defaultModel = 'claude-sonnet-5-5';

/** Pictures before the words: models read them better so. */
function firstWords(turn: Turn): Anthropic.ContentBlockParam[] {
  const shown = turn.resumed ? [] : picturesIn(turn.files ?? []);
  return [...shown.map(({ artifact }) => pictureBlock(artifact)), text(promptOf(turn))];
}

/** Something ended the wait: a message that interrupts, a stop, the leave of the runner. */
class Interrupted extends Error {
  override name = 'Interrupted';
}

/**
 * The built-in loop. It runs outside of the sandbox and keeps nothing: the conversation is in the log of the run, what is decided and
 * under way in the stored state. Whoever continues after a crash asks the model again for what it had not said to its end, and tells it
 * of a call whose outcome nobody saw.
 */
export async function driveClaude(session: HarnessSession): Promise<TurnEnd> {
  const { turn } = session;
  const access = session.models.anthropic;
  const name = turn.run;
  if (access === undefined) {
    const why = 'No model server of Anthropic is configured';
    return { end: 'failed', why, trouble: 'key_refused', session: undefined, resumable: false };
  }
  // Loaded by the first turn: it is a tenth of all files, and would cost every start of the program its time.
  const sdk = await import('@anthropic-ai/sdk');
  const client = new sdk.Anthropic({ baseURL: access.baseUrl, apiKey: access.token, maxRetries: 0, timeout: 2 ** 31 - 1 });
  const pictures = createPictures(async (artifact) => await session.given?.(artifact));
  let urgent = new AbortController();
  const mailbox = openMailbox(session, () => urgent.abort(new Interrupted()));
  let state: ClaudeLoopState;
  let messages = await conversationOf(name, (run) => session.conversation(run));
  let mailAt: number | undefined;
  let requests = 0;

  async function commit(
    change: Partial<ClaudeLoopState>,
    rest: Omit<Commit, 'state' | 'mail'> & { entries?: Entry[] } = {},
  ): Promise<void> {
    const { entries = [], events = [], ...others } = rest;
    state = { ...state, ...change };
    const stored = entries.map((entry): RunEventData => ({ type: 'conversation', entry: JSON.stringify(entry) }));
    await session.commit({ ...others, state, events: [...events, ...stored], ...(mailAt === undefined ? {} : { mail: mailAt }) });
    for (const entry of entries) if (entry.type === 'message') messages.push(entry.message);
  }
  const agentEvent = (): RunEventData => {
    const { mode, model, effort } = state;
    return { type: 'agent', agent: 'claude', model, mode, effort };
  };

  /** Deals with everything that has come. */
  async function readMail(): Promise<void> {
    const taken = mailbox.take();
    if (taken.length === 0) return;
    const events: RunEventData[] = [];
    let next = state;
    for (const one of taken) next = received(next, one, events);
    const changed = next.mode !== state.mode || next.model !== state.model || next.effort !== state.effort;
    state = next;
    mailAt = taken.at(-1)?.seq;
    await commit({}, { events: changed ? [...events, agentEvent()] : events });
  }

  /** Ends with whichever comes first: mail, a stop, or `signal`. */
  async function waitForMail(): Promise<'mail' | 'stop' | 'park'> {
    const { stop, left, park } = session;
    const over = new AbortController();
    const on = <T>(signal: AbortSignal, value: T) =>
      new Promise<T>((resolve) => {
        if (signal.aborted) resolve(value);
        signal.addEventListener('abort', () => resolve(value), { once: true, signal: over.signal });
      });
    try {
      const first = await Promise.race([
        mailbox.arrival().then(() => 'mail' as const),
        on(stop, 'stop' as const),
        on(left, 'left' as const),
        on(park, 'park' as const),
      ]);
      left.throwIfAborted();
      return first === 'left' ? 'stop' : first;
    } finally {
      over.abort();
    }
  }

  /** Asks the model, patiently. */
  async function think(): Promise<TurnEnd | undefined> {
    for (let attempt = 0; ; attempt += 1) {
      const signal = AbortSignal.any([session.left, session.stop, urgent.signal]);
      requests += 1;
      try {
        const answer = await askModel({
          client,
          model: state.model,
          effort: state.effort,
          system: systemOf(session, state),
          tools: offeredTools(state.mode),
          messages: await pictures.into(messages),
          part: `${name}-${messages.length}-${requests}-${Date.now().toString(36)}`,
          say: (events) => commit({}, { events }),
          signal,
        });
        await commit({ calls: {} }, { entries: [{ type: 'message', message: { role: 'assistant', content: answer.content } }] });
        return undefined;
      } catch (error) {
        session.left.throwIfAborted();
        if (session.stop.aborted) return { end: 'stopped', session: name };
        // What was said so far is dropped; the message that interrupted comes next.
        if (urgent.signal.aborted) return undefined;
        if (pictures.givenUp(error)) continue;
        const trouble = troubleOf(error, attempt);
        if (trouble.kind === 'too_long' && messages.length > 2) {
          await shorten();
        } else if (trouble.kind === 'again') {
          if (attempt === 0)
            await commit(
              {},
              { events: [{ type: 'note', level: 'warning', text: `The model server ${trouble.what}; it is asked again.` }] },
            );
          await delay(trouble.afterMs, undefined, { signal }).catch(() => session.left.throwIfAborted());
        } else {
          const failed = trouble.kind === 'final' ? { why: trouble.why, trouble: trouble.trouble } : tooLong;
          await commit({ end: { end: 'failed', ...failed } }, { inputs: [{ type: 'end' }] });
          return { end: 'failed', ...failed, session: name, resumable: true };
        }
      }
    }
  }

  /** Replaces the conversation by a summary of it, made by the model from as much as fits. */
  async function shorten(): Promise<void> {
    const summary = await summaryRequest(client, state.model, messages, AbortSignal.any([session.left, session.stop]));
    const entry: Entry = { type: 'summary', text: summary };
    await commit(
      { calls: {} },
      {
        entries: [entry],
        events: [
          { type: 'note', level: 'info', text: 'The conversation was too long for the model; it goes on from a summary.' },
        ],
      },
    );
    messages = messagesOf([entry]);
  }

  /** Brings every call of the last message to its outcome. */
  async function work(calls: readonly Anthropic.ToolUseBlockParam[]): Promise<TurnEnd | undefined> {
    const asks: Ask[] = [];
    const events: RunEventData[] = [];
    let known = state.calls;
    for (const { id, name: tool, input } of calls) {
      const is = known[id]?.is;
      if (is === 'begun') {
        const words = 'Deckhand was restarted while this ran; nobody saw its outcome. Look before you do it again.';
        known = { ...known, [id]: { is: 'over', ok: false, text: words } };
        events.push(toolEnded(id, false, words));
      }
      if (is !== undefined && !(is === 'asked' && !session.begun)) continue;
      const checked = checkCall(tool, input);
      if ('problem' in checked) {
        known = { ...known, [id]: { is: 'over', ok: false, text: checked.problem } };
      } else if (checked.tool === 'todo') {
        events.push({ type: 'checklist', items: stepsOf(checked.input) });
        known = { ...known, [id]: { is: 'over', ok: true, text: 'People see the steps.' } };
      } else {
        if (is === undefined) events.push(toolBegun(id, askedCall(checked, turn.cwd)));
        known = { ...known, [id]: { is: 'asked' } };
        asks.push(askOf(id, checked, turn.cwd));
      }
    }
    await commit({ calls: known }, { asks, events });

    for (const { id, name: tool, input } of calls) {
      const checked = checkCall(tool, input);
      if ('problem' in checked) continue;
      while (state.calls[id]?.is === 'asked') {
        if (urgent.signal.aborted) break;
        const why = await waitForMail();
        if (why === 'stop') return { end: 'stopped', session: name };
        if (why === 'park') {
          await commit({}, { inputs: [{ type: 'end' }] });
          return { end: 'parked', session: name };
        }
        await readMail();
      }
      const call = state.calls[id];
      if (call === undefined || call.is === 'over') continue;
      if (urgent.signal.aborted) {
        await settle(id, false, 'Not done: a person interrupted. Read what they say.', call.is === 'asked' ? [id] : []);
      } else if (call.is === 'decided') {
        const ended = await decided(id, checked, call);
        if (ended !== undefined) return ended;
      }
    }
    return undefined;
  }

  async function settle(id: string, ok: boolean, words: string, withdrawn: string[] = []): Promise<void> {
    await commit(
      { calls: { ...state.calls, [id]: { is: 'over', ok, text: words } } },
      { events: [toolEnded(id, ok, words)], withdrawn },
    );
  }

  async function decided(
    id: string,
    checked: CheckedCall,
    decision: Extract<ClaudeLoopState['calls'][string], { is: 'decided' }>,
  ): Promise<TurnEnd | undefined> {
    if (!decision.allowed) {
      await settle(id, false, decision.reason ?? 'Denied.');
      return undefined;
    }
    if (checked.tool === 'ask_user') {
      await settle(id, true, answersText(checked, decision.answers ?? {}));
      return undefined;
    }
    if (checked.tool === 'present_plan') {
      await settle(id, true, 'The plan is approved. Carry it out now.');
      return undefined;
    }
    if (checked.tool === 'todo') throw new Error('nobody is asked about the list of steps');
    await commit({ calls: { ...state.calls, [id]: { is: 'begun' } } });
    try {
      const outcome = await executeCall(session, checked, AbortSignal.any([session.left, session.stop, urgent.signal]));
      await settle(id, outcome.ok, outcome.text);
    } catch (error) {
      session.left.throwIfAborted();
      if (session.stop.aborted) return { end: 'stopped', session: name };
      if (!urgent.signal.aborted) throw error;
      await settle(id, false, 'Stopped in the middle: a person interrupted. Read what they say.');
    }
    return undefined;
  }

  /** What people have said, as parts of a message; read from then on. */
  function takeHeld(): { blocks: Anthropic.ContentBlockParam[]; events: RunEventData[] } {
    const blocks = state.held.flatMap(({ by, text: words, pictures: shown = [] }) => [
      ...shown.map(pictureBlock),
      text(`${by} says in the thread: ${words}`),
    ]);
    const events = state.held.map(({ message }): RunEventData => ({ type: 'message_settled', message, how: 'read' }));
    if (urgent.signal.aborted) urgent = new AbortController();
    return { blocks, events };
  }

  const stored = session.state === null ? undefined : claudeLoopStateSchema.parse(session.state);
  state = stored ?? {
    mode: turn.settings.mode,
    model: turn.settings.model ?? defaultModel,
    effort: turn.settings.effort,
    calls: {},
    held: [],
    end: null,
  };
  try {
    if (stored === undefined) {
      const first: Entry[] = turn.session === undefined ? [] : [{ type: 'continues', run: turn.session }];
      if (turn.session !== undefined) messages = await conversationOf(turn.session, (run) => session.conversation(run));
      const entries: Entry[] = [...first, { type: 'message', message: user(firstWords(turn)) }];
      await commit({}, { entries, events: [agentEvent(), { type: 'session', session: name }] });
    }
    if (state.end?.end === 'done') return { end: 'done', session: name };
    if (state.end?.end === 'failed') return { ...state.end, session: name, resumable: true };
    for (;;) {
      session.left.throwIfAborted();
      if (session.stop.aborted) return { end: 'stopped', session: name };
      await readMail();
      const last = messages.at(-1);
      if (last === undefined || last.role === 'user') {
        if (urgent.signal.aborted || (state.held.length > 0 && last !== undefined)) {
          const { blocks, events } = takeHeld();
          if (blocks.length > 0) await commit({ held: [] }, { events, entries: [{ type: 'message', message: user(blocks) }] });
        }
        const ended = await think();
        if (ended !== undefined) return ended;
        continue;
      }
      const calls = callsOf(last);
      if (calls.length > 0) {
        const ended = await work(calls);
        if (ended !== undefined) return ended;
        await readMail();
        const { blocks, events } = takeHeld();
        const results = calls.map(({ id }) => {
          const call = state.calls[id];
          return call?.is === 'over' ? result(id, call.text, !call.ok) : result(id, 'Not done.', true);
        });
        await commit({ calls: {}, held: [] }, { events, entries: [{ type: 'message', message: user([...results, ...blocks]) }] });
        continue;
      }
      if (state.held.length > 0) {
        const { blocks, events } = takeHeld();
        await commit({ held: [] }, { events, entries: [{ type: 'message', message: user(blocks) }] });
        continue;
      }
      await commit({ end: { end: 'done' } }, { inputs: [{ type: 'end' }] });
      return { end: 'done', session: name };
    }
  } finally {
    await mailbox.close();
  }
}

const tooLong = { why: 'The request is too long for the model', trouble: 'context_overflow' } as const;

function systemOf({ turn }: HarnessSession, { mode }: ClaudeLoopState): string {
  const planning =
    mode === 'plan'
      ? '\n\nYou plan only: look around, change nothing, and end by presenting your plan with `present_plan`. Carry it out once it is approved.'
      : '';
  return `You are a software engineer. You work in ${turn.cwd}, a git working copy, with the tools you are given.\n\n${instructionsOf(turn)}${planning}`;
}

function askOf(ask: string, call: CheckedCall, cwd: string): Ask {
  if (call.tool === 'ask_user') return { type: 'question', ask, questions: questionsOf(call.input) };
  if (call.tool === 'present_plan') return { type: 'plan', ask, text: call.input.plan };
  const because = reasonOf(call);
  return { type: 'tool', ask, call: askedCall(call, cwd), ...(because === undefined ? {} : { because }) };
}

function answersText({ input }: Extract<CheckedCall, { tool: 'ask_user' }>, answers: Record<string, string[]>): string {
  return questionsOf(input)
    .map(({ id, text: question }) => `${question}\nAnswer: ${(answers[id] ?? []).join(', ') || '(none)'}`)
    .join('\n\n');
}
