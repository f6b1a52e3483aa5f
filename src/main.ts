#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

// npm links this file as `deckhand`, and then it runs with whatever node the machine has.
if (Number.parseInt(process.versions.node, 10) < 24) {
  process.stderr.write(
    `Deckhand needs Node 24 or newer, this is ${process.versions.node}. \`npm start\` uses the one it brings.\n`,
  );
  process.exit(78);
}
if (existsSync('.env')) process.loadEnvFile('.env');

// Where there is memory, Node lets the heap grow to several times what it holds before it collects: here to half as much again.
setFlagsFromString('--heap-growing-percent=50');

// Compiled code is kept from start to start, which halves the time to ready. Only whoever installs Deckhand can write there; where
// that is somebody else, nothing is kept.
const { enableCompileCache } = await import('node:module');
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/deckhand', import.meta.url)));

const { runCommandLine } = await import('./cli.ts');
const exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  interactive: process.stdout.isTTY === true,
});
// What was sent to a pipe arrives before the exit, which must not wait for connections that somebody forgot to close.
process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)));
