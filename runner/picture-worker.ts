import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parentPort } from 'node:worker_threads';
import { initWasm, Resvg } from '@resvg/resvg-wasm';
import { rowsOf } from '../src/changes/picture-rows.ts';
import { pictureColumns, pictureRows, svgOf } from '../src/changes/picture-svg.ts';
import { countsOf, type PatchFile, readPatch } from '../src/changes/read-patch.ts';
import type { DrawnAlready, PictureOf } from './picture.ts';

/** The thread of `createDrawing`: draws one picture after the other, each asked for by a message and answered by one. What it cannot draw ends it. */
const { resolve } = createRequire(import.meta.url);
const font = (name: string) => readFileSync(resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`));
let fontBuffers: Uint8Array[] | undefined;

parentPort?.on('message', async (of: PictureOf | DrawnAlready) => {
  parentPort?.postMessage(await draw(of));
});

function svgOfPatch({ patch, title, totals, file }: PictureOf): string | undefined {
  const all = readPatch(patch);
  const files = file === undefined ? all : all.slice(file, file + 1);
  if (files.length === 0) return undefined;
  return svgOf(rowsOf(files, { title, totals: totals ?? totalsOf(files), columns: pictureColumns, maxRows: pictureRows }));
}

async function draw(of: PictureOf | DrawnAlready): Promise<Uint8Array | undefined> {
  const svg = 'svg' in of ? of.svg : svgOfPatch(of);
  if (svg === undefined) return undefined;
  if (fontBuffers === undefined) {
    await initWasm(readFileSync(resolve('@resvg/resvg-wasm/index_bg.wasm')));
    fontBuffers = [font('DejaVuSansMono'), font('DejaVuSansMono-Bold'), font('DejaVuSans')];
  }
  const picture = new Resvg(svg, { font: { fontBuffers, defaultFontFamily: 'DejaVu Sans Mono' } });
  const image = picture.render();
  try {
    return image.asPng();
  } finally {
    image.free();
    picture.free();
  }
}

function totalsOf(shown: readonly PatchFile[]): NonNullable<PictureOf['totals']> {
  const counts = shown.flatMap((one) => countsOf(one) ?? []);
  const sum = (of: 'added' | 'removed') => counts.reduce((total, count) => total + count[of], 0);
  return { files: shown.length, added: sum('added'), removed: sum('removed') };
}
