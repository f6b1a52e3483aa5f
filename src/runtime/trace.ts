import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { AppError } from '../contracts/errors.ts';
import { passPoint } from './points.ts';

/**
 * Traces, for whoever watches Deckhand. Without `OTEL_EXPORTER_OTLP_ENDPOINT` nothing is recorded, and these are plain calls.
 *
 * Attributes name things by their ids and kinds. They never hold what people or agents have written, addresses, or secrets: traces
 * leave the installation. An error is told by its code or class.
 */
/** Only what is told under this name is recorded. */
export const tracerName = 'deckhand';
const tracer = trace.getTracer(tracerName);

const kinds = { inside: SpanKind.INTERNAL, takes: SpanKind.CONSUMER, calls: SpanKind.CLIENT } as const;

export interface TraceOptions {
  /**
   * What it follows from, as `traceparent` has told it, perhaps in another process: a row keeps it. null: nothing, it begins a trace. Left out:
   * what goes on around the call.
   */
  from?: string | null | undefined;
  /** `takes`: it takes something up that was left for it. `calls`: it calls another system. Default: neither. */
  kind?: keyof typeof kinds | undefined;
}

/** Does the work as a step of a trace. Rejects as the work does. */
export async function traced<T>(
  name: string,
  attributes: Attributes,
  work: () => Promise<T>,
  { from, kind = 'inside' }: TraceOptions = {},
): Promise<T> {
  const parent = from === undefined ? context.active() : contextOf(from);
  return await tracer.startActiveSpan(name, { attributes, kind: kinds[kind] }, parent, async (span) => {
    passPoint(`${name} begins`);
    try {
      return await work();
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: nameOf(error) });
      throw error;
    } finally {
      span.end();
      passPoint(`${name} ends`);
    }
  });
}

/** Tells of a step of what goes on that began at `since` and ends now. */
export function traceDone(name: string, attributes: Attributes, since: Date): void {
  tracer.startSpan(name, { attributes, startTime: since }).end();
}

/** Adds to what the step that goes on tells about itself. */
export function traceAlso(attributes: Attributes): void {
  trace.getActiveSpan()?.setAttributes(attributes);
}

/** The step that goes on, in the form of W3C Trace Context, to be kept where the work is continued from; null: nothing is recorded. */
export function traceparent(): string | null {
  const found = trace.getActiveSpan()?.spanContext();
  if (found === undefined || !isSpanContextValid(found)) return null;
  return `00-${found.traceId}-${found.spanId}-${found.traceFlags.toString(16).padStart(2, '0')}`;
}

function contextOf(parent: string | null): Context {
  const [, traceId, spanId, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(parent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true });
}

function nameOf(error: unknown): string {
  if (error instanceof AppError) return error.code;
  return error instanceof Error ? error.name : 'error';
}
