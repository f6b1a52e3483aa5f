import { z } from 'zod';

/** What a variable is, beside its schema. docs/configuration.md and .env.example are made from it. */
export interface Facts {
  group:
    | 'Data'
    | 'Web server'
    | 'People and keys'
    | 'Sign-in'
    | 'Slack'
    | 'Telegram'
    | 'Discord'
    | 'Models'
    | 'GitHub'
    | 'Git'
    | 'Running commands'
    | 'Traces'
    | 'Log';
  description: string;
  /** What holds when it is unset, in words. */
  fallback: string;
  example: string;
  /** Its value never appears in a log line. */
  secret?: true;
}

export const facts = z.registry<Facts>();
