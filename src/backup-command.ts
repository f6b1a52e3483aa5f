import { makeBackup } from './backup.ts';
import type { Terminal } from './cli.ts';
import { type Config, loadConfig } from './config.ts';
import { bytes as byteText } from './delivery/units.ts';
import { checkBackup, restoreBackup } from './restore.ts';

/** `deckhand backup FILE`: exit code. */
export async function runBackup(file: string, terminal: Terminal): Promise<number> {
  const config = loadConfig(terminal.env, { opensLab: false });
  const report = await makeBackup(config, file, (line) => terminal.out(`${line}\n`));
  terminal.out(`✔ ${report.file}: ${report.entries} entries, ${byteText(report.bytes)} unpacked, checksum ${report.sha256}\n`);
  terminal.out(
    report.keyIncluded
      ? '  It is sealed, and has the key of stored credentials in it. Nobody can open it without DECKHAND_BACKUP_PASSPHRASE.\n'
      : `  It is not sealed, so the key of stored credentials is not in it: keep ${keyPlace(config)} apart from it.\n`,
  );
  return 0;
}

function keyPlace({ secretKey, dataDir }: Config): string {
  return secretKey === undefined ? `${dataDir}/secret-key` : 'DECKHAND_SECRET_KEY';
}

/** `deckhand restore FILE`: exit code. */
export async function runRestore(
  file: string,
  flags: { check: boolean; replace: boolean; withoutKey: boolean; idle: boolean },
  terminal: Terminal,
): Promise<number> {
  const { config, keyless } = configFor(terminal.env);
  if (flags.check) {
    const { manifest, bytes } = await checkBackup(file, config.backupPassphrase);
    terminal.out(`✔ It is whole: ${byteText(bytes)} unpacked, made ${manifest.createdAt} by Deckhand ${manifest.version}\n`);
    return 0;
  }
  const { formerHosts, keyWritten } = await restoreBackup(config, file, flags, (line) => terminal.out(`${line}\n`));
  terminal.out(
    flags.idle
      ? '✔ Everything is restored. Start Deckhand; what ran when the backup was made ends as interrupted, what waited goes on.\n'
      : '✔ Everything is restored. Start Deckhand; what ran or waited when the backup was made ends as interrupted, with a Retry button.\n',
  );
  if (formerHosts.length > 0) terminal.out('  What the former installation left on its container engines stays there:\n');
  for (const host of formerHosts)
    terminal.out(`    docker ps --all --filter label=deckhand.instance=${host.replace('_', '-')}\n`);
  if (keyless && keyWritten)
    terminal.out(
      `  Before the start, set DECKHAND_SECRET_KEY to what is in ${config.dataDir}/secret-key: the key came with the backup.\n`,
    );
  return 0;
}

/** With DATABASE_URL the key must be set, but here it may come with the backup. */
function configFor(env: NodeJS.ProcessEnv): { config: Config; keyless: boolean } {
  const keyless = Boolean(env.DATABASE_URL) && !env.DECKHAND_SECRET_KEY;
  if (!keyless) return { config: loadConfig(env, { opensLab: false }), keyless };
  const standIn = Buffer.alloc(32).toString('base64');
  return {
    config: { ...loadConfig({ ...env, DECKHAND_SECRET_KEY: standIn }, { opensLab: false }), secretKey: undefined },
    keyless,
  };
}
