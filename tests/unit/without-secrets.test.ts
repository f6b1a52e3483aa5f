import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Block, Form, View, ViewFile } from '../../src/contracts/view.ts';
import { filesWithoutSecrets, formWithoutSecrets, viewWithoutSecrets } from '../../src/delivery/without-secrets.ts';

const key = `sk-ant-${'a1B2'.repeat(8)}`;
const said = `before ${key} after`;
const spans = [
  { type: 'text' as const, text: said },
  { type: 'link' as const, url: `https://example.org/?k=${key}`, text: said },
  { type: 'person' as const, name: said, notify: false },
  { type: 'time' as const, at: '2026-11-22T10:00:00.000Z', text: said },
];

/** One of each kind, a secret in each text of it: a new kind does not compile without a line here. */
const blocks: Record<Block['type'], Block> = {
  title: { type: 'title', spans, state: { text: said, tone: 'good' } },
  text: { type: 'text', spans },
  context: { type: 'context', spans },
  code: { type: 'code', text: said },
  steps: { type: 'steps', items: [{ state: 'done', text: said }] },
  fields: { type: 'fields', items: [{ label: said, spans }] },
  table: { type: 'table', columns: [{ header: 'a', align: 'left' }], rows: [[said]] },
  buttons: { type: 'buttons', buttons: [{ token: 't', label: said, style: 'default' }] },
  select: { type: 'select', token: 't', placeholder: 'p', options: [{ value: 'v', label: said }] },
  divider: { type: 'divider' },
};

describe('what leaves for a chat', () => {
  it.each(Object.keys(blocks) as Block['type'][])('shows no secret in a block of kind %s, and says what was there', (kind) => {
    const view: View = { fallback: said, blocks: [blocks[kind]], asks: { user: 'U1', placeholder: key } };
    const sent = JSON.stringify(viewWithoutSecrets(view));
    expect(sent).not.toContain(key);
    expect(sent).toContain('before [redacted anthropic key] after');
  });

  it('has no secret in a file of text or in what a form is filled with, but files that are proved whole go as they are', () => {
    const files: ViewFile[] = [
      { from: 'text', name: 'a.log', text: said },
      { from: 'text', name: 'audit.jsonl', text: said, exact: true },
      { from: 'artifact', name: 'x.patch', artifact: 'art_1' },
    ];
    const [log, exact, patch] = filesWithoutSecrets(files);
    expect(log).toMatchObject({ text: 'before [redacted anthropic key] after' });
    expect([exact, patch]).toEqual(files.slice(1));
    const form: Form = {
      token: 't',
      title: 'Edit',
      submit: 'Save',
      fields: [{ type: 'text', id: 'f', label: 'l', multiline: false, required: false, initial: said }],
    };
    expect(JSON.stringify(formWithoutSecrets(form))).not.toContain(key);
  });

  it('is otherwise what it was', () => {
    const view = fc.array(fc.constantFrom('plain', 'npm test', 'a@b.c', '#12', 'sk-', 'token: none'), { maxLength: 4 }).map(
      (words): View => ({
        fallback: 'x',
        blocks: [
          { type: 'text', spans: [{ type: 'text', text: words.join(' '), style: ['bold'] }] },
          { type: 'code', text: words.join('\n'), language: 'sh' },
        ],
      }),
    );
    fc.assert(
      fc.property(view, (one) => {
        expect(viewWithoutSecrets(one)).toEqual(one);
      }),
    );
  });
});
