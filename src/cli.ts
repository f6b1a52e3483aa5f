import { AppError, describeError } from './contracts/errors.ts';
import { programVersion } from './runtime/version.ts';
import type { Role } from './serve.ts';

const help = `Deckhand hands coding and ops work from chat to agents and commands in containers.

  deckhand start            gateway and runner in one process; without platform tokens it opens the lab
  deckhand gateway          chat, web and delivery only (needs DATABASE_URL)
  deckhand runner           runs commands only (needs DATABASE_URL)
  deckhand runner list      the machines of runners, and what they do (needs DATABASE_URL, as the next two)
  deckhand runner drain [MACHINE]    gives that machine nothing new (--wait: until nothing runs there); without a name this one
  deckhand runner undrain [MACHINE]  gives it runs again
  deckhand backup FILE      writes all state into one file, while Deckhand runs or not; sealed with DECKHAND_BACKUP_PASSPHRASE
  deckhand restore FILE     puts it into this installation (--check: only looks whether it is whole; --replace: over what is there;
                            --moved: the former one was stopped before its backup and stays so, what waited goes on;
                            --without-key: although nobody has the key of stored credentials)
  deckhand audit verify [FILE]       whether the log of who did what is as it was written, or an export of it (--head HASH: whether a line
                            had this hash; --since 2026-01-31, or a place: only from there on)
  deckhand audit export FILE         writes it as lines of JSON that can be verified anywhere (--since 2026-01-31, --workspace ID)
  deckhand owner list       the owners of this installation
  deckhand owner code       a one-time code for one more owner, when those there are cannot be reached
  deckhand keys list        the keys that stored credentials are encrypted with: which seals, and how much others have sealed
  deckhand keys rotate      changes to another key and seals everything anew, while Deckhand runs or not (--again: makes one more though
                            something of an earlier change does not open)
  deckhand keys retire KEY  gives a former key up (--now: does not wait for what is on its way; --lose: nor for what it has sealed)
  deckhand api PATH         asks the Deckhand that runs on this machine for something of its API, for example tasks
  deckhand doctor           examines every external part and says what to do about each fault
  deckhand slack manifest   prints the manifest of the Slack app (--http: for signed requests to PUBLIC_URL)
  deckhand discord invite   prints the address that adds the bot to a Discord server, with the rights it needs and no others
  deckhand version
  deckhand help

Variables are read from the environment, then from the file .env here. docs/configuration.md lists them.
`;

// Each command loads what it needs itself: the small ones answer at once.

/** What the command line reads and where it writes. */
export interface Terminal {
  env: NodeJS.ProcessEnv;
  out(text: string): void;
  err(text: string): void;
  /** Standard output is a terminal: colours, and log lines for people. */
  interactive: boolean;
}

/** sysexits.h: EX_USAGE and EX_CONFIG. Supervisors do not restart a program whose configuration is wrong. */
const exitUsage = 64;
const exitConfig = 78;

/** Runs one command line; resolves with the exit code. What goes wrong is printed, never thrown. */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await dispatch(args, terminal);
  } catch (error) {
    terminal.err(describeFailure(error));
    return error instanceof AppError && error.code === 'DH-100' ? exitConfig : 1;
  }
}

