import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

/**
 * Compiled code is kept from start to start, which halves the time to ready. Only whoever installs Deckhand can write there; where that is
 * somebody else, nothing is added. For whoever imports this first: what was loaded before is compiled every time.
 */
export function keepCompiled() {
  // First of all: what was compiled under other flags is of no use.
  // Where there is memory, Node lets the heap grow to several times what it holds before it collects: here to half as much again.
  setFlagsFromString('--heap-growing-percent=50');
  // WebAssembly that is used a little is compiled a second time, for speed. Of the query compiler of Prisma, which each statement needs once,
  // that takes a sixth of the time of a start: it has to be used fifteen times as much before.
  setFlagsFromString('--wasm-tiering-budget=200000000');
  module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/deckhand', import.meta.url)));
}
