import { globSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A file of the repository, by its path below the root with forward slashes. */
export interface SourceFile {
  path: string;
  text: string;
}

/** Files written by hand that match one of the patterns. */
export function sourceFiles(...patterns: string[]): SourceFile[] {
  return globSync(patterns, { cwd: root, exclude: (name) => /(^|\/)(node_modules|\.git|prisma\/client)$/.test(name) })
    .filter((path) => !/\/(node_modules|client)\//.test(path) && statSync(`${root}/${path}`).isFile())
    .sort()
    .map((path) => ({ path, text: readFileSync(`${root}/${path}`, 'utf8') }));
}

/** Every TypeScript file. */
export function typescriptFiles(): SourceFile[] {
  return sourceFiles('{src,adapters,runner,lab,web,prisma,docs,bench,tests}/**/*.{ts,tsx}', '*.ts');
}
