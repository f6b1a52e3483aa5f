import { it } from 'vitest';
import type { ModelFault } from '../../lab/model/faults.ts';
import type { HarnessCapabilities, HarnessKind } from '../../runner/harness/port.ts';
import type { AgentMode } from '../../src/contracts/agent.ts';
import { ofType } from '../support/runner-world.ts';
import type { BegunTurn, HarnessSubject } from './harness-contract.ts';

const limit = { timeout: 180_000 };

/** Faults of model servers end in recovery or in one clear failure. */
export function harnessFaults(
  agent: HarnessKind,
  { models }: HarnessCapabilities,
  subject: () => HarnessSubject,
  begin: (mode: AgentMode, prompt: string) => Promise<BegunTurn>,
): void {
  const openai = models.includes('openai');
  const method = openai ? 'responses' : 'messages';
  const overloaded = openai ? 503 : 529;

  function fail(marker: string, ...faults: ModelFault[]): void {
    for (const fault of faults) {
      subject().world.model.faults.failNext(method, { ...fault, when: ({ body }) => JSON.stringify(body).includes(marker) });
    }
  }

  it('gets over a limit, an overload, a stream that breaks off and a call that is cut', limit, async ({ expect }) => {
    const marker = `${agent}, disturbed`;
    fail(marker, { status: 429, retryAfter: 1 }, { status: overloaded }, { midStream: 'drop' }, { badInput: true });
    const turn = await begin('bypass', `fix the failing test (${marker})`);
    const { world } = subject();
    // Where nothing is isolated, everything but reading asks: for the test, the change and the test again, whatever is tried anew.
    const asks = world.sandbox.capabilities.isolated ? 0 : 3;
    for (let ask = 0; ask < asks; ask += 1) await world.decide((await turn.pending()).secret, { decision: 'approve' });
    expect(await turn.result()).toMatchObject({ outcome: 'succeeded', files: [{ path: 'src/basket.js' }] });
    expect(ofType(await turn.events(), 'terminal')).toHaveLength(1);
  });

  it('says that its key is refused', limit, async ({ expect }) => {
    const marker = `${agent}, without a key`;
    fail(marker, { status: 401, times: 50 });
    const turn = await begin('bypass', `fix the failing test (${marker})`);
    const result = await turn.result();
    expect(result).toMatchObject({ outcome: 'failed', cause: 'agent', trouble: 'key_refused', files: [] });
    expect(result.message).toMatch(/key|auth/i);
    expect(result.message).toMatch(/^[A-Z][^{}]*[.)\d]$/);
  });

  it('gets over a conversation that became too long, or says that it is', limit, async ({ expect }) => {
    const marker = `${agent}, too long`;
    fail(marker, { overflow: true });
    const turn = await begin('bypass', `fix the failing test (${marker})`);
    const result = await turn.result();
    if (result.outcome === 'succeeded') expect(result.files).toMatchObject([{ path: 'src/basket.js' }]);
    else expect(result.trouble).toBe('context_overflow');
    expect(ofType(await turn.events(), 'terminal')).toHaveLength(1);
  });
}
