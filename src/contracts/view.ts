import { z } from 'zod';
import { fitsPress } from './press.ts';

/**
 * The platform-neutral picture of one message. Adapters translate it, `delivery/` fits it to what the platform can carry.
 * Every `text` is untrusted plain text: an adapter must escape it so that it can neither format, mention, link nor unfurl
 * (promise 11). Markup exists only as span types.
 */
export const spanSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('text'),
    text: z.string(),
    style: z.array(z.enum(['bold', 'italic', 'strike', 'code'])).optional(),
  }),
  /** A link Deckhand itself made. Links found in output stay plain text. */
  z.object({ type: z.literal('link'), url: z.url(), text: z.string() }),
  /** Names a person. `notify` makes it a real mention on the platform that knows the account, else the name is shown. */
  z.object({
    type: z.literal('person'),
    name: z.string(),
    /** Platform account id of the platform the view is sent to. */
    user: z.string().optional(),
    notify: z.boolean(),
  }),
  /**
   * A moment (ISO 8601): shown in the reader's time zone where the platform can, else `text`. `exact`: always as a date, also where the platform would
   * say how long ago or how far off it is, because "until" stands before it.
   */
  z.object({ type: z.literal('time'), at: z.iso.datetime(), text: z.string(), exact: z.boolean().optional() }),
]);
export type Span = z.infer<typeof spanSchema>;

export const toneSchema = z.enum(['neutral', 'active', 'waiting', 'good', 'bad', 'muted']);
export type Tone = z.infer<typeof toneSchema>;

/** A press token of `contracts/press.ts`. */
const pressText = z.string().refine(fitsPress, { error: 'no token of a button: 1 to 64 bytes' });

const buttonSchema = z.object({
  token: pressText,
  label: z.string().min(1).max(40),
  style: z.enum(['default', 'primary', 'danger']),
  /** A press opens a form. Platforms on which a form must be the very first answer to a press (Discord) need to know before. */
  form: z.literal(true).optional(),
  /** Asks "are you sure" where the platform can. */
  confirm: z.object({ title: z.string(), text: z.string(), ok: z.string() }).optional(),
});
export type Button = z.infer<typeof buttonSchema>;

export const blockSchema = z.discriminatedUnion('type', [
  /** First line of a card: bold, with its state mark at the end. */
  z.object({
    type: z.literal('title'),
    spans: z.array(spanSchema),
    state: z.object({ text: z.string(), tone: toneSchema }).optional(),
  }),
  z.object({ type: z.literal('text'), spans: z.array(spanSchema) }),
  /** Small print: project, branch, base commit, who asked. */
  z.object({ type: z.literal('context'), spans: z.array(spanSchema) }),
  /** Literal text in a monospaced block. */
  z.object({ type: z.literal('code'), text: z.string(), language: z.string().optional() }),
  z.object({
    type: z.literal('steps'),
    items: z.array(z.object({ state: z.enum(['done', 'active', 'open', 'failed', 'skipped']), text: z.string() })),
  }),
  /** Label and value pairs. */
  z.object({ type: z.literal('fields'), items: z.array(z.object({ label: z.string(), spans: z.array(spanSchema) })) }),
  z.object({
    type: z.literal('table'),
    columns: z.array(z.object({ header: z.string(), align: z.enum(['left', 'right']) })),
    rows: z.array(z.array(z.string())),
  }),
  z.object({ type: z.literal('buttons'), buttons: z.array(buttonSchema) }),
  z.object({
    type: z.literal('select'),
    token: pressText,
    placeholder: z.string(),
    options: z.array(z.object({ value: z.string(), label: z.string() })),
  }),
  z.object({ type: z.literal('divider') }),
]);
export type Block = z.infer<typeof blockSchema>;

/** How much ran and waited in each of equal parts of the last hours, on average; and how many runs ended in it, well or not. */
export const loadChartSchema = z.object({
  hours: z.number().positive(),
  parts: z
    .array(
      z.object({
        running: z.number().nonnegative(),
        waiting: z.number().nonnegative(),
        done: z.number().int().nonnegative(),
        failed: z.number().int().nonnegative(),
      }),
    )
    .min(2)
    .max(200),
});
export type LoadChart = z.infer<typeof loadChartSchema>;

