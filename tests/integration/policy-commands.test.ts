import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Desk, openDesk, slash } from '../support/desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk[Symbol.asyncDispose]());

const text = async (who: Parameters<typeof slash>[0], line: string) => (await desk.act(slash(who, line)))[0]?.text ?? '';
const stored = async () => (await desk.database.db.project.findUniqueOrThrow({ where: { id: desk.demo.id } })).policy;

describe('policy', () => {
  it('takes demands, numbers them, says what they mean, and takes them out again', async () => {
    expect(await text('mia', 'policy')).toContain('Nothing more is demanded.');
    const added = await text('mia', 'policy add path=infra/** approvals=2 approvers=owner');
    expect(added).toContain('The policy is at version 2.');
    expect(added).toContain('There are not enough people who can approve');
    const shown = await text('ben', 'policy');
    expect(shown).toContain('1. everything that is approved, of files like infra/**: 2 people must approve, owners decide');
    await text('mia', 'policy add command="npm publish *" people=@ada expires=30m not-requester=on');
    expect(await text('ben', 'policy')).toContain(
      '2. everything that is approved, with the command npm publish *: only Ada may, not who asked, within 30m',
    );
    expect(await text('mia', 'policy remove 3')).toContain('There is no demand 3.');
    expect(await text('mia', 'policy remove 1')).not.toContain('infra');
    expect(await stored()).toMatchObject({ demands: [{ when: { command: 'npm publish *' } }] });
    // What settings change leaves demands as they are.
    await text('mia', 'settings deny="rm *"');
    expect(await stored()).toMatchObject({ deny: ['rm *'], demands: [{ when: { command: 'npm publish *' } }] });
    const versions = await desk.database.db.audit.count({ where: { action: 'project.policy' } });
    expect(versions).toBe(4);
  });

  it('is changed by maintainers only, and by whole demands only', async () => {
    expect(await text('ben', 'policy add kind=push approvals=2')).toContain('DH-202');
    expect(await text('ben', 'policy remove 1')).toContain('DH-202');
    expect(await text('mia', 'policy add approvals=2')).toContain('What it is about is missing');
    expect(await text('mia', 'policy add kind=push')).toContain('What it needs is missing');
    expect(await text('mia', 'policy add risk=bad approvals=2')).toContain('`bad` is none of');
    expect(await text('mia', 'policy add kind=push approvers=guest')).toContain('`guest` is none of');
  });

  it('is tested without anything being run: which demand decides, and who may', async () => {
    const publish = await text('ben', 'policy test npm publish --tag next');
    expect(publish).toContain('nothing was run');
    expect(publish).toMatch(/As the command of a task, and when an agent in mode auto wants to run it, it asks: /);
    expect(publish).toContain('Demand 1, everything that is approved, with the command npm publish *: only Ada may');
    expect(publish).toContain('It counts as no after 30m.');
    expect(await text('ben', 'policy test ls')).toMatch(/wants to run it, it runs: it only reads\./);
    expect(await text('ben', 'policy test rm -rf /')).toMatch(/it is denied: the project's policy denies/);
    await text('mia', 'policy add kind=push risk=ci approvals=2');
    await text('mia', 'policy add kind=tool command="git push *" approvers=owner');
    const push = await text('ben', 'policy test git push');
    expect(push).toMatch(/As the command of a task it asks: [^.]*read-only commands\./);
    expect(push).toMatch(/When an agent in mode auto wants to run it, it asks: demand 3 /);
    const change = await text('ben', 'policy test path=.github/workflows/x.yml');
    expect(change).toContain('A change of .github/workflows/x.yml that leaves always asks. Risks: ci.');
    expect(change).toContain('Demand 2, changes that leave, with the risk ci: 2 people must approve.');
    expect(change).toContain('Two of them must approve.');
    expect(await text('ben', 'policy test')).toContain('What is to be tested is missing.');
    expect(await desk.database.db.task.count()).toBe(0);
  });

  it('says what to type where the name of the project is too long for a button', async () => {
    const name = 'n'.repeat(70);
    await desk.database.db.project.update({ where: { id: desk.demo.id }, data: { name } });
    expect(await text('ben', 'policy')).toContain(`policy remove 1 project=${name} takes it out.`);
  });
});
