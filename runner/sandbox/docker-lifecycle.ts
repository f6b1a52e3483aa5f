import type Docker from 'dockerode';
import { labels, type Role } from './docker-container.ts';
import { call, delay, EngineError, hasStatus } from './docker-engine.ts';
import { exitCodeOf, removeContainer } from './docker-helper.ts';

/** How long a start may take once it is decided. */
const startMs = 10_000;
/** From SIGQUIT, at which the first process kills everything and reports, to the kill from outside. */
const reportMs = 5000;
const lastResortMs = 30_000;

/**
 * Starts a created container, once. The engine starts a container again that has ended in the meantime, so looking before is not
 * enough: of all who want to start it, one makes the container `<name>-start`, which never runs.
 */
export async function startOnce(
  docker: Docker,
  name: string,
  sandbox: Docker.ContainerInspectInfo,
  signal?: AbortSignal,
): Promise<void> {
  const container = docker.getContainer(name);
  const role: Role = 'start';
  const mark = { name: `${name}-start`, Image: sandbox.Image, Labels: { ...sandbox.Config.Labels, [labels.role]: role } };
  try {
    await call((abortSignal) => docker.createContainer({ ...mark, abortSignal }), signal);
  } catch (error) {
    if (!hasStatus(error, 409)) throw error;
    if (await startedByOther(docker, { container, mark: docker.getContainer(mark.name) }, signal)) return;
  }
  try {
    await call((abortSignal) => container.start({ abortSignal }), signal);
  } catch (error) {
    if (hasStatus(error, 304)) return;
    // Refused, so it did not start. After any other error it may have.
    if (error instanceof EngineError) await removeContainer(docker.getContainer(mark.name));
    throw error;
  }
}

/**
 * False when whoever was about to start it does not come to it: it was killed. Its time began with its mark, so that not every later
 * life waits for it anew.
 */
async function startedByOther(
  docker: Docker,
  { container, mark }: { container: Docker.Container; mark: Docker.Container },
  signal?: AbortSignal,
): Promise<boolean> {
  const patience = Date.now() + startMs - (await ageMs(docker, mark, signal));
  for (;;) {
    const { State } = await call((abortSignal) => container.inspect({ abortSignal }), signal);
    if (State.Status !== 'created') return true;
    if (Date.now() >= patience) return false;
    await delay(50, signal);
  }
}

/** By the clock of the engine, which may run on another machine. 0 when the container was removed. */
async function ageMs(docker: Docker, container: Docker.Container, signal?: AbortSignal): Promise<number> {
  try {
    const { Created } = await call((abortSignal) => container.inspect({ abortSignal }), signal);
    const { SystemTime } = await call(() => docker.info(), signal);
    return Math.max(0, Date.parse(SystemTime) - Date.parse(Created));
  } catch (error) {
    if (hasStatus(error, 404)) return 0;
    throw error;
  }
}

/** Ends a running or paused container; see `Sandbox.stop`. */
export async function stopContainer(docker: Docker, container: Docker.Container, graceMs: number): Promise<void> {
  const { State } = await call((abortSignal) => container.inspect({ abortSignal }));
  if (State.Paused) await ifStillThere(() => container.unpause());
  if (!State.Running && !State.Paused) return;
  const steps = [
    { signal: 'SIGTERM', waitMs: graceMs },
    { signal: 'SIGQUIT', waitMs: reportMs },
    { signal: 'SIGKILL', waitMs: lastResortMs },
  ];
  for (const step of steps) {
    if (!(await ifStillThere(() => container.kill({ signal: step.signal })))) return;
    if (await hasEnded(docker, container.id, step.waitMs)) return;
  }
  throw new Error(`The container ${container.id} does not end`);
}

/** False when the container had ended before. */
async function ifStillThere(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await call(act);
    return true;
  } catch (error) {
    if (hasStatus(error, 404, 409) || (error instanceof EngineError && /not running|not paused/i.test(error.message)))
      return false;
    throw error;
  }
}

async function hasEnded(docker: Docker, id: string, withinMs: number): Promise<boolean> {
  const timer = AbortSignal.timeout(Math.max(1, withinMs));
  try {
    await exitCodeOf(docker, id, timer);
    return true;
  } catch (error) {
    if (timer.aborted) return false;
    if (hasStatus(error, 404)) return true;
    throw error;
  }
}
