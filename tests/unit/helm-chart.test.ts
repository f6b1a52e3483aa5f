import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const chart = join(root, 'docker/helm/deckhand');
const unpacked = join(root, 'node_modules/.cache/helm/helm');
const helm = existsSync(unpacked) ? unpacked : 'helm';
const secrets = ['secretEnv.DECKHAND_SECRET_KEY=key', 'secretEnv.POSTGRES_PASSWORD=word'];

const container = z.looseObject({
  name: z.string(),
  image: z.string(),
  restartPolicy: z.string().optional(),
  env: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })).default([]),
  securityContext: z.record(z.string(), z.unknown()),
  resources: z.looseObject({ requests: z.record(z.string(), z.string()), limits: z.record(z.string(), z.string()) }).optional(),
  volumeMounts: z.array(z.looseObject({ name: z.string() })).default([]),
});
const podSchema = z.looseObject({
  terminationGracePeriodSeconds: z.number().optional(),
  initContainers: z.array(container).default([]),
  containers: z.array(container),
  volumes: z.array(z.looseObject({ name: z.string() })).default([]),
});
const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({}).optional(),
});
type KubeObject = z.infer<typeof objectSchema>;

async function render(...set: string[]): Promise<KubeObject[]> {
  const args = ['template', 'rel', chart, ...set.flatMap((one) => ['--set', one])];
  const { stdout } = await run(helm, args, { maxBuffer: 16 * 1024 ** 2 });
  return parseAllDocuments(stdout)
    .map((document) => {
      expect(document.errors).toEqual([]);
      return document.toJS();
    })
    .filter((object) => object !== null)
    .map((object) => objectSchema.parse(object));
}

const refused = async (...set: string[]): Promise<string> =>
  await render(...set).then(
    () => 'rendered',
    (error: Error) => error.message,
  );

function podOf(objects: readonly KubeObject[], name: string) {
  const found = objects.find(({ metadata, spec }) => metadata.name === `rel-${name}` && spec !== undefined && 'template' in spec);
  const { template } = z.looseObject({ template: z.looseObject({ spec: podSchema }) }).parse(found?.spec);
  const { spec } = template;
  const mounted = new Set([...spec.initContainers, ...spec.containers].flatMap(({ volumeMounts }) => volumeMounts));
  const claims = z.object({ volumeClaimTemplates: z.array(objectSchema.partial().loose()).default([]) }).parse(found?.spec);
  const there = [...spec.volumes.map((one) => one.name), ...claims.volumeClaimTemplates.map((one) => one.metadata?.name)];
  expect(there).toEqual(expect.arrayContaining([...mounted].map((mount) => mount.name)));
  return spec;
}

const variable = (pod: z.infer<typeof podSchema>, name: string) =>
  pod.containers.flatMap(({ env }) => env).find((one) => one.name === name)?.value;

const everything = [
  ...secrets,
  'podMonitor.enabled=true',
  'podMonitor.labels.release=prometheus',
  'gateway.ingress.enabled=true',
  'gateway.ingress.tlsSecret=tls',
  'gateway.nodeSelector.disk=ssd',
  'runner.labels=gpu\\,eu',
  'imagePullSecrets[0].name=pull',
  'networkPolicy.metricsFrom[0].namespaceSelector.matchLabels.name=monitoring',
];
let usual: KubeObject[];
let onNodes: KubeObject[];
let variants: KubeObject[];

beforeAll(async () => {
  usual = await render(...secrets);
  onNodes = await render(
    'existingSecret=mine',
    'runner.engine=node',
    'runner.nodeSelector.docker=here',
    'postgresql.enabled=false',
  );
  variants = [
    ...(await render(...everything)),
    ...onNodes,
    ...(await render(...secrets, 'runner.engine=remote', 'runner.dockerHost=tcp://engine:2376', 'redis.enabled=false')),
  ];
});

