import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { AgentAccounts } from '../src/contracts/agent-account.ts';
import type { AgentControl, AgentSpec } from '../src/contracts/agent-control.ts';
import { refusedHostText } from '../src/store/run-acts.ts';
import { accountDenies, checkAccount, type RunAccount } from './agent-account.ts';
import { filesGiven, keepSessionFiles, keepShownFiles, sessionFiles } from './agent-files.ts';
import { agentHome, type HomeFile } from './agent-home.ts';
import { createAgentSession, inputsOf } from './agent-session.ts';
import { type WaitLimits, watchWaits } from './agent-waits.ts';
import type { Launch, Turn } from './harness/port.ts';
import { harnesses } from './harness/registry.ts';
import { patiently } from './patience.ts';
import type { GatewayRun, Gateways } from './proxy/port.ts';
import type { HarnessRun } from './run-harness.ts';
import type { Journey } from './run-journey.ts';
import type { Ahead } from './sandbox/ahead.ts';
import { transcriptOf } from './transcript.ts';

/** What runs of agents need beside what all runs need. */
export interface AgentDeps {
  control: AgentControl;
  gateways: Gateways;
  models: GatewayRun['models'];
  /** What each model server is called for people. */
  accounts?: Readonly<Partial<Record<keyof GatewayRun['models'], string>>> | undefined;
  /** Accounts that runs can name; undefined: none. */
  named?: AgentAccounts | undefined;
  /** That of this run; undefined: it names none. */
  account?: RunAccount | undefined;
  /** The same tokens for the same purpose at every start; see SecretBox. */
  tokensFor(purpose: string): [string, ...string[]];
  /** Directory of the sockets, one directory below it for each run. */
  gatewayRoot: string;
  waits: WaitLimits;
}

/** Where the bridge listens in a container. */
const insidePort = 9100;
/** Longest path of a socket that every system takes, with room for its name. */
const longestDirectory = 95;

/** One turn of an agent: with its home in the working copy, and its gateway. */
export function createAgentRun(journey: Journey, agents: AgentDeps, agent: AgentSpec): HarnessRun {
  const { deps, spec, place, left } = journey;
  const { run } = spec;
  const harness = harnesses[agent.settings.agent];
  const [token, ...olderTokens] = tokensOf(run, agents);
  const directory = socketDirectory(agents.gatewayRoot, run);
  const { workspace: cwd, bridge } = place.sandbox.inside(run);
  const home = `${cwd}/${agentHome}`;
  /** What the repository says is read there. A first run has its base only when it has been prepared. */
  let commit = spec.head ?? spec.base?.commit;
  let guidance: Turn['guidance'] | undefined;
  /** Of the bridge. */
  let port = insidePort;
  let open: Awaited<ReturnType<Gateways['open']>> | undefined;

  /** What a sandbox may have started when the run gets it. Where ports are chosen for each run, nothing. */
  function ahead(): Ahead | undefined {
    if (place.sandbox.capabilities.network !== 'none' || harness.ahead === undefined) return undefined;
    const started = harness.ahead({ settings: agent.settings, cwd, home, url: `http://127.0.0.1:${insidePort}` });
    return { ...started, argv: withBinary(started.argv, agents.account?.binary ?? undefined), name: harness.kind };
  }

  async function turnAt(port: number, signal: AbortSignal): Promise<Turn> {
    guidance ??= commit === undefined ? [] : await deps.workspace.guidance(spec.project.id, commit, signal);
    return turnWith(port, guidance);
  }

  function turnWith(port: number, guidance: Turn['guidance']): Turn {
    const url = `http://127.0.0.1:${port}`;
    return {
      run,
      taskNumber: spec.taskNumber,
      settings: agent.settings,
      prompt: agent.prompt,
      context: agent.context ?? undefined,
      files: agent.files,
      guidance,
      cwd,
      home,
      session: agent.session?.id,
      resumed: agent.resumed === true,
      gateway: { url, token, proxyEnv: proxies(url, token) },
      budgetUsd: agent.budgetUsd === null ? undefined : Math.max(0, agent.budgetUsd - agent.spentUsd),
    };
  }

  return {
    capabilities: harness.capabilities,
    stage: { stage: 'agent', detail: `${agent.settings.agent} works` },

    expects: { image: 'agents', ownImage: agents.account?.image ?? undefined, gateway: directory, ahead: ahead() },

    async program(base, copied, signal) {
      commit ??= base;
      await checkAccount(agents.account, place.sandbox.capabilities.isolated, signal);
      port = place.sandbox.capabilities.network === 'none' ? insidePort : await freePort();
      if (agent.session !== null) await copied;
      const turn = agent.session === null ? turnWith(port, []) : await turnAt(port, signal);
      const launch = harness.launch(turn);
      await makeDirectory(directory);
      return {
        argv: [...bridge, ...programOf(launch, agents.account?.binary ?? undefined)],
        env: {
          ...launch.env,
          ...turn.gateway.proxyEnv,
          DECKHAND_RUN_TOKEN: token,
          DECKHAND_GATEWAY_PORT: String(port),
          DECKHAND_INPUT_AFTER: String(agent.inputs),
        },
        gateway: directory,
        image: 'agents',
        ownImage: agents.account?.image ?? undefined,
        ahead: ahead(),
        tell: launch.tell,
      };
    },

    async fill(signal) {
      const home = [...(await sessionFiles(journey, agent)), ...configuration(harness.launch(await turnAt(port, signal)))];
      await deps.workspace.fillHome(run, home, await filesGiven(journey, agent));
    },

    async open() {
      open = await openGateway();
      await journey.at('gateway_open');
    },

    async drive(log, started) {
      // What thinks outside of the sandbox asks models at once, and must not where there is none.
      if (harness.program === undefined) await started;
      if (open === undefined) throw new Error('a turn is driven when its gateway is open');
      const { url } = open;
      const waits = watchWaits(journey, agents.control, agents.waits);
      try {
        const session = createAgentSession(journey, agents.control, {
          turn: await turnAt(insidePort, left),
          state: agent.state,
          begun: agent.inputs > 0,
          mail: agent.mail,
          park: waits.park,
          started,
          models: {
            anthropic: agents.models.anthropic && { baseUrl: `${url}/anthropic`, token },
            openai: agents.models.openai && { baseUrl: `${url}/openai/v1`, token },
          },
          gateway: directory,
          onStored: (events) => log.append(events.map(transcriptOf).join('')),
        });
        return await harness.drive(session).finally(() => session.end());
      } finally {
        await waits.end();
      }
    },

    async keepSession(turn) {
      if (turn.session === undefined) return null;
      const { keeps } = harness.launch(await turnAt(insidePort, left));
      const session = { id: turn.session, artifact: await keepSessionFiles(journey, keeps) };
      await patiently(() => agents.control.keepSession(run, deps.runner, session), { passes: () => true, signal: left });
      await journey.at('session_kept');
      return session;
    },

    keepFiles: () => keepShownFiles(journey),

    async close(over) {
      await open?.close();
      if (over) await rm(directory, { recursive: true, force: true });
    },
  };

  async function openGateway() {
    await makeDirectory(directory);
    return await agents.gateways.open({
      run,
      token,
      olderTokens,
      directory,
      models: agents.models,
      providerTools: false,
      hosts: agent.hosts ?? [],
      maySpend: async (asked, signal) =>
        (await accountDenies(agents.account, signal)) ??
        patiently(() => agents.control.maySpend(run, deps.runner, asked), { passes: () => true, signal }),
      async unused(request, reached) {
        await patiently(() => agents.control.unused(run, deps.runner, request, reached), { passes: () => true, signal: left });
      },
      async used(usage, request) {
        await patiently(() => agents.control.used(run, deps.runner, usage, request), { passes: () => true, signal: left });
      },
      host(host, allowed) {
        deps.logger.info({ run, host, allowed }, 'a sandbox asked for a host');
        if (!allowed) void journey.note('info', refusedHostText(host)).catch(() => undefined);
      },
      inputs: inputsOf(agents.control, run),
    });
  }
}

