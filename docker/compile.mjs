// Reads every file of the program once, those too that are loaded only where they are needed: that nothing is missing shows here, and what was
// compiled is kept for all starts of the user who runs this. The image is built with it.
import { globSync } from 'node:fs';
import { keepCompiled } from '../src/keep-compiled.js';

keepCompiled();
const root = new URL('../', import.meta.url);
for (const file of globSync(['src/*.ts', 'src/queue/*.ts', 'adapters/*/*.ts'], { cwd: root }))
  await import(new URL(file, root).href);
process.exit();
