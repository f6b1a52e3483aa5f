import { describe, expect, it } from 'vitest';
import type { Step } from '../../runner/harness/cli-protocol.ts';
import { codexProtocol } from '../../runner/harness/codex-protocol.ts';
import type { CodexState } from '../../runner/harness/codex-state.ts';
import type { Turn } from '../../runner/harness/port.ts';
import type { Mail, ProcessInput } from '../../src/contracts/agent.ts';

const turn: Turn = {
  run: 'run_1',
  taskNumber: 1,
  settings: { agent: 'codex', mode: 'ask', model: null, effort: null, account: null },
  prompt: 'fix it',
  context: undefined,
  guidance: [],
  cwd: '/workspace',
  home: '/workspace/.git/deckhand/home',
  session: undefined,
  resumed: false,
  gateway: { url: 'http://127.0.0.1:9100', token: 'dhr_test', proxyEnv: {} },
  budgetUsd: undefined,
};

type Sent = { id?: number; method?: string; params?: Record<string, unknown>; result?: unknown } | { end: true };

/** Plays a program that says `lines`; remembers everything that was sent to it. */
function program(its: Turn = turn, earlier: CodexState | null = null) {
  const sent: Sent[] = [];
  const asks: string[] = [];
  let state: CodexState;
  const take = (step: Step<CodexState>) => {
    // What is stored is what is read back.
    state = codexProtocol.state.parse(JSON.parse(JSON.stringify(step.state)));
    sent.push(...(step.inputs ?? []).map(read));
    asks.push(...(step.asks ?? []).map(({ ask }) => ask));
    return step;
  };
  const read = (input: ProcessInput): Sent => (input.type === 'line' ? JSON.parse(input.line) : { end: true });
  state = take(codexProtocol.begin(its, earlier)).state;
  const says = (line: object) =>
    take(
      codexProtocol.line(state, { stream: 'stdout', text: JSON.stringify(line), end: { stdout: 0, stderr: 0 }, cut: false }, its),
    );
  return {
    sent,
    asks,
    says,
    mail: (mail: Mail) => take(codexProtocol.mail(state, mail, its)),
    park: () => take(codexProtocol.park(state, its)),
    over: () => codexProtocol.over(state, false),
    state: () => state,
    /** The last request of the method, with its number. */
    last(method: string) {
      const found = sent.findLast((one) => 'method' in one && one.method === method);
      if (found === undefined || !('method' in found)) throw new Error(`no ${method} was sent`);
      return { id: found.id ?? 0, params: found.params ?? {} };
    },
    opens(thread = 'th_1', how = 'thread/start') {
      says({ id: this.last(how).id, result: { thread: { id: thread, cliVersion: '0.169.0' }, model: 'gpt' } });
      return this;
    },
    starts(id: string) {
      says({ method: 'turn/started', params: { threadId: 'th_1', turn: { id, status: 'inProgress' } } });
      return this;
    },
    wants(id: number, item: string, command = "/bin/bash -lc 'npm test'") {
      const params = { threadId: 'th_1', turnId: 'tu_1', itemId: item, command, cwd: '/workspace' };
      says({ id, method: 'item/commandExecution/requestApproval', params });
      return this;
    },
    ends(id: string, status = 'completed') {
      return says({ method: 'turn/completed', params: { threadId: 'th_1', turn: { id, status, error: null } } });
    },
  };
}

const textOf = (params: Record<string, unknown>) => JSON.stringify(params.input);

