/**
 * Main process of a sandbox in which an agent works: the agent's way to its gateway, and the gateway's way to the agent.
 *
 *     node bridge.mjs -- COMMAND [ARGUMENT]...     runs the program of an agent
 *     node bridge.mjs                              runs nothing; programs are started beside it
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
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

const {
  DECKHAND_GATEWAY_SOCKET: gatewaySocket = '/run/deckhand/gw.sock',
  DECKHAND_GATEWAY_PORT: gatewayPort = '9100',
  DECKHAND_RUN_TOKEN: token = '',
  DECKHAND_INPUT_AFTER: inputAfter = '0',
  LD_PRELOAD: _,
  ...commandEnv
} = process.env;

/** What a connection may say while it waits for the gateway; then it is not read on. */
const heldBytes = 1024 * 1024;
const firstPauseMs = 50;
const longestPauseMs = 2000;
/** A single line of input; what is longer is no input. */
const lineBytes = 64 * 1024 * 1024;

function fail(code, text) {
  process.stderr.write(`deckhand-bridge: ${text}\n`, () => process.exit(code));
}

/** Connects to the gateway, trying again until it works or `given` says that nobody waits any more. */
async function connectGateway(given) {
  for (let pause = firstPauseMs; !given.aborted; pause = Math.min(longestPauseMs, pause * 1.5)) {
    const socket = connect({ path: gatewaySocket, allowHalfOpen: true });
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
  const headers = { host: 'gateway', authorization: `Bearer ${token}` };
  const asking = request({ socketPath: gatewaySocket, path: `/input?after=${after}`, headers, agent: false });
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
  let after = Number(inputAfter);
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

/** Runs the command; returns what carries out its inputs. */
function run([command, ...args]) {
  // They reach the command too, and it decides.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => undefined);
  const child = spawn(command, args, { stdio: ['pipe', 'inherit', 'inherit'], env: commandEnv });
  child.once('error', (error) => {
    if (child.pid !== undefined) return;
    const missing = error.code === 'ENOENT';
    fail(missing ? 127 : 126, `${command}: ${missing ? 'command not found' : error.message}`);
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

const [mark, ...command] = process.argv.slice(2);
if (mark !== undefined && (mark !== '--' || command.length === 0)) fail(64, 'usage: bridge.mjs [-- COMMAND [ARGUMENT]...]');
else {
  const server = createServer({ allowHalfOpen: true }, forward);
  server.once('error', (error) => fail(125, `127.0.0.1:${gatewayPort}: ${error.message}`));
  server.listen(Number(gatewayPort), '127.0.0.1', () => {
    takeInputs(command.length === 0 ? idle : run(command));
  });
}
