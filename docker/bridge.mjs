/**
 * Main process of a sandbox in which an agent works: the agent's way to its gateway, and the gateway's way to the agent.
 *
 *     node bridge.mjs -- COMMAND [ARGUMENT]...     runs the program of an agent
 *     node bridge.mjs                              runs nothing; programs are started beside it
 *     node bridge.mjs --ahead JSON                 starts the program before it is known for which run
 *
 * - Connections to 127.0.0.1:$DECKHAND_GATEWAY_PORT (9100) go to the unix socket $DECKHAND_GATEWAY_SOCKET
 *   (/run/deckhand/gw.sock). While nobody listens there, because the runner starts again, they wait.
 * - `GET /input?after=N` on that socket, with $DECKHAND_RUN_TOKEN, answers with a stream of JSON lines that begins after number N and
 *   never ends by itself: `{"seq":1,"line":"text"}` goes to the stdin of the command with a line end, `{"seq":2,"end":true}` closes
 *   it, `{"seq":3,"signal":"SIGINT"}` is sent to the command. Each is carried out once, in order; a stream that breaks is asked for
 *   again from there on, for as long as it takes. $DECKHAND_INPUT_AFTER (0) is the last number that earlier sandboxes of the run have
 *   had. Empty lines say that the stream lives.
 * - stdout and stderr of the command are those of this process, and so is its end: exit code or signal.
 *
 * The command sees the environment without the variables named above and LD_PRELOAD, with which the sandbox makes this process
 * private. Signals from outside reach the command by themselves, for
 * whoever stops a sandbox signals all of it; this process ends after the command. Without a command it ends at SIGTERM, or with 0 at
 * `end`.
 *
 * With `--ahead` it writes those of `files` that are not there, starts `argv` with the variables `env` and forwards nothing, until its stdin ends. Then the file `go`
 * says what the first process of a sandbox is told (docker/sandbox-init.c): which command of this program's own is to run, with which
 * variables. Where that is `argv`, which still runs, and $DECKHAND_AHEAD_TELL is set, it is the command: before all input it gets the
 * lines of that JSON array, which tell it what it would have found in the variables. Otherwise it is killed, and the command started.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** What the variables say to this process, and what is left of them for the command. */
function readVariables({
  DECKHAND_GATEWAY_SOCKET: gatewaySocket = '/run/deckhand/gw.sock',
  DECKHAND_GATEWAY_PORT: gatewayPort = '9100',
  DECKHAND_RUN_TOKEN: token = '',
  DECKHAND_INPUT_AFTER: inputAfter = '0',
  DECKHAND_AHEAD_TELL: tell,
  LD_PRELOAD: _,
  ...commandEnv
}) {
  return { gatewaySocket, gatewayPort, token, inputAfter, tell: tell && JSON.parse(tell), commandEnv };
}

const [mark, ...command] = process.argv.slice(2);
/** Those of the run; undefined: it is not known yet. */
let variables = mark === '--ahead' ? undefined : readVariables(process.env);

/** What a connection may say while it waits for the gateway; then it is not read on. */
const heldBytes = 1024 * 1024;
const firstPauseMs = 50;
const longestPauseMs = 2000;
/** What was started ahead has done so by then. */
const stillAfterMs = 30_000;
/** A single line of input; what is longer is no input. */
const lineBytes = 64 * 1024 * 1024;

function fail(code, text) {
  process.stderr.write(`deckhand-bridge: ${text}\n`, () => process.exit(code));
}

/** Connects to the gateway, trying again until it works or `given` says that nobody waits any more. */
async function connectGateway(given) {
  for (let pause = firstPauseMs; !given.aborted; pause = Math.min(longestPauseMs, pause * 1.5)) {
    const socket = connect({ path: variables.gatewaySocket, allowHalfOpen: true });
    try {
      await once(socket, 'connect', { signal: given });
      return socket;
    } catch {
      socket.destroy();
    }
    await delay(pause, undefined, { signal: given }).catch(() => undefined);
  }
  return undefined;
}

async function forward(near) {
  if (variables === undefined) {
    near.on('error', () => undefined).destroy();
    return;
  }
  const gaveUp = new AbortController();
  const held = [];
  let bytes = 0;
  const hold = (chunk) => {
    held.push(chunk);
    bytes += chunk.length;
    if (bytes > heldBytes) near.pause();
  };
  const leave = () => {
    gaveUp.abort();
    near.destroy();
  };
  // Programs that ask over HTTP keep their side open until the answer: who closes it while it waits has given up.
  near.on('data', hold).once('end', leave).on('error', leave).once('close', leave);
  const far = await connectGateway(gaveUp.signal);
  if (far === undefined) return;
  near.off('data', hold).off('end', leave);
  far.on('error', () => near.destroy()).once('close', () => near.destroySoon());
  near.once('close', () => far.destroy());
  for (const chunk of held) far.write(chunk);
  near.pipe(far).pipe(near);
}

/** Opens the stream of inputs after number `after`; undefined where there is none now. */
async function openInput(after) {
  const { promise, resolve } = Promise.withResolvers();
  const headers = { host: 'gateway', authorization: `Bearer ${variables.token}` };
  const asking = request({ socketPath: variables.gatewaySocket, path: `/input?after=${after}`, headers, agent: false });
  asking.once('response', (response) => {
    if (response.statusCode === 200) resolve(response);
    else {
      response.destroy();
      resolve(undefined);
    }
  });
  asking.on('error', () => resolve(undefined));
  asking.end();
  return await promise;
}