async function dispatch(args: readonly string[], terminal: Terminal): Promise<number> {
  const words = args.filter((arg) => !arg.startsWith('--'));
  const command = words.join(' ');
  const [verb, file] = words;
  if (words.length === 2 && file !== undefined && (verb === 'backup' || verb === 'restore')) {
    const { runBackup, runRestore } = await import('./backup-command.ts');
    const given = new Set(args.filter((arg) => arg.startsWith('--')));
    const has = (flag: string) => given.delete(flag);
    const flags = verb === 'restore' && {
      check: has('--check'),
      replace: has('--replace'),
      withoutKey: has('--without-key'),
      idle: has('--moved'),
    };
    // A mistyped --check must not begin a restore.
    if (given.size > 0) {
      terminal.err(`\`deckhand ${verb}\` has no ${[...given].join(' ')}.\n\n${help}`);
      return exitUsage;
    }
    return flags === false ? await runBackup(file, terminal) : await runRestore(file, flags, terminal);
  }
  if (verb === 'audit') {
    const { runAudit } = await import('./audit-command.ts');
    const code = await runAudit(args.slice(1), terminal);
    if (code !== undefined) return code;
  }
  if (verb === 'owner' && words.length <= 3) {
    const { ownerVerbs, runOwner } = await import('./owner-command.ts');
    const asked = ownerVerbs.find((known) => known === file);
    if (asked !== undefined) return await runOwner(asked, words[2], terminal);
  }
  if (verb === 'keys') {
    const { runKeys } = await import('./keys-command.ts');
    const code = await runKeys(args.slice(1), terminal);
    if (code !== undefined) return code;
  }
  if (verb === 'runner' && file !== undefined && words.length <= 3) {
    const { runnerVerbs, runRunnerCommand } = await import('./runner-command.ts');
    const asked = runnerVerbs.find((known) => known === file);
    // A mistyped --wait must not look as if nothing ran there any more.
    const unknown = args.filter((arg) => arg.startsWith('--') && !(arg === '--wait' && asked === 'drain'));
    if (asked !== undefined && unknown.length > 0) {
      terminal.err(`\`deckhand runner ${asked}\` has no ${unknown.join(' ')}.\n\n${help}`);
      return exitUsage;
    }
    if (asked !== undefined) return await runRunnerCommand(asked, words[2], { wait: args.includes('--wait') }, terminal);
  }
  if (verb === 'api' && file !== undefined && words.length === 2) return await askApi(file, terminal);
  switch (command) {
    case 'start':
    case 'gateway':
    case 'runner':
      return runRole(command, terminal);
    case 'doctor':
      return runDoctor(terminal);
    case 'slack manifest':
      return await printManifest(args.includes('--http'), terminal);
    case 'discord invite':
      return printInvite(terminal);
    case 'version':
      terminal.out(`${programVersion()}\n`);
      return 0;
    case '':
    case 'help':
      terminal.out(help);
      return 0;
    default:
      terminal.err(`There is no command \`${command}\`.\n\n${help}`);
      return exitUsage;
  }
}

async function runRole(role: Role, terminal: Terminal): Promise<number> {
  const [{ loadConfig }, { createLogger }, { serve }] = await Promise.all([
    import('./config.ts'),
    import('./runtime/logger.ts'),
    import('./serve.ts'),
  ]);
  const config = loadConfig(terminal.env, { opensLab: role !== 'runner' });
  if (role !== 'start' && config.databaseUrl === undefined) {
    throw new AppError('DH-100', { problems: `DATABASE_URL is needed by \`deckhand ${role}\`: gateway and runner meet there` });
  }
  const logger = createLogger({ level: config.logLevel, secrets: config.secrets, readable: terminal.interactive });
  const { createApp } = await import('./app.ts');
  return serve({ createApp: (...args) => createApp(...args, terminal.env), config, role, logger, events: process });
}

async function askApi(path: string, terminal: Terminal): Promise<number> {
  const [{ loadConfig }, { askLocally }] = await Promise.all([import('./config.ts'), import('./local-call.ts')]);
  const { dataDir } = loadConfig(terminal.env, { opensLab: false });
  const { ok, text } = await askLocally(dataDir, path);
  if (ok) terminal.out(`${text}\n`);
  else terminal.err(`${text}\n`);
  return ok ? 0 : 1;
}

async function runDoctor(terminal: Terminal): Promise<number> {
  const [{ loadConfig }, { examineInstallation }, { renderFindings }] = await Promise.all([
    import('./config.ts'),
    import('./doctor-installation.ts'),
    import('./doctor.ts'),
  ]);
  const config = loadConfig(terminal.env, { opensLab: false });
  const findings = await examineInstallation(config);
  terminal.out(renderFindings(findings, { colour: terminal.interactive }));
  return findings.some((finding) => finding.state === 'failed') ? 1 : 0;
}

async function printManifest(http: boolean, terminal: Terminal): Promise<number> {
  const publicUrl = terminal.env.PUBLIC_URL?.replace(/\/+$/, '');
  if (http && !publicUrl) {
    throw new AppError('DH-100', { problems: 'PUBLIC_URL is needed for --http: it is the address that Slack sends to' });
  }
  const [{ slackManifest }, { usageHint }] = await Promise.all([
    import('../adapters/slack/manifest.ts'),
    import('./commands/registry.ts'),
  ]);
  const manifest = slackManifest({ mode: http ? 'http' : 'socket', publicUrl, usageHint: usageHint() });
  terminal.out(`${JSON.stringify(manifest, null, 2)}\n`);
  return 0;
}

async function printInvite(terminal: Terminal): Promise<number> {
  const { discordInvite } = await import('./discord-invite.ts');
  terminal.out(`${await discordInvite(terminal.env)}\n`);
  return 0;
}

function describeFailure(error: unknown): string {
  if (!(error instanceof AppError)) return `✖ ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`;
  const { title, text, remedy } = describeError(error.code, error.params);
  return `✖ ${title} (${error.code})\n${`${text}\n${remedy}`.replace(/^/gm, '  ')}\n`;
}
