import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { Core } from './core.ts';
import type { Account, Repository, Token } from './model.ts';

/** What an emulator remembers from start to start, beside its bare repositories: as Node writes structured values, maps and all. */
interface Kept {
  lastId: number;
  accounts: Account[];
  repositories: Repository[];
  tokens: Token[];
}

/** Changes come in bursts; a kill loses at most what came within this. Milliseconds. */
const writeAfterMs = 200;

export interface Keeper {
  /** Writes what has not been written yet, and stops. */
  close(): Promise<void>;
}

/** Takes over what was kept in `directory`, and keeps what changes from now on. Apps and their installations begin anew. */
export async function keep(core: Core, directory: string): Promise<Keeper> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, 'state');
  const before = await readFile(file).catch(() => undefined);
  if (before !== undefined) takeOver(core, deserialize(before) as Kept);

  let writing: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  const write = () => {
    timer = undefined;
    const bytes = serialize(stateOf(core));
    writing = writing
      .then(async () => {
        await writeFile(`${file}.new`, bytes, { mode: 0o600 });
        await rename(`${file}.new`, file);
      })
      .catch(core.failed);
  };
  const unsubscribe = core.subscribe(() => {
    timer ??= setTimeout(write, writeAfterMs);
  });
  return {
    async close() {
      unsubscribe();
      clearTimeout(timer);
      write();
      await writing;
    },
  };
}

function takeOver(core: Core, { lastId, accounts, repositories, tokens }: Kept): void {
  core.ids.continueAfter(lastId);
  for (const account of accounts) core.accounts.set(account.login.toLowerCase(), account);
  for (const token of tokens) core.tokens.set(token.token, token);
  for (const repository of repositories) {
    // The directory may have been moved.
    const directory = join(core.root, `${repository.id}.git`);
    core.repositories.set(`${repository.owner}/${repository.name}`.toLowerCase(), { ...repository, directory });
  }
}

function stateOf({ ids, accounts, repositories, tokens }: Core): Kept {
  return {
    lastId: ids.last(),
    accounts: [...accounts.values()],
    repositories: [...repositories.values()],
    tokens: [...tokens.values()].filter(({ installation }) => installation === undefined),
  };
}
