import { commandVariables } from './command-variables.ts';
import type { AheadPlace, Turn } from './port.ts';

/**
 * The only configuration that counts. A repository that is trusted may bring settings, servers, hooks and rules of its own, and a
 * repository that Codex does not know becomes trusted when a thread starts in it: so it is named as untrusted here. What it says to
 * agents comes to the agent by us. It is read whenever a thread begins, so what is the turn's own may come after the program has started.
 */
export function codexConfig({ cwd, url }: Pick<AheadPlace, 'cwd' | 'url'>, turn?: Turn): string {
  const text = (value: string) => JSON.stringify(value);
  const model = turn?.settings.model ?? null;
  const variables = turn === undefined ? [] : Object.entries(commandVariables(turn));
  return `model_provider = "deckhand"
web_search = "disabled"
check_for_update_on_startup = false
project_doc_max_bytes = 0
${model === null ? '' : `model = ${text(model)}\n`}
[analytics]
enabled = false

[history]
persistence = "none"

[skills]
include_instructions = false

# The checklist.
[tools.update_plan]
enabled = true

[features]
# Questions to people outside of planning too.
default_mode_request_user_input = true
apps = false
browser_use = false
computer_use = false
enable_request_compression = false
goals = false
hooks = false
image_generation = false
in_app_browser = false
plugins = false
shell_snapshot = false

[shell_environment_policy]
set = { ${variables.map(([name, value]) => `${name} = ${text(value)}`).join(', ')} }

[model_providers.deckhand]
name = "Deckhand"
base_url = ${text(`${url}/openai/v1`)}
${turn === undefined ? '' : `experimental_bearer_token = ${text(turn.gateway.token)}\n`}wire_api = "responses"
request_max_retries = 3
stream_max_retries = 3
# People may take their time to raise a budget; the gateway knows when nobody listens.
stream_idle_timeout_ms = 2147483647

[projects.${text(cwd)}]
trust_level = "untrusted"
`;
}
