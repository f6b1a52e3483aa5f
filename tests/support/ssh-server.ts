import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { temporaryDirectory } from './git-repository.ts';

const run = promisify(execFile);
/** Where tests/support/machine.sh unpacks the server of machines that have none. */
const unpacked = resolve('node_modules/.cache/sshd');

/**
 * OpenSSH's own server on this machine, for the user of the tests and two keys: one that it lets in, one that it does not. Nothing of the
 * machine changes: as root, who needs a user `sshd` and a directory, it gets them in a view of the file system of its own.
 */
export async function serveSsh() {
  const place = await temporaryDirectory('ssh');
  const at = (name: string) => join(place.path, name);
  for (const name of ['host', 'key', 'stranger'])
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', at(name)]);
  await copyFile(at('key.pub'), at('authorized'));
  const user = userInfo().username;
  await writeFile(
    at('config'),
    [
      `HostKey ${at('host')}`,
      `AuthorizedKeysFile ${at('authorized')}`,
      `AllowUsers ${user}`,
      'PermitRootLogin yes',
      'StrictModes no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'AcceptEnv GIT_PROTOCOL',
    ].join('\n'),
  );
  const [program, args, env] = await command(place.path, ['-i', '-f', at('config')]);
  const connections = new Set<ChildProcess>();
  // One process for each connection, as inetd does it: no port has to be chosen, and nothing has to be waited for.
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    const child = spawn(program, args, { env, stdio: [socket, socket, 'ignore'] });
    connections.add(child);
    child.once('close', () => connections.delete(child));
    socket.destroy();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await writeFile(at('known_hosts'), `[127.0.0.1]:${port} ${await readFile(at('host.pub'), 'utf8')}`);
  return {
    address: (path: string) => `ssh://${user}@127.0.0.1:${port}${path}`,
    keyFile: at('key'),
    strangerFile: at('stranger'),
    knownHostsFile: at('known_hosts'),
    /** A copy of the key under another name, with other rights. */
    async copyOfKey(name: string, mode: number): Promise<string> {
      await mkdir(join(at(name), '..'), { recursive: true });
      await copyFile(at('key'), at(name));
      await chmod(at(name), mode);
      return at(name);
    },
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.kill('SIGKILL');
      await new Promise((done) => server.close(done));
      await place[Symbol.asyncDispose]();
    },
  };
}

/** The program, its arguments and its environment. */
async function command(dir: string, args: string[]): Promise<[string, string[], Record<string, string>]> {
  const own = join(unpacked, 'usr/sbin/sshd');
  const libraries = await readFile(join(unpacked, 'libraries'), 'utf8').catch(() => undefined);
  const program = libraries === undefined ? '/usr/sbin/sshd' : own;
  const env = { PATH: process.env.PATH ?? '', ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries.trim() }) };
  if (process.getuid?.() !== 0) return [program, args, env];
  const passwd = join(dir, 'passwd');
  const users = await readFile('/etc/passwd', 'utf8');
  await writeFile(passwd, `${users.replace(/^sshd:.*\n/m, '')}sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n`);
  const script = 'mount --bind "$0" /etc/passwd && mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && exec "$@"';
  return ['unshare', ['--mount', 'sh', '-c', script, passwd, program, ...args], env];
}
