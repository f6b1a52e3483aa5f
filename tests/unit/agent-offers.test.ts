import { describe, expect, it } from 'vitest';
import { agentOffers, type OfferParts } from '../../runner/agent-offers.ts';
import { harnesses } from '../../runner/harness/registry.ts';
import { ImageMissing, SandboxUnreachable } from '../../runner/sandbox/port.ts';

const anthropic = { baseUrl: 'https://models.example', key: 'sk-secret' };
const parts = (change: Partial<OfferParts> = {}): OfferParts => ({
  models: { anthropic },
  accounts: { anthropic: 'ANTHROPIC_API_KEY at models.example' },
  sandbox: { kind: 'docker', agents: async () => ({ claude: '2.1.197' }) },
  ...change,
});
const found = async (change: Partial<OfferParts> = {}) =>
  Object.fromEntries((await agentOffers(parts(change))).map((offer) => [offer.agent, offer]));

describe('what a runner says about agents', () => {
  it('offers those with a program and a model server, and what they can do, without a key', async () => {
    const { claude, 'claude-code': claudeCode } = await found();
    expect(claude).toMatchObject({ available: true, version: null, account: 'ANTHROPIC_API_KEY at models.example' });
    expect(claudeCode).toMatchObject({ available: true, version: '2.1.197', why: null, remedy: null });
    expect(claudeCode?.modes).toEqual(harnesses['claude-code'].capabilities.modes);
    expect(JSON.stringify([claude, claudeCode])).not.toContain('sk-secret');
  });

  it('names the variable where there is no model server', async () => {
    const { claude } = await found({ models: {} });
    expect(claude).toMatchObject({ available: false, account: null, why: 'no model server is configured for it.' });
    expect(claude?.remedy).toContain('`ANTHROPIC_API_KEY`');
  });

  it('says what is to be built or started where programs are missing', async () => {
    const failing = (error: Error) => ({ sandbox: { kind: 'docker' as const, agents: () => Promise.reject(error) } });
    expect((await found({ sandbox: { kind: 'docker', agents: async () => ({}) } }))['claude-code']).toMatchObject({
      available: false,
      why: 'Claude Code is not installed where agents run.',
    });
    expect((await found(failing(new ImageMissing('deckhand-agents:1')))).claude).toMatchObject({
      available: false,
      why: 'the image that agents run in is not there.',
    });
    expect((await found(failing(new SandboxUnreachable('gone')))).claude?.why).toContain('does not answer');
  });
});