const perPart = z.array(z.number().nonnegative()).min(1).max(100);

/** What models cost and read and wrote in each part of a time, a day or several, told apart by a name; the names are untrusted text. */
export const usageChartSchema = z.object({
  of: z.literal('usage'),
  title: z.string(),
  /** Days of a part. */
  days: z.number().int().positive(),
  /** First day of each part, `2026-11-22`. */
  parts: z.array(z.iso.date()).min(1).max(100),
  /** The largest first. `rest`: all that have no place of their own. */
  series: z.array(z.object({ name: z.string(), rest: z.boolean(), costUsd: perPart, tokens: perPart })).max(8),
  /** What may be used in a day. */
  limits: z.object({ costUsd: z.number().positive().optional(), tokens: z.number().positive().optional() }),
});
export type UsageChart = z.infer<typeof usageChartSchema>;

export const chartSchema = z.union([usageChartSchema, loadChartSchema]);
export type Chart = z.infer<typeof chartSchema>;

/**
 * A file to go with a message: text given here (small) or an artifact of a run. `draws`: a picture of one file of the patch that the artifact is,
 * counted from 1, drawn when it is sent. `chart`: figures, drawn when they are sent.
 */
export const viewFileSchema = z.discriminatedUnion('from', [
  z.object({
    from: z.literal('text'),
    name: z.string(),
    text: z.string(),
    language: z.string().optional(),
    /** Goes out as it is: it is proved by a sum over all of it, and what it is made of was looked through for secrets before. */
    exact: z.literal(true).optional(),
  }),
  z.object({
    from: z.literal('artifact'),
    name: z.string(),
    artifact: z.string(),
    draws: z.object({ title: z.string(), file: z.number().int().positive() }).optional(),
  }),
  z.object({ from: z.literal('chart'), name: z.string(), chart: chartSchema }),
]);
export type ViewFile = z.infer<typeof viewFileSchema>;

export const viewSchema = z.object({
  /** Plain text for notifications and screen readers; never empty. */
  fallback: z.string().min(1),
  blocks: z.array(blockSchema),
  files: z.array(viewFileSchema).optional(),
  /**
   * What its code blocks show instead of `secretPlace`, sealed: a secret that one person is shown once. It is opened when the message is made, is
   * in no fallback, and is forgotten once the message is out.
   */
  secret: z.string().optional(),
  /**
   * Asks one person to answer by replying to this message, where the platform can show that (Telegram: ForceReply). In a channel such a view
   * names the person with `notify`, has no buttons and selects, and its message cannot be edited: only so it asks nobody else.
   */
  asks: z.object({ user: z.string(), placeholder: z.string().max(64).optional() }).optional(),
});
export type View = z.infer<typeof viewSchema>;

export const formSchema = z.object({
  /** A press token of `contracts/press.ts`; comes back in the `form` event. */
  token: pressText,
  title: z.string().min(1).max(24),
  submit: z.string().min(1).max(24),
  fields: z
    .array(
      z.discriminatedUnion('type', [
        z.object({
          type: z.literal('text'),
          id: z.string(),
          label: z.string(),
          multiline: z.boolean(),
          required: z.boolean(),
          placeholder: z.string().optional(),
          initial: z.string().optional(),
          maxLength: z.number().int().positive().max(3000).optional(),
          /** What is typed is a secret: sealed before it is stored, asked for only where nobody else reads along. */
          secret: z.literal(true).optional(),
        }),
        z.object({
          type: z.literal('select'),
          id: z.string(),
          label: z.string(),
          required: z.boolean(),
          multiple: z.boolean(),
          options: z.array(z.object({ value: z.string(), label: z.string() })).min(1),
          initial: z.string().optional(),
        }),
      ]),
    )
    .min(1),
});
export type Form = z.infer<typeof formSchema>;

/** Shorthand for an unstyled span. */
export function plain(text: string): Span {
  return { type: 'text', text };
}

export function bold(text: string): Span {
  return { type: 'text', text, style: ['bold'] };
}

export function code(text: string): Span {
  return { type: 'text', text, style: ['code'] };
}
