#!/usr/bin/env node
// JavaScript, as what it imports before `cli.ts`: Node loads a compiler for the first TypeScript that was not compiled before, which no start needs.
import { existsSync } from 'node:fs';
import { keepCompiled } from './keep-compiled.js';

// npm links this file as `deckhand`, and then it runs with whatever node the machine has.
if (Number.parseInt(process.versions.node, 10) < 24) {
  process.stderr.write(
    `Deckhand needs Node 24 or newer, this is ${process.versions.node}. \`npm start\` uses the one it brings.\n`,
  );
  process.exit(78);
}
if (existsSync('.env')) process.loadEnvFile('.env');
keepCompiled();

const { runCommandLine } = await import('./cli.ts');
const exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  interactive: process.stdout.isTTY === true,
});
// What was sent to a pipe arrives before the exit, which must not wait for connections that somebody forgot to close.
process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)));
