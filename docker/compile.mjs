// Reads every file of the program once: that nothing is missing shows here, and what was compiled is kept for all starts of the user who runs
// this. The image is built with it.
import { globSync } from 'node:fs';
import { keepCompiled } from '../src/keep-compiled.js';

keepCompiled();
const src = new URL('../src/', import.meta.url);
for (const file of globSync('*.ts', { cwd: src })) await import(new URL(file, src).href);
process.exit();
