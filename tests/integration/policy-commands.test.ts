import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, accounts, type Desk, openDesk, press, slash, submit, tokenOf } from '../support/desk.ts';

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
    expect(added).toContain('now at version 2');
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
    expect(await text('mia', 'policy add kind=push approvers=guest')).toContain('Guests may only look');
  });

  it('is tested without anything being run: which demand decides, and who may', async () => {
    const publish = await text('ben', 'policy test npm publish --tag next');
    expect(publish).toContain('nothing was run');
    expect(publish).toMatch(/As the command of a task, and when an agent in mode auto wants to run it, it asks: /);
    expect(publish).toContain('Demand 1, everything that is approved, with the command npm publish *, is met: only Ada may');
    expect(publish).toContain('It counts as no after 30m.');
    expect(await text('ben', 'policy test ls')).toMatch(/wants to run it, it runs: it only reads\./);
    expect(await text('ben', 'policy test rm -rf /')).toMatch(/it is denied: the project's policy denies/);
    await text('mia', 'policy add kind=push risk=ci approvals=2');
    await text('mia', 'policy add kind=tool command="git push *" approvers=owner');
    const push = await text('ben', 'policy test git push');
    expect(push).toMatch(/As the command of a task it asks: [^.]*read-only commands\./);
    expect(push).toMatch(/When an agent in mode auto wants to run it, it asks: demand 3 /);
    expect(push).toContain('with the command git push *, is met: owners decide.');
    expect(await text('ben', 'policy test bash -c "$WHAT"')).toContain(
      'with the command npm publish *, may be met: only Ada may',
    );
    const change = await text('ben', 'policy test path=.github/workflows/x.yml');
    expect(change).toContain('A change of .github/workflows/x.yml that leaves always asks. Risks: ci.');
    expect(change).toContain('Demand 2, changes that leave, with the risk ci, is met: 2 people must approve.');
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

describe('the form of the policy', () => {
  const open = async (who: Account, label: string) => {
    const [shown] = await desk.act(slash(who, 'policy'));
    // Discord shows no form for a press that is not known to ask for one.
    const blocks = shown !== undefined && 'view' in shown.payload ? shown.payload.view.blocks : [];
    const buttons = blocks.flatMap((block) => (block.type === 'buttons' ? block.buttons : []));
    expect(buttons.find((one) => one.label === label)).toMatchObject({ form: true });
    const [asked] = await desk.act(press(who, tokenOf(shown, label)));
    if (asked?.payload.type !== 'form') throw new Error(`no form, but: ${asked?.text}`);
    return asked.payload.form;
  };
  const version = async () => (await desk.database.db.project.findUniqueOrThrow({ where: { id: desk.demo.id } })).policyVersion;
  const filled = { policy: ['ask'], approvers: ['maintainer'], people: [''], approvals: ['2'], expires: ['20m'] };

  beforeAll(async () => {
    await desk.database.db.project.update({ where: { id: desk.demo.id }, data: { name: 'demo' } });
  });

  it('is filled with what holds, and stores a new version with who made it', async () => {
    const before = await version();
    const form = await open('mia', 'Edit…');
    expect(form).toMatchObject({ title: 'Policy', fields: [{ id: 'policy' }, { id: 'approvers' }, {}, {}, { initial: '1h' }] });
    const [said] = await desk.act(submit('mia', form.token, filled));
    expect(said?.text).toContain(`version ${before + 1}`);
    expect(await stored()).toMatchObject({ mode: 'ask', approvers: { role: 'maintainer', count: 2 }, expiresMs: 1_200_000 });
    const history = await text('ben', 'policy history');
    expect(history).toMatch(
      new RegExp(`version ${before + 1} by Mia, .*end: it counts as no after 20m instead of it counts as no after 1h`),
    );
    expect(await text('gus', `policy show ${before + 1}`)).toContain('it counts as no after 20m');
    expect(await text('gus', `policy show ${before}`)).toContain('it counts as no after 1h');
    expect(await text('gus', 'policy show 9999')).toContain('Version 9999 of the policy of demo is not known.');
  });

  it('of somebody who was overtaken stores nothing, and gives back what was entered as a command that does the same', async () => {
    const form = await open('mia', 'Edit…');
    const another = await open('ada', 'Edit…');
    await desk.act(submit('ada', another.token, { ...filled, expires: ['40m'] }));
    const held = await version();
    const [said] = await desk.act(submit('mia', form.token, { ...filled, approvals: ['1'] }));
    expect(said).toMatchObject({ only: accounts.mia, text: expect.stringContaining(`Ada has made version ${held}`) });
    expect(await version()).toBe(held);
    const command = /settings policy=.*/.exec(said?.text ?? '')?.[0] ?? '';
    expect(await text('mia', command)).toContain(`version ${held + 1}`);
    expect(await stored()).toMatchObject({ approvers: { role: 'maintainer' }, expiresMs: 1_200_000 });
    // The same form sent once more is one that was overtaken.
    const [again] = await desk.act(submit('ada', another.token, filled));
    expect(again?.text).toContain('so yours is not stored');
  });

  it('adds a demand', async () => {
    const form = await open('mia', 'Add a demand…');
    const [said] = await desk.act(submit('mia', form.token, { kind: ['push'], path: ['db/**'], approvals: ['2'] }));
    expect(said?.text).toContain('changes that leave, of files like db/**: 2 people must approve');
    const [refused] = await desk.act(submit('mia', form.token, { kind: ['push'] }));
    expect(refused?.text).toContain('What it needs is missing');
  });

  it('is for maintainers, when it is opened and when it is sent', async () => {
    const form = await open('mia', 'Edit…');
    const before = await version();
    const [shown] = await desk.act(slash('ben', 'policy'));
    const [opened] = await desk.act(press('ben', tokenOf(shown, 'Edit…')));
    const [sent] = await desk.act(submit('ben', form.token, filled));
    for (const said of [opened, sent]) expect(said?.text).toContain('DH-202');
    expect(await version()).toBe(before);
  });
});

describe('codeowners', () => {
  it('says who a name stands for, lists it, forgets it, and writes each down', async () => {
    expect(await text('ada', 'codeowners set @Acme/Infra people=@mia')).toContain('@acme/infra is Mia');
    expect(await text('ada', 'codeowners set @acme/infra people+=@ben')).toContain('@acme/infra is Mia, Ben');
    expect(await text('gus', 'codeowners')).toContain('@acme/infra is Mia, Ben');
    expect(await text('mia', 'codeowners set @acme/infra people=@mia')).toContain('DH-202');
    expect(await text('ada', 'codeowners set @acme/x')).toContain('Who it stands for is missing');
    expect(await text('ada', 'codeowners set a/b/c people=@mia')).toContain('is no name as in CODEOWNERS');
    expect(await text('ada', 'codeowners remove @acme/infra')).toContain('stands for nobody any more');
    expect(await text('ada', 'codeowners remove @acme/infra')).toContain('Nothing was said about');
    const rows = await desk.database.db.audit.findMany({ where: { subject: '@acme/infra' }, orderBy: { id: 'asc' } });
    expect(rows.map(({ action }) => action)).toEqual(['codeowners.set', 'codeowners.set', 'codeowners.removed']);
  });
});
