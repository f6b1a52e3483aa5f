import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import Fastify from 'fastify';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { PersonKey } from '../../lab/page-person.ts';
import { createTelegramEmulator, type TelegramEmulator } from '../../lab/telegram/emulator.ts';
import { type TelegramLabHost, telegramLabRoutes } from '../../lab/telegram-routes.ts';

/** The Telegram pane alone, in a browser, on an emulator without Deckhand. */
export interface TelegramPane {
  telegram: TelegramEmulator;
  page: Page;
  /** Mistakes of the page. */
  pageErrors: string[];
  setPerson(person: PersonKey): Promise<void>;
  close(): Promise<void>;
}

const folder = fileURLToPath(new URL('../../lab/page-telegram', import.meta.url));

export async function openTelegramPane(host: TelegramLabHost = {}): Promise<TelegramPane> {
  const telegram = await createTelegramEmulator();
  const [bundle, browser] = await Promise.all([bundlePane(), launch()]);
  const server = Fastify({ forceCloseConnections: true });
  await server.register(telegramLabRoutes(telegram, host));
  server.get('/', async (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .send(
        '<!doctype html><link rel="icon" href="data:,"><link rel="stylesheet" href="/pane.css"><body style="margin:0"><div id="pane" style="height:100vh"></div><script type="module" src="/pane.js"></script>',
      ),
  );
  server.get('/pane.js', async (_request, reply) => reply.type('text/javascript; charset=utf-8').send(bundle.script));
  server.get('/pane.css', async (_request, reply) => reply.type('text/css; charset=utf-8').send(bundle.style));
  const url = await server.listen({ host: '127.0.0.1', port: 0 });

  const page = await browser.newPage({ viewport: { width: 1100, height: 800 } });
  const pageErrors: string[] = [];
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (error) => pageErrors.push(error.message));
  await page.goto(url);
  return {
    telegram,
    page,
    pageErrors,
    setPerson: (person) => page.evaluate(`pane.setPerson(${JSON.stringify(person)})`),
    async close() {
      await browser.close();
      await server.close();
      await telegram.close();
    },
  };
}

async function bundlePane(): Promise<{ script: string; style: string }> {
  const contents =
    "import './styles.css'; import { mount } from './pane.tsx'; window.pane = mount(document.getElementById('pane'), 'ada');";
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder, loader: 'tsx' },
    outdir: '/',
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2023',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'silent',
  });
  const output = (ending: string) => outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? '';
  return { script: output('.js'), style: output('.css') };
}

function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update'],
  });
}
