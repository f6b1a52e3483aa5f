import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type OutboxPayload, priorities } from '../../src/contracts/outbox.ts';
import { type Block, bold, code, plain, type View } from '../../src/contracts/view.ts';
import { newId } from '../../src/runtime/ids.ts';
import { putOutbox } from '../../src/store/outbox.ts';
import { type Conformance, type OnPlatform, openConformance, platforms } from '../support/conformance.ts';
import type { Place } from '../support/conformance-driver.ts';
import { waitFor } from '../support/wait-for.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let world: Conformance;
beforeAll(async () => {
  world = await openConformance();
});
afterAll(() => world.close());

/** Hands something to the program's outbox, as any part of it would; under the same key, a newer version of it. */
async function show(at: OnPlatform, place: Place, payload: OutboxPayload, key = newId('out')): Promise<void> {
  const target = { type: 'conversation', conversation: at.conversation(place) } as const;
  await at.database.transaction((tx) =>
    putOutbox(tx, { workspace: at.projects.workspace, key, target, payload, priority: priorities.reply }),
  );
}

const ofBot = (at: OnPlatform, place: Place) => at.driver.messages(place).filter(({ own }) => own);
const coded = (text: string): View => ({ fallback: 'coded', blocks: [{ type: 'code', text }] });
const numbered = (count: number, words: string) => Array.from({ length: count }, (_, n) => `line ${n} ${words}`);

/** Every kind of block and span. Each says its own name. */
const everything: Block[] = [
  { type: 'title', spans: [plain('the title')], state: { text: 'the state', tone: 'good' } },
  {
    type: 'text',
    spans: [
      plain('the text, '),
      bold('the bold'),
      plain(', '),
      { type: 'text', text: 'the italic', style: ['italic'] },
      plain(', '),
      { type: 'text', text: 'the strike', style: ['strike'] },
      plain(', '),
      code('the code'),
      plain(', '),
      { type: 'link', url: 'https://docs.example/page', text: 'the link' },
      plain(', '),
      { type: 'person', name: 'the person', notify: false },
      plain(', '),
      { type: 'time', at: '2026-01-01T10:00:00.000Z', text: 'the time' },
    ],
  },
  { type: 'context', spans: [plain('the context')] },
  { type: 'code', text: 'the first line\n  the second line', language: 'sh' },
  {
    type: 'steps',
    items: (['done', 'active', 'open', 'failed', 'skipped'] as const).map((state) => ({ state, text: `the ${state} step` })),
  },
  { type: 'fields', items: [{ label: 'the label', spans: [plain('the field')] }] },
  {
    type: 'table',
    columns: [
      { header: 'the column', align: 'left' },
      { header: 'the number', align: 'right' },
    ],
    rows: [['the cell', '42']],
  },
  { type: 'divider' },
  {
    type: 'buttons',
    buttons: [
      { token: 'c:about', label: 'The button', style: 'primary' },
      {
        token: 'c:help roles',
        label: 'The danger',
        style: 'danger',
        confirm: { title: 'Really', text: 'Is it meant', ok: 'Yes' },
      },
    ],
  },
  {
    type: 'select',
    token: 'c:help',
    placeholder: 'The select',
    options: Array.from({ length: 60 }, (_, at) => ({ value: at === 55 ? 'answers' : `no-${at}`, label: `Option ${at}` })),
  },
];

