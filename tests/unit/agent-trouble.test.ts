import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { failureOf as claudeCode } from '../../runner/harness/claude-code-errors.ts';
import { troubleOf } from '../../runner/harness/claude-model.ts';
import { failureOf as codex } from '../../runner/harness/codex-errors.ts';
import { turnParams } from '../../runner/harness/codex-lines.ts';
import { agentTroubleSchema, troubleCodes } from '../../src/contracts/agent-trouble.ts';
import { errorCatalogue } from '../../src/contracts/errors.ts';

const refusal = 'The budget of the task is used up ($5.02 of $5.00), and it was not raised. DH-312';
const withoutCode = refusal.replace(' DH-312', '');

describe('the kind of trouble that ends a turn', () => {
  it('has a code that people can look up, each', () => {
    for (const trouble of agentTroubleSchema.options) expect(errorCatalogue).toHaveProperty(troubleCodes[trouble]);
  });

  it.each([
    [401, 'key_refused'],
    [403, 'key_refused'],
    [404, 'no_model'],
    [413, 'context_overflow'],
    [429, 'rate_limited'],
    [503, 'overloaded'],
    [529, 'overloaded'],
    [422, 'malformed'],
  ])('is told by the status %i, whatever the words are', (status, trouble) => {
    const words = 'The budget of your api key is overloaded.';
    const error = Anthropic.APIError.generate(
      status,
      { type: 'error', error: { type: 'x', message: words } },
      undefined,
      new Headers(),
    );
    expect(troubleOf(error, 99)).toEqual({ kind: 'final', trouble, why: `The model server refused: ${words}` });
    const result = { type: 'result', subtype: 'success', is_error: true, result: words, api_error_status: status } as const;
    expect(claudeCode(result)).toEqual({ why: words, trouble });
    const info = { responseTooManyFailedAttempts: { httpStatusCode: status } };
    expect(codex({ message: words, codexErrorInfo: info })).toEqual({ why: words, trouble });
  });

  it('is told by the gateway at the end of its words, which people are not shown', () => {
    const body = { type: 'error', error: { type: 'rate_limit_error', message: refusal } };
    expect(troubleOf(Anthropic.APIError.generate(429, body, undefined, new Headers()), 99)).toEqual({
      kind: 'final',
      trouble: 'budget',
      why: `The model server refused: ${withoutCode}`,
    });
    const result = { type: 'result', subtype: 'success', is_error: true, api_error_status: 429 } as const;
    expect(claudeCode({ ...result, result: `API Error: 429 ${refusal}` })).toEqual({
      why: `API Error: 429 ${withoutCode}`,
      trouble: 'budget',
    });
    const unexpected = `unexpected status 400 Bad Request: ${JSON.stringify({ error: { message: refusal } })}, url: http://x/y`;
    expect(codex({ message: unexpected, codexErrorInfo: 'badRequest' })).toEqual({ why: withoutCode, trouble: 'budget' });
    // Codes that the gateway does not say are words.
    expect(claudeCode({ ...result, result: 'Look at DH-311.' })).toEqual({ why: 'Look at DH-311.', trouble: 'rate_limited' });
  });

  it('is told by what programs and streams say of themselves', () => {
    const result = { type: 'result', subtype: 'success', is_error: true } as const;
    expect(claudeCode({ ...result, result: 'Prompt is too long', api_error_status: 400 }).trouble).toBe('context_overflow');
    expect(claudeCode({ ...result, subtype: 'error_max_budget_usd' })).toEqual({
      why: 'The budget of the task is used up.',
      trouble: 'budget',
    });
    expect(claudeCode({ ...result, subtype: 'error_during_execution', terminal_reason: 'hook_stopped' })).toEqual({
      why: 'Claude Code gave up (hook_stopped).',
      trouble: undefined,
    });
    const overloaded = Anthropic.APIError.generate(undefined, {}, 'Overloaded', new Headers());
    expect(troubleOf(overloaded, 99)).toMatchObject({ kind: 'final', trouble: 'unreachable' });
    const inStream = new Anthropic.APIError(undefined, {}, 'Overloaded', undefined, 'overloaded_error');
    expect(troubleOf(inStream, 99)).toMatchObject({ kind: 'final', trouble: 'overloaded' });
    expect(troubleOf(new TypeError('x is not a function'), 99)).toMatchObject({ kind: 'final', trouble: undefined });
    expect(codex({ message: 'x', codexErrorInfo: 'contextWindowExceeded' }).trouble).toBe('context_overflow');
    expect(codex({ message: 'x', codexErrorInfo: { responseStreamDisconnected: { httpStatusCode: null } } }).trouble).toBe(
      'unreachable',
    );
    for (const info of ['other', 'toString', null, undefined])
      expect(codex({ message: 'x', codexErrorInfo: info }).trouble).toBeUndefined();
  });

  it('is read from what Codex writes, also in forms that are to come', () => {
    const read = (codexErrorInfo: unknown) =>
      turnParams.parse({ threadId: 't', turn: { id: '1', status: 'failed', error: { message: 'x', codexErrorInfo } } }).turn
        .error;
    expect(read('serverOverloaded')?.codexErrorInfo).toBe('serverOverloaded');
    expect(read({ activeTurnNotSteerable: { turnKind: 'x' } })?.codexErrorInfo).toBeDefined();
    for (const odd of [7, { a: 'b' }, ['x']]) expect(read(odd)?.message).toBe('x');
  });
});
