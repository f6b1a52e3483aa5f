import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { initWasm, Resvg } from '@resvg/resvg-wasm';
import { rowsOf } from '../src/changes/picture-rows.ts';
import { pictureColumns, pictureRows, svgOf } from '../src/changes/picture-svg.ts';
import { countsOf, type PatchFile, readPatch } from '../src/changes/read-patch.ts';
import type { PictureOf } from './picture.ts';

/** The thread of `drawPatch`: one picture, then it ends. */
const { patch, title, totals, file }: PictureOf = workerData;
const all = readPatch(patch);
const files = file === undefined ? all : all.slice(file, file + 1);

async function draw(): Promise<Uint8Array | undefined> {
  if (files.length === 0) return undefined;
  const svg = svgOf(rowsOf(files, { title, totals: totals ?? totalsOf(files), columns: pictureColumns, maxRows: pictureRows }));
  const { resolve } = createRequire(import.meta.url);
  await initWasm(readFileSync(resolve('@resvg/resvg-wasm/index_bg.wasm')));
  const font = (name: string) => readFileSync(resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`));
  const fontBuffers = [font('DejaVuSansMono'), font('DejaVuSansMono-Bold'), font('DejaVuSans')];
  return new Resvg(svg, { font: { fontBuffers, defaultFontFamily: 'DejaVu Sans Mono' } }).render().asPng();
}

function totalsOf(shown: readonly PatchFile[]): NonNullable<PictureOf['totals']> {
  const counts = shown.flatMap((one) => countsOf(one) ?? []);
  const sum = (of: 'added' | 'removed') => counts.reduce((total, count) => total + count[of], 0);
  return { files: shown.length, added: sum('added'), removed: sum('removed') };
}

parentPort?.postMessage(await draw());