describe.concurrent.each(platforms)('on %s', (name) => {
  it('every element of a view is there to be read, pressed and chosen, a long select whole', async () => {
    const at = world.on(name);
    const place = await at.place('elements');
    await show(at, place, { type: 'message', view: { fallback: 'the fallback', blocks: everything } });
    const chosen = await at.sees(place, /Option 59/);
    await at.settled(place);
    const shown = ofBot(at, place);
    const text = shown.map((one) => one.text).join('\n');
    const words = everything.flatMap((block) =>
      [...JSON.stringify(block).matchAll(/"(the [a-z ,]+)"/g)].map(([, one]) => one ?? ''),
    );
    expect(words.length).toBeGreaterThan(20);
    // Shown in the reader's own time where the platform can.
    for (const word of words.filter((one) => one !== 'the time')) expect(text).toContain(word.trim());
    expect(text).toMatch(/the time|2026/);
    expect(text).toMatch(/the first line\n {2}the second line/);
    for (let option = 0; option < 60; option += 1) expect(text).toContain(`Option ${option}`);
    const withButtons = await at.sees(place, /./, { button: 'The button' });
    await at.driver.press('ada', withButtons, 'The button');
    await at.isTold('ada', /Deckhand [\d.]+/);
    await at.driver.press('ada', withButtons, 'The danger');
    await at.isTold('ada', /Who may do what/);
    await at.driver.choose('ada', chosen, 'The select', 'Option 55');
    await at.isTold('ada', /Where answers go/);
  });

  it('promise 11: what looks like a mention, a link or markup is shown as it is written', async () => {
    const at = world.on(name);
    const place = await at.place('markup');
    const text = '@everyone <!channel> <@U1> *a* _b_ ~c~ `d` **e** [f](https://evil.example) <b>g</b> &lt;h&gt; ||i||';
    const view: View = {
      fallback: 'markup',
      blocks: [
        { type: 'text', spans: [plain(`said: ${text}`)] },
        { type: 'code', text: `coded: ${text}` },
      ],
    };
    await show(at, place, { type: 'message', view });
    const { text: seen } = await at.sees(place, /coded:/);
    expect(seen).toContain(`said: ${text}`);
    expect(seen).toContain(`coded: ${text}`);
  });

  it('promise 5: a text that is longer than a message arrives whole', async () => {
    const at = world.on(name);
    const place = await at.place('long-text');
    const lines = numbered(200, 'of *many* with <markup> & more');
    await show(at, place, { type: 'message', view: coded(lines.join('\n')) });
    await at.sees(place, /line 199 of/);
    await at.settled(place);
    const shown = ofBot(at, place);
    const files = shown.flatMap((one) => one.files.map((file) => at.driver.contentOf(one, file).toString('utf8')));
    const readable = [...shown.map((one) => one.text), ...files].join('\n');
    for (const line of lines) expect(readable).toContain(line);
  });

  it('promise 5: a text that is far too long becomes a file, with its start and end shown', async () => {
    const at = world.on(name);
    const place = await at.place('longer-text');
    const text = numbered(3000, 'of many').join('\n');
    await show(at, place, { type: 'message', view: coded(text) });
    const first = await at.sees(place, /line 0 of many[\s\S]*line 2999 of many/);
    expect(first.text).toMatch(/lines of .* not shown here; the whole text is in the attached output\.txt/);
    const file = await waitFor('the file', () => at.driver.messages(place).find(({ files }) => files.includes('output.txt')), {
      timeoutMs: 60_000,
    });
    expect(at.driver.contentOf(file, 'output.txt').toString('utf8')).toBe(text);
  });

  it('promise 5: a message changes in place; when it grows beyond one it goes on in more, and nothing old stays when it shrinks', async () => {
    const at = world.on(name);
    const place = await at.place('in-place');
    const key = newId('out');
    await show(at, place, { type: 'message', view: coded('short at first') }, key);
    const { id } = await at.sees(place, /short at first/);
    const lines = numbered(200, 'of the long version, which is more than fits');
    await show(at, place, { type: 'message', view: coded(lines.join('\n')) }, key);
    await at.sees(place, /line 199 of/);
    await at.settled(place);
    const long = ofBot(at, place);
    expect(long[0]?.id).toBe(id);
    expect(long[0]?.text).toContain('line 0 of');
    expect(long.map(({ text }) => text).join('\n')).not.toContain('short at first');
    await show(at, place, { type: 'message', view: coded('short at last') }, key);
    await at.sees(place, /short at last/);
    await at.settled(place);
    const short = ofBot(at, place);
    expect(short[0]?.id).toBe(id);
    expect(short.map(({ text }) => text).join('\n')).not.toContain('of the long version');
  });

  it('files arrive byte for byte, more of them than one message takes', async () => {
    const at = world.on(name);
    const place = await at.place('files');
    const names = Array.from({ length: 11 }, (_, n) => `file-${n}.txt`);
    const files = names.map((file) => ({ from: 'text' as const, name: file, text: `content of ${file} ✔\n` }));
    await show(at, place, { type: 'files', files, comment: 'eleven files' });
    await at.sees(place, /file-10\.txt/);
    await at.settled(place);
    const shown = ofBot(at, place);
    const found = shown.flatMap((one) => one.files.map((file) => [file, at.driver.contentOf(one, file).toString('utf8')]));
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(names.map((file) => [file, `content of ${file} ✔\n`])));
    expect(found).toHaveLength(11);
    expect(shown.some(({ text }) => text.includes('eleven files'))).toBe(true);
  });

  it('what a command changed comes back as a patch with the end of its task', async () => {
    const at = world.on(name);
    const place = await at.place('patch', at.projects.free);
    await at.driver.command('ben', place, 'sh echo changed > README.md');
    const { end } = await at.endsOnce(place, /README\.md/);
    const isPatch = (file: string) => file.endsWith('.patch');
    const message = await waitFor('the patch', () => at.driver.messages(place).find(({ files }) => files.some(isPatch)), {
      timeoutMs: 60_000,
    });
    const patch = at.driver.contentOf(message, message.files.find(isPatch) ?? '').toString('utf8');
    expect(patch).toMatch(/-hello\n\+changed\n/);
    expect(message.thread).toBe(end.thread);
  });
});
