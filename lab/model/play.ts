import type { Action, Outcome, Scenario, Scene, Script, Seen, Turn } from './action.ts';
import type { Call, Conversation, Entry, Reply } from './conversation.ts';
import { stableId } from './hash.ts';
import { label } from './label.ts';
import { outcomeOf } from './outcome.ts';
import { otherwise, perform } from './perform.ts';
import { asksForSummary } from './said-text.ts';
import { callsFor, isTodoTool, names, toolFor } from './vocabulary.ts';

/**
 * The next answer of the model. The scripts are played again from the beginning of the conversation, and what happened in it is given to
 * them; the first answer that the conversation does not hold yet is the one that is due. So nothing is remembered between requests.
 */
export function nextReply(conversation: Conversation, scenarios: readonly Scenario[]): Reply {
  const player = createPlayer(conversation, scenarios);
  for (const entry of conversation.entries) player.read(entry);
  const turn = player.due();
  const answers = conversation.entries.filter(({ type }) => type === 'answer').length;
  const calls = (turn.actions ?? [])
    .flatMap((action) => callsFor(action, conversation))
    .map(({ tool, input }, at) => ({
      id: stableId(24, conversation.salt, answers, at),
      tool,
      input: typeof input === 'string' ? input : JSON.stringify(input),
    }));
  const text = turn.say === '' && calls.length > 0 ? '' : label(turn.say);
  return { thinking: conversation.thinks ? turn.think : undefined, text, calls };
}

function createPlayer(conversation: Conversation, scenarios: readonly Scenario[]) {
  let plan = false;
  let prompt = '';
  let script: Script | undefined;
  let turn: Turn = { say: otherwise(scenarios, '') };
  /** The answer that was given for `turn`, while it is not known yet what comes after it. */
  let answered: { calls: readonly Call[]; outcomes: Map<string, Outcome> } | undefined;
  let said: string[] = [];
  let ended = true;
  /** The script has not said anything yet. */
  let isFresh = false;
  /** The last answer has only the words of `turn`: the connection broke before its calls, and the agent asks for the rest. */
  let isCutOff = false;

  function scene(): Scene {
    const used = (kind: keyof typeof names) =>
      conversation.entries.some(
        (entry) => entry.type === 'answer' && entry.calls.some((call) => names[kind].includes(call.tool)),
      );
    return {
      prompt,
      agent: conversation.agent,
      planning: () => plan,
      can: (kind) => {
        const tool = toolFor(kind, conversation);
        return tool?.planOnly === true ? plan : tool !== undefined || used(kind);
      },
      heard: [],
      news: [],
      later: [],
      halted: false,
    };
  }

  function begin(text: string): void {
    prompt = prompt !== '' && GO_ON.test(text) ? prompt : text;
    script = perform(scene(), scenarios);
    said = [];
    ended = false;
    answered = undefined;
    isFresh = true;
  }

  /** The scripts begin again with what was asked for: whatever is done already they find done. */
  function summarise(text: string): void {
    const request = conversation.quoted ?? (prompt === '' ? text.slice(0, 200) : prompt);
    script = undefined;
    turn = { say: `Summary of the conversation. This was asked for, and may be done in part:\n\n${request}` };
    ended = false;
    answered = undefined;
    isFresh = false;
  }

  /** Not before everything is known that was there when the model was asked: agents tell their mode behind the prompt. */
  function open(): void {
    if (!isFresh || script === undefined) return;
    isFresh = false;
    take(script.next({ outcomes: [], said: [] }));
  }

  function take(next: IteratorResult<Turn, string>): void {
    turn = next.done ? { say: next.value } : next.value;
    if (next.done) script = undefined;
  }

  function goOn(outcomes: readonly Outcome[]): void {
    const seen: Seen = { outcomes, said };
    said = [];
    answered = undefined;
    if (script === undefined) turn = { say: 'Nothing is left to do.' };
    else take(script.next(seen));
  }

  function settle(): void {
    if (answered === undefined || ended) return;
    const { calls, outcomes } = answered;
    goOn(calls.flatMap(({ id, tool }) => (isTodoTool(tool) ? [] : (outcomes.get(id) ?? missing))));
  }

  /** A turn with nothing but a checklist is left out where there is no tool for one. */
  function skipWhile(isSkipped: (turn: Turn) => boolean): void {
    while (!ended && onlyTodo(turn) && isSkipped(turn)) goOn([]);
  }

  const isPossible = ({ actions = [] }: Turn) => actions.some((action) => callsFor(action, conversation).length > 0);

  return {
    read(entry: Entry): void {
      isCutOff = false;
      if (entry.type === 'mode') plan = entry.plan;
      else if (entry.type === 'interrupted') ended = true;
      else if (entry.type === 'result') answered?.outcomes.set(entry.call, outcomeOf(entry, conversation.agent));
      else if (entry.type === 'said') {
        if (asksForSummary(entry.text)) summarise(entry.text);
        else if (ended) begin(entry.text);
        else if (answered === undefined) begin(`${prompt}\n${entry.text}`);
        else said.push(entry.text);
      } else {
        open();
        settle();
        skipWhile(() => !entry.calls.some(({ tool }) => isTodoTool(tool)));
        answered = { calls: entry.calls, outcomes: new Map() };
        isCutOff = !ended && entry.calls.length === 0 && isPossible(turn);
        ended ||= entry.calls.length === 0 && turn.waits !== true;
      }
    },
    due(): Turn {
      if (isCutOff) return { ...turn, think: undefined, say: '' };
      if (ended && answered !== undefined) return { say: 'Nothing is left to do.' };
      open();
      settle();
      skipWhile((next) => !isPossible(next));
      return turn;
    },
  };
}

/** The last prompt once more: what is done already the scripts find done. */
const GO_ON = /^\W*(please )?(continue|go on|carry on|resume|try again|retry)\b/i;

const missing: Outcome = { text: '', failed: true, denied: false, reason: '' };

const onlyTodo = ({ actions = [] }: Turn) => actions.length > 0 && actions.every((action: Action) => action.do === 'todo');
