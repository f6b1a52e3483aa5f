import { z } from 'zod';
import { facts } from './variable-facts.ts';
import { webAddress } from './variable-kinds.ts';

/** Where traces go. The names are those of OpenTelemetry. */
export const traceVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: webAddress
    .transform((value) => value.replace(/\/+$/, ''))
    .optional()
    .register(facts, {
      group: 'Traces',
      description:
        'Address of an OpenTelemetry collector that takes OTLP over HTTP; `/v1/traces` is added. Traces name rows and kinds, never what was written.',
      fallback: 'no traces are recorded',
      example: 'http://127.0.0.1:4318',
    }),
  OTEL_EXPORTER_OTLP_HEADERS: z.string().default('').transform(headers).register(facts, {
    group: 'Traces',
    description: 'Headers that the collector wants, `name=value`, separated by commas.',
    fallback: 'none',
    example: 'authorization=Bearer …',
    secret: true,
  }),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .default('1')
    .transform((value, context) => {
      const ratio = Number(value);
      if (!(ratio >= 0 && ratio <= 1)) context.addIssue({ code: 'custom', message: 'must be a number from 0 to 1' });
      return ratio;
    })
    .register(facts, {
      group: 'Traces',
      description: 'Part of the traces that are recorded. A trace is recorded as a whole, over all processes, or not at all.',
      fallback: '`1`: all',
      example: '0.1',
    }),
};

function headers(value: string, context: z.RefinementCtx): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [index, part] of value.split(',').entries()) {
    if (part.trim() === '') continue;
    const at = part.indexOf('=');
    const name = part.slice(0, at).trim();
    if (at < 1 || !/^[\w-]+$/.test(name))
      context.addIssue({ code: 'custom', message: `entry ${index + 1} must read name=value` });
    else found[name] = part.slice(at + 1).trim();
  }
  return found;
}
