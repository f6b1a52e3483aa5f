import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { askedBy, type demandedBy, demandedByChange, demandedByLine, demandsOn, termsOf } from '../../src/approvals/demands.ts';
import { judgeCommand } from '../../src/approvals/judge.ts';
import { judgeTool, noRules } from '../../src/approvals/judge-tool.ts';
import { matchesPath } from '../../src/approvals/path-patterns.ts';
import { type Demand, demandKinds, demandRisks } from '../../src/contracts/demands.ts';
import { approvalsNeeded, defaultPolicy, type Policy, type ToolAction } from '../../src/contracts/policy.ts';
import { roleAtLeast, roleSchema } from '../../src/contracts/roles.ts';

const open: Policy = { ...defaultPolicy, mode: 'yolo', approvers: { role: 'developer', people: [], notRequester: false } };
const withDemands = (...demands: Demand[]): Policy => ({ ...open, demands });
const numbers = (policy: Policy, what: ReturnType<typeof demandedBy>) => demandsOn(policy, what).map(({ number }) => number);

const demandArbitrary: fc.Arbitrary<Demand> = fc.record({
  when: fc.record(
    { kind: fc.constantFrom(...demandKinds), command: fc.constant('npm *'), risk: fc.constantFrom(...demandRisks) },
    { requiredKeys: [] },
  ),
  needs: fc.record(
    {
      role: fc.constantFrom(...roleSchema.options),
      people: fc.subarray(['usr_a', 'usr_b', 'usr_c'], { minLength: 1 }),
      notRequester: fc.boolean(),
      count: fc.integer({ min: 1, max: 5 }),
      expiresMs: fc.integer({ min: 1000, max: 10_000_000 }),
    },
    { requiredKeys: [] },
  ),
});

describe('promise 7: demands only add', () => {
  it('whatever they are and in whichever order, nothing is easier with one more of them', () => {
    fc.assert(
      fc.property(fc.array(demandArbitrary, { maxLength: 6 }), demandArbitrary, (demands, more) => {
        const numbered = (list: Demand[]) => list.map((demand, at) => ({ number: at + 1, demand }));
        const before = termsOf(open, numbered(demands));
        const after = termsOf(open, numbered([...demands, more]));
        expect(roleAtLeast(after.approvers.role, before.approvers.role)).toBe(true);
        expect(approvalsNeeded(after.approvers)).toBeGreaterThanOrEqual(approvalsNeeded(before.approvers));
        expect(after.approvers.notRequester || !before.approvers.notRequester).toBe(true);
        expect(after.expiresMs).toBeLessThanOrEqual(before.expiresMs);
        for (const user of ['usr_a', 'usr_b', 'usr_c']) {
          const may = ({ people }: { people: string[] }) => people.length === 0 || people.includes(user);
          expect(may(before.approvers) || !may(after.approvers)).toBe(true);
        }
        const { people, ...rest } = termsOf(open, numbered([...demands, more].toReversed())).approvers;
        expect({ ...rest, people: people.toSorted() }).toEqual({
          ...after.approvers,
          people: after.approvers.people.toSorted(),
        });
      }),
    );
  });

  it('a line is never judged more freely with a demand than without', () => {
    const lines = fc.constantFrom(
      'npm test',
      'curl x | sh',
      'ls',
      'rm -rf /',
      'X=1 npm publish',
      '$(echo npm) publish',
      'a &',
      '',
    );
    fc.assert(
      fc.property(lines, demandArbitrary, fc.constantFrom('safe', 'ask', 'custom', 'yolo'), (line, demand, mode) => {
        const rank = { run: 0, ask: 1, deny: 2 };
        const without = judgeCommand({ ...open, mode, allow: ['npm *'] }, line, []);
        const given = judgeCommand({ ...withDemands(demand), mode, allow: ['npm *'] }, line, []);
        expect(rank[given.verdict]).toBeGreaterThanOrEqual(rank[without.verdict]);
      }),
    );
  });
});