/** Entered by the sandbox's user, listed by nobody else. The directory above keeps other users of the host away. */
async function makeDirectory(directory: string): Promise<void> {
  const above = dirname(directory);
  await mkdir(above, { recursive: true, mode: 0o700 });
  if ((await stat(above)).uid !== process.getuid?.()) throw new Error(`${above} belongs to somebody else`);
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o711);
}

function tokensOf(run: string, { tokensFor }: AgentDeps): [string, ...string[]] {
  const [newest, ...older] = tokensFor(`gateway of ${run}`);
  return [`dhr_${newest}`, ...older.map((token) => `dhr_${token}`)];
}

/** Programs that fetch find the way out in these. The token names the run; models are reached without a proxy. */
function proxies(url: string, token: string): Record<string, string> {
  const proxy = url.replace('://', `://run:${token}@`);
  return {
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    http_proxy: proxy,
    https_proxy: proxy,
    NO_PROXY: '127.0.0.1,localhost',
    no_proxy: '127.0.0.1,localhost',
  };
}

/** Of this machine, for a sandbox that shares its network. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port is free');
  return address.port;
}

/** The command behind the bridge, with the account's own program in place of the usual one. */
function programOf({ argv }: Launch, binary: string | undefined): string[] {
  return argv === undefined ? [] : ['--', ...withBinary(argv, binary)];
}

function withBinary([usual, ...rest]: readonly [string, ...string[]], binary: string | undefined): [string, ...string[]] {
  return [binary ?? usual, ...rest];
}

function configuration(launch: Launch): HomeFile[] {
  return launch.files.map(({ path, text }) => ({ path, bytes: Buffer.from(text) }));
}

/** In the data directory, unless its path is too long for a socket. The same at every start. */
export function socketDirectory(root: string, run: string): string {
  const usual = join(root, run);
  if (usual.length <= longestDirectory) return usual;
  const name = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 24);
  return join(tmpdir(), `deckhand-${name(root)}`, name(run));
}
