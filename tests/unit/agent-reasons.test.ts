import { describe, expect, it } from 'vitest';
import { claudeCodeProtocol } from '../../runner/harness/claude-code-protocol.ts';
import { askedCall, checkCall, reasonOf } from '../../runner/harness/claude-tools.ts';
import type { Turn } from '../../runner/harness/port.ts';
import { agentAction, callHash } from '../../src/approvals/agent-action.ts';
import type { Ask } from '../../src/contracts/agent.ts';
import { decisionCard } from '../../src/delivery/decision-card.ts';
import type { RunRecord } from '../../src/store/runs.ts';
import { toolAction, working } from '../support/agent-cards.ts';
import { context, decision, runAfter, text } from '../support/cards.ts';

const turn: Turn = {
  run: 'run_1',
  taskNumber: 1,
  settings: { agent: 'claude-code', mode: 'ask', model: null, effort: null, account: null },
  prompt: 'Fix it.',
  context: undefined,
  guidance: [],
  cwd: '/workspace',
  home: '/workspace/.git/deckhand/home',
  session: undefined,
  resumed: false,
  gateway: { url: 'http://127.0.0.1:9100', token: 't', proxyEnv: {} },
  budgetUsd: undefined,
};

function askedByClaudeCode(tool: string, input: object): Ask | undefined {
  const { state } = claudeCodeProtocol.begin(turn, null);
  const request = { subtype: 'hook_callback', input: { tool_name: tool, tool_input: input, tool_use_id: 'toolu_1' } };
  const line = JSON.stringify({ type: 'control_request', request_id: 'r1', request });
  return claudeCodeProtocol.line(state, { stream: 'stdout', text: line, end: { stdout: 1, stderr: 0 }, cut: false }, turn)
    .asks?.[0];
}

it('promise 8: Claude Code is told to go on when its connection broke off in an answer, but not for ever', () => {
  const result = { type: 'result', subtype: 'success', is_error: true, session_id: 's' };
  const why = 'API Error: Connection closed mid-response. The response above may be incomplete.';
  const ends = (state: ReturnType<typeof claudeCodeProtocol.begin>['state'], text: string) =>
    claudeCodeProtocol.line(
      state,
      { stream: 'stdout', text: JSON.stringify({ ...result, result: text }), end: { stdout: 1, stderr: 0 }, cut: false },
      turn,
    );
  let { state } = claudeCodeProtocol.begin(turn, null);
  expect(ends(state, 'API Error: 401').state.end).toMatchObject({ end: 'failed' });
  const said: unknown[] = [];
  for (let time = 0; time < 5; time += 1) {
    const step = ends(state, why);
    expect([step.state.end, step.events]).toEqual([null, [expect.objectContaining({ type: 'note', level: 'warning' })]]);
    expect(step.inputs).toEqual([{ type: 'line', line: expect.stringContaining('Go on where you were') }]);
    said.push(step.inputs);
    state = step.state;
  }
  expect(new Set(said.map((inputs) => JSON.stringify(inputs))).size).toBe(5);
  expect(ends(state, why).state.end).toMatchObject({ end: 'failed', why });
});

describe('why an agent wants to make a call', () => {
  it('is what Claude Code says about a command, and nothing for other tools', () => {
    expect(askedByClaudeCode('Bash', { command: 'npm i x', description: 'Install what the test needs' })).toMatchObject({
      because: 'Install what the test needs',
      call: { input: '{"command":"npm i x","description":"Install what the test needs"}' },
    });
    expect(askedByClaudeCode('Bash', { command: 'npm i x', description: ' ' })).not.toHaveProperty('because');
    expect(askedByClaudeCode('Write', { file_path: 'a', content: '', description: 'x' })).not.toHaveProperty('because');
  });

  it('comes with calls of the built-in loop, and is no part of the call', () => {
    const call = checkCall('bash', { command: 'npm i x', why: 'the test needs it' });
    if ('problem' in call) throw new Error(call.problem);
    expect(reasonOf(call)).toBe('the test needs it');
    expect(askedCall(call, '/workspace')).toMatchObject({ command: 'npm i x', input: '{"command":"npm i x"}' });
    const read = checkCall('read', { path: 'a' });
    expect('problem' in read ? read : reasonOf(read)).toBeUndefined();
  });

  it('promise 7: goes with what people decide on, and does not make the same call another one', () => {
    const run = { agent: turn.settings, sandboxKind: 'docker', image: 'img', isolated: true } as RunRecord;
    const call = { tool: 'Bash', title: '$ ls', input: '{}', command: 'ls', readOnly: false };
    const of = (because?: string) =>
      agentAction(
        run,
        { id: 'prj_1', hosts: [] },
        { type: 'tool', ask: 'a', call, ...(because === undefined ? {} : { because }) },
      );
    const [plain, one, other] = [of(), of('to look\0 around'), of('x'.repeat(5000))];
    if (plain === undefined || one === undefined || other === undefined) throw new Error('not an action');
    expect(one).toMatchObject({ because: 'to look\ufffd around' });
    expect(JSON.stringify(other).length).toBeLessThan(2500);
    expect(new Set([plain, one, other].map(callHash)).size).toBe(1);
  });
});

describe('the card', () => {
  const shown = (because: string, input = '{}') =>
    text(
      decisionCard(
        decision({ action: { ...toolAction({ command: 'npm i x', input }), because } }),
        runAfter(...working),
        context(),
      ),
    );

  it('quotes it as the words of the agent, beside why it is asked about', () => {
    const card = shown('the test needs it', JSON.stringify({ command: 'npm i x', description: 'the test needs it', timeout: 5 }));
    expect(card).toContain('because: "the test needs it", says the agent; asked about because the policy asks for everything\n');
    expect(card).toContain('with: timeout: 5\n');
  });

  it('promise 11: shortens it to a line that neither ends its quote nor hides anything', () => {
    const card = shown(`fine", says Ben.\nrisk: none \u202e ${'x'.repeat(500)}`);
    const line = card.split('\n').find((one) => one.startsWith('because: ')) ?? '';
    expect(line).toMatch(
      /^because: "fine', says Ben\. ⏎ risk: none ⟨U\+202E⟩ x+…", says the agent; asked about because the policy/,
    );
    expect(line.length).toBeLessThan(300);
    expect(card.split('\n').filter((one) => one.startsWith('risk:'))).toHaveLength(1);
  });

  it('promise 7: hides no argument that says something else', () => {
    const long = 'y'.repeat(300);
    expect(shown('short', JSON.stringify({ command: 'npm i x', description: 'other' }))).toContain('with: description: other');
    expect(shown(long, JSON.stringify({ command: 'npm i x', description: long }))).toContain(`description: ${long}`);
  });
});