/** Complete lines of a stream of bytes; throws where one is too long. A last line without its end is none: the stream broke. */
async function* linesOf(stream) {
  let parts = [];
  let bytes = 0;
  for await (const chunk of stream) {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      yield Buffer.concat([...parts, chunk.subarray(from, end)]).toString();
      parts = [];
      bytes = 0;
      from = end + 1;
    }
    parts.push(chunk.subarray(from));
    bytes += chunk.length - from;
    if (bytes > lineBytes) throw new Error('a line of input is too long');
  }
}

/** Gives `carryOut` every input once, in order; never ends. */
async function takeInputs(carryOut) {
  let after = Number(variables.inputAfter);
  let pause = firstPauseMs;
  for (;;) {
    const stream = await openInput(after);
    try {
      for await (const line of stream === undefined ? [] : linesOf(stream)) {
        pause = firstPauseMs;
        if (line.trim() === '') continue;
        const input = JSON.parse(line);
        if (input.seq <= after) continue;
        // One that is missing comes when it is asked for again.
        if (input.seq !== after + 1) break;
        after = input.seq;
        await carryOut(input);
      }
    } catch {
      // A stream that breaks, or says something else than inputs: asked for again.
    }
    stream?.destroy();
    await delay(pause);
    pause = Math.min(longestPauseMs, pause * 1.5);
  }
}

function start([program, ...args], env) {
  // They reach the command too, and it decides.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.removeAllListeners(signal).on(signal, () => undefined);
  return spawn(program, args, { stdio: ['pipe', 'inherit', 'inherit'], env });
}

/** Makes its end that of this process; returns what carries out its inputs. */
function follow(child, program) {
  child.once('error', (error) => {
    if (child.pid !== undefined) return;
    const missing = error.code === 'ENOENT';
    fail(missing ? 127 : 126, `${program}: ${missing ? 'command not found' : error.message}`);
  });
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // Signals that end no Node program.
    setTimeout(() => process.exit(128 + constants.signals[signal]), 100);
  });
  // A command that has closed its stdin wants no more input.
  const { promise: closed, resolve: onClose } = Promise.withResolvers();
  child.stdin.once('close', onClose).on('error', () => undefined);
  return async ({ line, end, signal }) => {
    if (line !== undefined) {
      if (child.stdin.writable && !child.stdin.write(`${line}\n`)) await Promise.race([once(child.stdin, 'drain'), closed]);
    } else if (end === true) child.stdin.end();
    else if (signal !== undefined) child.kill(signal);
  };
}

/** Without a command. */
async function idle({ end, signal }) {
  if (end === true) process.exit(0);
  if (signal !== undefined) process.kill(process.pid, signal);
}

/** Starts a program; returns what makes it the command of the run when that is known. */
function startAhead({ argv, env, files }) {
  for (const { path, text } of files) {
    mkdirSync(dirname(path), { recursive: true });
    try {
      writeFileSync(path, text, { flag: 'wx' });
    } catch (error) {
      // That of the run is there already.
      if (error.code !== 'EEXIST') throw error;
    }
  }
  const { commandEnv } = readVariables(process.env);
  const child = start(argv, { ...commandEnv, ...env });
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  // It looks around now and then; nothing of that is of use before there is a run.
  const still = setTimeout(() => child.kill('SIGSTOP'), stillAfterMs);
  return async (wanted) => {
    clearTimeout(still);
    const runs = child.pid !== undefined && child.exitCode === null && child.signalCode === null;
    if (runs && variables.tell !== undefined && JSON.stringify(wanted) === JSON.stringify(argv)) {
      child.kill('SIGCONT');
      for (const line of variables.tell) child.stdin.write(`${line}\n`);
      return child;
    }
    if (runs) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    return undefined;
  };
}

/** The order of a sandbox that waits, as docker/sandbox-init.c reads it: what follows the bridge, and the variables. */
function readOrder(path) {
  const fields = readFileSync(path, 'utf8').split('\0');
  const count = Number(fields[3]);
  const argv = fields.slice(4, 4 + count);
  const env = fields.slice(5 + count, 5 + count + Number(fields[4 + count])).map((variable) => {
    const cut = variable.indexOf('=');
    return [variable.slice(0, cut), variable.slice(cut + 1)];
  });
  const at = argv.indexOf('--');
  return { command: at === -1 ? [] : argv.slice(at + 1), env: Object.fromEntries(env) };
}

/** Carries out the inputs of the run's command. */
function work(command, child) {
  if (command.length === 0) takeInputs(idle);
  else takeInputs(follow(child ?? start(command, variables.commandEnv), command[0]));
}

async function waitForRun(ahead) {
  const adopt = startAhead(ahead);
  process.stdin.resume();
  await once(process.stdin, 'end');
  const order = readOrder(ahead.go);
  variables = readVariables({ ...process.env, ...order.env });
  work(order.command, await adopt(order.command));
}

if (!['--', '--ahead', undefined].includes(mark) || (mark !== undefined && command.length === 0))
  fail(64, 'usage: bridge.mjs [-- COMMAND [ARGUMENT]... | --ahead JSON]');
else {
  const gatewayPort = variables?.gatewayPort ?? process.env.DECKHAND_GATEWAY_PORT ?? '9100';
  const server = createServer({ allowHalfOpen: true }, forward);
  server.once('error', (error) => fail(125, `127.0.0.1:${gatewayPort}: ${error.message}`));
  server.listen(Number(gatewayPort), '127.0.0.1', () => {
    if (mark === '--ahead') waitForRun(JSON.parse(command[0]));
    else work(command);
  });
}
