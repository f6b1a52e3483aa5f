import { describe } from 'vitest';
import { collectContract } from './sandbox-collect.ts';
import { gatewayContract } from './sandbox-gateway.ts';
import { isolationContract } from './sandbox-isolation.ts';
import { lifeContract } from './sandbox-life.ts';
import { limitsContract } from './sandbox-limits.ts';
import { outputContract } from './sandbox-output.ts';
import { reattachContract } from './sandbox-reattach.ts';
import { createBench, type SandboxSubject } from './sandbox-subject.ts';

/** What every provider of the Sandbox port keeps to. What a provider declares not to do is checked to be declared, not skipped. */
export function sandboxContract(subject: SandboxSubject): void {
  describe(`sandbox contract: ${subject.name}`, () => {
    const bench = createBench(subject);
    describe('life', () => lifeContract(bench));
    describe('output', () => outputContract(bench));
    describe('after kill -9 of the runner', () => reattachContract(bench));
    describe('limits', () => limitsContract(bench));
    describe('files and helpers', () => collectContract(bench));
    describe('gateway', () => gatewayContract(bench));
    describe('isolation', () => isolationContract(bench));
  });
}
