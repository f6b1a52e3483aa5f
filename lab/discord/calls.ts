import type { Call } from '../calls.ts';
import type { Json } from '../slack/json.ts';

/** One REST call as the emulator saw it. */
export interface ApiCall extends Call {
  /** The name of the operation in Discord's OpenAPI document: `create_message`, `update_message`, `create_interaction_response` … */
  method: string;
  verb: string;
  /** Below `/api/v10`; tokens of interactions are left out. */
  path: string;
  args: Json;
  /** Names of the files sent along. */
  files: string[];
  /** The channel in the path. */
  channel?: string | undefined;
  /** Discord's number of the error. */
  code?: number | undefined;
  /** The limit this call went over, whether or not limiting is on. */
  over?: 'bucket' | 'global' | undefined;
}