test('every object that the chart makes is one that Kubernetes knows, without an unknown or a missing field', async () => {
  const lines = variants.map((object, at) => {
    const { apiVersion, kind } = object;
    const [group = '', version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
    const ofOperator = group === 'monitoring.coreos.com';
    const from = [ofOperator ? '@kubernetes-models/prometheus-operator' : 'kubernetes-models', group, version, kind];
    const module = from.filter((part) => part !== '').join('/');
    return `import { ${kind} as K${at}, type I${kind} as I${at} } from '${module}';
const o${at}: I${at} = ${JSON.stringify(object)};
new K${at}(o${at}).validate();`;
  });
  const dir = await mkdtemp(join(root, 'node_modules/.cache/chart-'));
  try {
    // As literals, so that the compiler finds fields that do not exist; then the values are looked at.
    const file = join(dir, 'objects.ts');
    await writeFile(join(dir, 'package.json'), '{ "type": "module" }');
    await writeFile(file, lines.join('\n'));
    const tsc = createRequire(import.meta.url)
      .resolve('typescript/package.json')
      .replace('package.json', 'bin/tsc');
    const options = ['--ignoreConfig', '--strict', '--skipLibCheck', '--module', 'nodenext', '--types', 'node'];
    await run(process.execPath, [tsc, ...options, file]).catch((error) => expect(error.stdout).toBe(''));
    await run(process.execPath, [file.replace('.ts', '.js')]);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

test('a pod is given longer to end than its process takes', () => {
  const runner = podOf(usual, 'runner');
  const drain = Number(variable(runner, 'RUNNER_DRAIN_SECONDS'));
  expect(drain).toBeGreaterThan(0);
  // 25 s of a graceful end, 15 s of one that is not.
  expect(runner.terminationGracePeriodSeconds).toBeGreaterThan(drain + 40);
  expect(podOf(usual, 'gateway').terminationGracePeriodSeconds).toBeGreaterThan(45);
  // Where sandboxes outlive the pod nobody waits for them.
  const elsewhere = podOf(onNodes, 'runner');
  expect([variable(elsewhere, 'RUNNER_DRAIN_SECONDS'), elsewhere.terminationGracePeriodSeconds]).toEqual(['0', 60]);
});

test('an engine in the pod of a runner starts before it and ends after it', () => {
  const { initContainers, containers } = podOf(usual, 'runner');
  expect(initContainers).toMatchObject([{ name: 'engine', restartPolicy: 'Always', startupProbe: {} }]);
  expect(containers.map(({ name }) => name)).toEqual(['runner']);
});

test('nothing but an engine has rights: not root, no new ones, a root that cannot be written', () => {
  for (const name of ['gateway', 'runner', 'postgresql', 'redis']) {
    for (const { securityContext, resources } of podOf(usual, name).containers) {
      expect(securityContext).toMatchObject({
        runAsNonRoot: true,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(resources).toMatchObject({ requests: { cpu: expect.any(String) }, limits: { memory: expect.any(String) } });
    }
  }
});

test('PostgreSQL and Redis are reached by gateways and runners only, and at most one of each is taken away at a time', () => {
  const of = (kind: string) => usual.filter((object) => object.kind === kind);
  const policies = of('NetworkPolicy').map(({ metadata, spec }) => [metadata.name, JSON.stringify(spec?.ingress)]);
  const ours = '{"app.kubernetes.io/instance":"rel","app.kubernetes.io/name":"deckhand"}';
  const from = `"from":[{"podSelector":{"matchLabels":${ours}}}]`;
  expect(Object.fromEntries(policies)).toEqual({
    'rel-gateway': '[{"ports":[{"port":"http"}]},{"ports":[{"port":"metrics"}]}]',
    'rel-runner': '[{"ports":[{"port":"metrics"}]}]',
    'rel-postgresql': `[{"ports":[{"port":"postgresql"}],${from}}]`,
    'rel-redis': `[{"ports":[{"port":"redis"}],${from}}]`,
  });
  expect(of('PodDisruptionBudget').map(({ spec }) => spec?.maxUnavailable)).toEqual([1, 1]);
});

test('values arrive where they should', async () => {
  const digest = `registry.example/deckhand@sha256:${'0'.repeat(64)}`;
  const objects = await render(...secrets, `image=${digest}`, 'runner.image=deckhand:old', 'runner.labels=gpu\\,eu');
  expect(podOf(objects, 'gateway').containers[0]?.image).toBe(digest);
  expect(podOf(objects, 'runner').containers[0]?.image).toBe('deckhand:old');
  expect(variable(podOf(objects, 'runner'), 'RUNNER_LABELS')).toBe('gpu,eu');
});

test('what is missing or mistyped is refused with what to do', async () => {
  expect(await refused()).toContain('openssl rand -base64 32');
  expect(await refused(...secrets, 'runner.engine=docker')).toMatch(/runner.engine|one of/);
  expect(await refused(...secrets, 'runner.engine=node')).toContain('runner.nodeSelector is needed');
  expect(await refused(...secrets, 'runner.replica=3')).toContain('replica');
  expect(await refused(...secrets, 'gateway.replicas=two')).toContain('replicas');
});
