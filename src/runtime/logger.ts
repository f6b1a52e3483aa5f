import { type DestinationStream, destination, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';
import { createRedactor } from './redact-patterns.ts';

/** Structured log: the object first, then a short constant text. `logger.info({ run }, 'claimed')`. Errors go under `err`. */
export type Logger = PinoLogger;

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LoggerOptions {
  level: LogLevel;
  /** Values that never appear in a line, in whichever field and form. */
  secrets?: readonly string[] | undefined;
  /** Lines for people instead of JSON: for a terminal. */
  readable?: boolean | undefined;
  /** Where lines go (default: standard output, written synchronously so that the last line before an exit is not lost). */
  destination?: DestinationStream | undefined;
}

/** A text value under one of these names is blanked out, however deep it sits: also inside errors of libraries. */
const secretName =
  /("[^"\\]{0,40}(?:token|secret|passw(?:or)?d|authorization|cookie|api[-_]?key|private[-_]?key|credential)[^"\\]{0,40}":\s*)"(?:[^"\\]|\\.)*"/gi;

/** All redaction happens on the finished line, so that no serializer, child logger or library can go around it. */
export function createLogger(options: LoggerOptions): Logger {
  const redact = createRedactor(options.secrets ?? []);
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: {
        streamWrite: (line) => {
          const clean = redact(line.replace(secretName, '$1"[redacted]"'));
          return options.readable === true ? readableLine(clean) : clean;
        },
      },
    },
    options.destination ?? destination({ dest: 1, sync: true }),
  );
}

function readableLine(line: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = new Date(String(time)).toTimeString().slice(0, 8);
  const rest = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const head = [clock, String(level).padEnd(5), msg, ...rest].filter((part) => part !== undefined).join(' ');
  const stack = typeof err === 'object' && err !== null ? ((err as { stack?: string }).stack ?? JSON.stringify(err)) : err;
  return stack === undefined ? `${head}\n` : `${head}\n${String(stack).replace(/^/gm, '    ')}\n`;
}
