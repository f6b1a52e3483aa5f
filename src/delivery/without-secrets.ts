import type { Block, Form, Span, View, ViewFile } from '../contracts/view.ts';
import { createRedactor } from '../runtime/redact-patterns.ts';

/**
 * The last look at what leaves for a chat, whoever made it: what reads like a secret is blanked out, with a mark that says what it was. Texts of
 * runs have been looked through when they were stored; this also finds what people typed and what a new view forgot. What one person is to be
 * shown once stands in `View.secret`, and is put in afterwards.
 */
const redact = createRedactor([]);

export function viewWithoutSecrets(view: View): View {
  return {
    ...view,
    fallback: redact(view.fallback),
    blocks: view.blocks.map(cleanBlock),
    ...(view.files === undefined ? {} : { files: filesWithoutSecrets(view.files) }),
    ...(view.asks?.placeholder === undefined ? {} : { asks: { ...view.asks, placeholder: redact(view.asks.placeholder) } }),
  };
}

/** Files of runs were looked through by the runner: their bytes are what was approved, and stay so. */
export function filesWithoutSecrets(files: readonly ViewFile[]): ViewFile[] {
  return files.map((file) => (file.from === 'text' && file.exact !== true ? { ...file, text: redact(file.text) } : file));
}

/** What a form is filled with; labels and options are Deckhand's own words and names. */
export function formWithoutSecrets(form: Form): Form {
  return {
    ...form,
    fields: form.fields.map((field) =>
      field.type === 'text' && field.initial !== undefined ? { ...field, initial: redact(field.initial) } : field,
    ),
  };
}

function cleanBlock(block: Block): Block {
  switch (block.type) {
    case 'title':
      return {
        ...block,
        spans: cleanSpans(block.spans),
        ...(block.state === undefined ? {} : { state: { ...block.state, text: redact(block.state.text) } }),
      };
    case 'text':
    case 'context':
      return { ...block, spans: cleanSpans(block.spans) };
    case 'code':
      return { ...block, text: redact(block.text) };
    case 'steps':
      return { ...block, items: block.items.map((item) => ({ ...item, text: redact(item.text) })) };
    case 'fields':
      return { ...block, items: block.items.map(({ label, spans }) => ({ label: redact(label), spans: cleanSpans(spans) })) };
    case 'table':
      return { ...block, rows: block.rows.map((row) => row.map(redact)) };
    case 'buttons':
      return { ...block, buttons: block.buttons.map((button) => ({ ...button, label: redact(button.label) })) };
    case 'select':
      return { ...block, options: block.options.map((option) => ({ ...option, label: redact(option.label) })) };
    case 'divider':
      return block;
  }
}

function cleanSpans(spans: readonly Span[]): Span[] {
  return spans.map(cleanSpan);
}

function cleanSpan(span: Span): Span {
  switch (span.type) {
    case 'text':
    case 'time':
      return { ...span, text: redact(span.text) };
    case 'link':
      return { ...span, url: redact(span.url), text: redact(span.text) };
    case 'person':
      return { ...span, name: redact(span.name) };
  }
}
