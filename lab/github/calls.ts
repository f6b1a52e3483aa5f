import type { Call } from '../calls.ts';
import type { Json } from '../slack/json.ts';

/** One REST call, or one request of git, as the emulator saw it. */
export interface ApiCall extends Call {
  /** The name of the operation in GitHub's OpenAPI document (`pulls/create`), `graphql`, or `git-upload-pack` and `git-receive-pack`. */
  method: string;
  verb: string;
  /** Below the API's base; for git the whole path. */
  path: string;
  args: Json;
  /** `owner/name` */
  repository?: string | undefined;
  /** Login of who called; `app` for a JWT. */
  as?: string | undefined;
}
