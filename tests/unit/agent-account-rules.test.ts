import { expect, test } from 'vitest';
import { harnesses } from '../../runner/harness/registry.ts';
import { agentKinds } from '../../src/contracts/agent.ts';
import { type AgentAccount, protocolOf } from '../../src/contracts/agent-account.ts';
import { judge, modelsAddress } from '../../src/tasks/agent-account-check.ts';
import { accountRefusal, agentsOf, credentialFor, endOfKey, isBearer, keyProblem } from '../../src/tasks/agent-account-rules.ts';

const account: AgentAccount = {
  id: 'acc_1',
  workspace: 'wsp_1',
  name: 'main',
  protocol: 'anthropic',
  baseUrl: 'https://api.anthropic.com',
  credential: 'key',
  hasKey: true,
  keyEnd: null,
  keyAt: null,
  models: null,
  offered: null,
  image: null,
  binary: null,
  project: null,
  createdAt: new Date(0),
  lastUsedAt: null,
  removed: false,
};

test('accounts know the protocol of each agent as its harness says it', () => {
  for (const agent of agentKinds) expect(harnesses[agent]?.capabilities.models).toEqual([protocolOf[agent]]);
});

test('an account is for the agents that speak its protocol', () => {
  expect(accountRefusal('claude', account)).toBeUndefined();
  expect(accountRefusal('claude-code', account)).toBeUndefined();
  expect(accountRefusal('codex', account)?.what).toContain('protocol of anthropic');
  expect(accountRefusal('codex', { ...account, protocol: 'openai' })).toBeUndefined();
  expect(agentsOf(account)).toEqual(['claude', 'claude-code']);
});

test('a login of Claude Code is for that program alone', () => {
  const login: AgentAccount = { ...account, credential: 'login' };
  expect(accountRefusal('claude-code', login)).toBeUndefined();
  expect(accountRefusal('claude', login)?.what).toContain('login of Claude Code');
  expect(agentsOf(login)).toEqual(['claude-code']);
});

test('an account that was removed or has no key is of no use', () => {
  expect(accountRefusal('claude', { ...account, removed: true })?.what).toContain('no account `main` any more');
  expect(accountRefusal('claude', { ...account, hasKey: false })?.instead).toContain('account key main');
});

test('a key tells how it is sent', () => {
  expect(credentialFor(account, 'sk-ant-oat01-abcdefgh')).toBe('login');
  expect(credentialFor({ ...account, protocol: 'openai' }, 'sk-ant-oat01-abcdefgh')).toBe('key');
  expect(credentialFor({ ...account, credential: 'bearer' }, 'sk-ant-api03-abcdefgh')).toBe('bearer');
  expect(credentialFor({ ...account, credential: 'login' }, 'sk-ant-api03-abcdefgh')).toBe('key');
  expect([isBearer('key'), isBearer('bearer'), isBearer('login')]).toEqual([false, true, true]);
});

test('only the end of a long key is shown', () => {
  expect(endOfKey('sk-ant-api03-abcdWXYZ')).toBe('WXYZ');
  expect(endOfKey('short-key')).toBeNull();
});

test('what cannot be a key is refused without repeating it', () => {
  for (const wrong of ['short', 'with a space in it', 'line\nbreak-in-it', 'ключ-ключ-ключ', 'k'.repeat(501)]) {
    expect(keyProblem(wrong)).toBeDefined();
    expect(keyProblem(wrong)).not.toContain(wrong);
  }
  expect(keyProblem('sk-ant-api03-abcdWXYZ')).toBeUndefined();
});

test('the list of models is asked for below the address, with or without v1 at its end', () => {
  const at = (baseUrl: string, protocol: 'anthropic' | 'openai') => modelsAddress({ baseUrl, protocol }).href;
  expect(at('https://api.anthropic.com', 'anthropic')).toBe('https://api.anthropic.com/v1/models?limit=1000');
  expect(at('https://api.openai.com/v1', 'openai')).toBe('https://api.openai.com/v1/models');
});

test.each([
  [200, '{"data":[{"id":"m-1"},{"id":"m-1"},{"id":"<bad>"},{"no":1}]}', 'key', { ok: true, models: ['m-1'] }],
  [200, 'no json', 'key', { ok: true, models: null }],
  [404, '', 'key', { ok: true, models: null }],
  [429, '', 'key', { ok: true, models: null }],
  [403, '', 'login', { ok: true, models: null }],
  [401, '', 'login', { ok: false }],
  [403, '', 'key', { ok: false }],
  [302, '', 'key', { ok: false }],
  [503, '', 'key', { ok: false }],
] as const)('an answer %i to the request for models is understood', (status, body, credential, meaning) => {
  expect(judge(status, body, credential)).toMatchObject(meaning);
});