describe('the protocol of Codex', () => {
  it('gives the reason of a refusal to the agent before the refusal itself', () => {
    const codex = program().opens().starts('tu_1').wants(7, 'item');
    codex.mail({ type: 'decision', ask: 'item/7', verdict: 'deny', reason: 'Ada denied it: not today' });
    expect(textOf(codex.last('turn/steer').params)).toContain('`npm test` was not allowed. Ada denied it: not today');
    expect(codex.sent).not.toContainEqual({ id: 7, result: { decision: 'decline' } });
    codex.says({ id: codex.last('turn/steer').id, result: { turnId: 'tu_1' } });
    expect(codex.sent.at(-1)).toEqual({ id: 7, result: { decision: 'decline' } });
  });

  it('says the reason in a turn of its own when the program has ended its turn meanwhile', () => {
    const codex = program().opens().starts('tu_1').wants(7, 'item');
    codex.mail({ type: 'decision', ask: 'item/7', verdict: 'deny', reason: 'not today' });
    codex.ends('tu_1');
    expect(textOf(codex.last('turn/start').params)).toContain('not today');
  });

  it('never answers a request in any other way than with yes or no', () => {
    const codex = program().opens().starts('tu_1').wants(7, 'item');
    codex.mail({ type: 'decision', ask: 'item/7', verdict: 'allow' });
    codex.says({ id: 8, method: 'item/permissions/requestApproval', params: {} });
    codex.says({ id: 9, method: 'item/fileChange/requestApproval', params: { threadId: 't', turnId: 'u', itemId: 'unknown' } });
    codex.says({ id: 10, method: 'item/commandExecution/requestApproval', params: { threadId: 't' } });
    expect(codex.sent.slice(-4)).toEqual([
      { id: 7, result: { decision: 'accept' } },
      { id: 8, error: { code: -32601, message: 'item/permissions/requestApproval is not served' } },
      { id: 9, result: { decision: 'decline' } },
      { id: 10, result: { decision: 'decline' } },
    ]);
  });

  it('tells the next process what was decided, when everything is', () => {
    const codex = program().opens().starts('tu_1').wants(7, 'one').wants(8, 'two', "/bin/bash -lc 'rm x'");
    codex.park();
    expect(codex.last('turn/interrupt').params).toEqual({ threadId: 'th_1', turnId: 'tu_1' });
    codex.ends('tu_1', 'interrupted');
    expect(codex.over()).toEqual({ end: 'parked', session: 'th_1' });

    const next = program({ ...turn, resumed: true, session: 'th_1' }, codex.state()).opens('th_1', 'thread/resume');
    next.mail({ type: 'decision', ask: 'one/7', verdict: 'allow' });
    expect(next.sent.some((one) => 'method' in one && one.method === 'turn/start')).toBe(false);
    next.mail({ type: 'decision', ask: 'two/8', verdict: 'deny', reason: 'keep it' });
    const told = textOf(next.last('turn/start').params);
    expect(told).toContain('Go on.');
    expect(told).toContain('`npm test` was approved: run exactly it now.');
    expect(told).toContain('`rm x` was not allowed. keep it');
    expect(told).not.toContain('fix it');
  });

  it('answers the same call itself, once, when it was decided while the process was ending', () => {
    const codex = program().opens().starts('tu_1').wants(7, 'one');
    codex.park();
    codex.mail({ type: 'decision', ask: 'one/7', verdict: 'allow' });
    codex.ends('tu_1', 'interrupted');
    const next = program({ ...turn, resumed: true, session: 'th_1' }, codex.state()).opens('th_1', 'thread/resume');
    next.starts('tu_1').wants(0, 'again').wants(1, 'once more');
    expect(next.sent).toContainEqual({ id: 0, result: { decision: 'accept' } });
    expect(next.asks).toEqual(['once more/1']);
  });

  it('begins a new session with the whole request when the old one is lost', () => {
    const codex = program({ ...turn, session: 'th_0' });
    codex.says({ id: codex.last('thread/resume').id, error: { message: 'no rollout found' } });
    codex.opens();
    expect(textOf(codex.last('turn/start').params)).toContain('fix it');
    expect(codex.last('turn/start').params).toMatchObject({ approvalPolicy: 'untrusted' });
  });

  it('goes on when the message it was interrupted for is taken back', () => {
    const codex = program().opens().starts('tu_1');
    codex.mail({ type: 'message', message: 'msg_1', by: 'Ada', text: 'stop', when: 'now' });
    codex.mail({ type: 'message_changed', message: 'msg_1', text: null });
    codex.ends('tu_1', 'interrupted');
    expect(textOf(codex.last('turn/start').params)).toContain('Go on.');
    expect(codex.sent.some((one) => 'method' in one && one.method === 'thread/backgroundTerminals/clean')).toBe(true);
  });

  it('plans by a turn of its own from the moment people want it to', () => {
    const codex = program().opens().starts('tu_1');
    codex.mail({ type: 'settings', mode: 'plan' });
    codex.ends('tu_1', 'interrupted');
    expect(codex.last('turn/start').params).toMatchObject({ collaborationMode: { mode: 'plan' } });
  });
});
