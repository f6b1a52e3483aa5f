/** A gateway of one run in a process of its own, as a runner has it. Argument: directory, token and the model server as JSON. */
import { createGateways } from '../runner/proxy/gateways.ts';
import { createLogger } from '../src/runtime/logger.ts';

const { directory, token, baseUrl } = JSON.parse(process.argv[2] ?? '{}') as {
  directory: string;
  token: string;
  baseUrl: string;
};
const gateways = createGateways({ logger: createLogger({ level: 'warn' }), environment: {} });
await gateways.open({
  run: 'run_bench',
  token,
  directory,
  models: { anthropic: { baseUrl, key: 'real' } },
  providerTools: false,
  hosts: [],
  maySpend: async () => ({ verdict: 'go' }),
  unused: async () => undefined,
  used: async () => undefined,
  host: () => undefined,
  async *inputs() {},
});
process.once('SIGTERM', () => void gateways.close().then(() => process.exit(0)));
process.send?.('open');
