/**
 * Flags of Node for programs that live for seconds or minutes. V8 compiles what WebAssembly runs often a second time, for speed: with the query
 * compiler of Prisma that costs more than such a program wins by it. `src/keep-compiled.js` sets the same for Deckhand.
 */
export const briefFlags = ['--wasm-tiering-budget=200000000'];
