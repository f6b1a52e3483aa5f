import type { Part } from './runtime/lifecycle.ts';
import type { Logger } from './runtime/logger.ts';
import { tracerName } from './runtime/trace.ts';
import { programVersion } from './runtime/version.ts';

/** Where traces are sent. */
export interface TracingConfig {
  /** Address of an OpenTelemetry collector; `/v1/traces` is added. */
  endpoint: string;
  headers: Readonly<Record<string, string>>;
  /** Part of the traces that are recorded, 0 to 1. What has begun to be recorded stays so in all processes. */
  ratio: number;
}

/**
 * Records traces and sends them in batches of OTLP over HTTP. A collector that does not answer costs traces, and nothing else. The
 * library is loaded only here: whoever sends no traces has nothing of it in memory.
 */
export async function tracingPart(config: TracingConfig | undefined, role: string, logger: Logger): Promise<Part[]> {
  if (config === undefined) return [];
  const [api, { AsyncLocalStorageContextManager }, sdk, { resourceFromAttributes }, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/context-async-hooks'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ]);
  const exporter = new OTLPTraceExporter({
    url: `${config.endpoint}/v1/traces`,
    headers: { ...config.headers },
    timeoutMillis: 5_000,
  });
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({
      'service.name': 'deckhand',
      'service.version': programVersion(),
      'deckhand.role': role,
    }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(config.ratio) }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter })],
  });
  const contexts = new AsyncLocalStorageContextManager().enable();
  api.diag.setLogger(quiet(logger), api.DiagLogLevel.WARN);
  api.context.setGlobalContextManager(contexts);
  // Libraries record by themselves where they find somebody who takes it: addresses, and what people have written if a variable says so.
  const nobody = new api.ProxyTracerProvider();
  api.trace.setGlobalTracerProvider({
    getTracer: (name, version, options) => (name === tracerName ? provider : nobody).getTracer(name, version, options),
  });
  logger.info({ to: new URL(config.endpoint).host, ratio: config.ratio }, 'traces are recorded');
  return [
    {
      name: 'traces',
      stopWithinMs: 6_000,
      start: async () => undefined,
      async stop() {
        await provider.shutdown().catch((error: unknown) => logger.warn({ err: error }, 'the last traces were not sent'));
        api.trace.disable();
        api.context.disable();
      },
    },
  ];
}

function quiet(logger: Logger) {
  const say = (message: string) => logger.warn({ part: 'traces' }, message);
  const nothing = () => undefined;
  return { error: say, warn: say, info: nothing, debug: nothing, verbose: nothing };
}