describe('what a demand is about', () => {
  const publish: Demand = { when: { command: 'npm publish *' }, needs: { count: 2 } };

  it.each([
    ['npm publish', true],
    ['npm test && npm publish --tag next', true],
    ['/usr/bin/npm publish', true],
    ['bash -c "npm publish"', true],
    ['P=publish; npm $P', true],
    ['npm test', false],
    ['npm run publisher', false],
  ])('%s', (line, met) => {
    expect(numbers(withDemands(publish), demandedByLine('command', line, []))).toEqual(met ? [1] : []);
    expect(judgeCommand(withDemands(publish), line, []).verdict).toBe(met ? 'ask' : 'run');
  });

  it.each([
    ['npm publish --tag next', 'is met'],
    ['cd a && npm publish', 'is met'],
    ['echo "npm publish"', 'may be met'],
    ['bash -c "$WHAT"', 'may be met'],
  ])('%s is asked about because the demand %s', (line, how) => {
    expect(judgeCommand(withDemands(publish), line, []).because).toBe(
      `demand 1 of the project's policy, of the command \`npm publish *\`, ${how}`,
    );
  });

  it.each([
    [
      'what it has',
      { files: [{ path: 'infra/a.tf', added: 1, removed: 0 }], risks: [{ kind: 'ci' as const, paths: [], files: 1 }] },
      true,
    ],
    [
      'files that are not all listed',
      { files: [], totals: { files: 1, added: 1, removed: 0 }, risks: [{ kind: 'ci' as const, paths: [], files: 1 }] },
      false,
    ],
    ['nothing that is known', undefined, false],
  ])('a change with %s is sure as far as that goes', (_, change, sure) => {
    const policy = withDemands({ when: { path: 'infra/**', risk: 'ci' }, needs: { count: 2 } });
    expect(demandsOn(policy, demandedByChange(change))).toMatchObject([{ number: 1, sure }]);
  });

  it('a rule for exactly this line was approved on these terms, so it runs; a deny pattern denies all the same', () => {
    expect(judgeCommand(withDemands(publish), 'npm publish', ['npm publish']).verdict).toBe('run');
    expect(judgeCommand({ ...withDemands(publish), deny: ['npm publish *'] }, 'npm publish', []).verdict).toBe('deny');
  });

  it('a kind alone asks for nothing that was not asked for; it says who decides', () => {
    const plans = withDemands({ when: { kind: 'command' }, needs: { role: 'owner' } });
    expect(judgeCommand(plans, 'npm test', []).verdict).toBe('run');
    expect(askedBy(demandsOn(plans, demandedByLine('command', 'npm test', [])))).toBeUndefined();
    expect(numbers(plans, demandedByLine('tool', 'npm test', []))).toEqual([]);
  });

  it('files that an agent changes ask in every mode, and risks of their names too', () => {
    const call = (path: string): ToolAction => ({
      type: 'tool',
      ask: 'a',
      agent: 'claude',
      project: 'prj',
      cwd: '/workspace',
      sandbox: 'docker',
      image: null,
      network: 'none',
      call: { tool: 'edit', title: 'edit', input: '{}', readOnly: false, files: [{ path, change: 'edit' }] },
    });
    const policy = withDemands(
      { when: { path: 'infra/**' }, needs: { count: 2 } },
      { when: { risk: 'ci' }, needs: { role: 'owner' } },
    );
    for (const mode of ['auto', 'ask', 'acceptEdits', 'bypass'] as const) {
      expect(judgeTool(policy, mode, call('infra/.env'), noRules).verdict).toBe('ask');
      expect(judgeTool(policy, mode, call('.github/workflows/ci.yml'), noRules).verdict).toBe('ask');
    }
    expect(judgeTool(policy, 'auto', call('src/a.ts'), noRules).verdict).toBe('run');
    expect(judgeTool(policy, 'auto', call('infra/a'), { ...noRules, paths: ['infra/a'] }).verdict).toBe('run');
  });

  it('of a change, the names before and after, and all that is not listed', () => {
    const infra = withDemands({ when: { path: 'infra/**' }, needs: { count: 2 } });
    const file = { path: 'src/a.ts', added: 1, removed: 1 };
    const totals = { added: 1, removed: 1 };
    expect(numbers(infra, demandedByChange({ files: [file] }))).toEqual([]);
    expect(numbers(infra, demandedByChange({ files: [{ ...file, from: 'infra/a.ts' }] }))).toEqual([1]);
    expect(numbers(infra, demandedByChange({ files: [file], totals: { ...totals, files: 900 } }))).toEqual([1]);
    expect(numbers(infra, demandedByChange(undefined))).toEqual([1]);
    const ci = withDemands({ when: { kind: 'push', risk: 'ci' }, needs: { role: 'owner' } });
    const risks = [{ kind: 'ci' as const, paths: ['x'], files: 1 }];
    expect(numbers(ci, demandedByChange({ files: [file], risks }))).toEqual([1]);
    expect(numbers(ci, demandedByChange({ files: [file] }))).toEqual([]);
  });
});

describe('patterns of paths', () => {
  it.each([
    ['infra/**', 'infra/a/b.tf', true],
    ['infra/**', 'Infra/.env', true],
    ['infra/**', 'src/infra/a', false],
    ['infra', 'infra/a/b', true],
    ['infra/', 'src/infra/a', true],
    ['*.tf', 'deep/down/main.tf', true],
    ['*.tf', 'main.tfvars', false],
    ['src/**/secret/*.ts', 'src/secret/a.ts', true],
    ['src/**/secret/*.ts', 'src/x/y/secret/a.ts', true],
    ['src/**/secret/*.ts', 'src/x/secret/y/a.js', false],
    ['/infra/*', './infra//a', true],
    ['**', 'anything', true],
    ['', 'anything', false],
  ])('%s and %s', (pattern, path, met) => {
    expect(matchesPath(pattern, path)).toBe(met);
  });

  it('no path takes long, however it is made', () => {
    const pattern = `${'**/a*a*a*/'.repeat(20)}b`;
    const path = `${'aaaaaaaaaaaaaaaaaaaa/'.repeat(400)}c`;
    expect(matchesPath(pattern, path)).toBe(false);
  });
});
