import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, it } from 'vitest';
import { type Bench, takeAll, toText } from './sandbox-subject.ts';

/** Names that may stand in the environment of a command that was given none. */
const allowed =
  /^(PATH|HOME|USER|TMPDIR|LANG|TERM|CI|HOSTNAME|NODE_VERSION|YARN_VERSION|NODE_EXTRA_CA_CERTS|PWD|OLDPWD|SHLVL|_)$/;

export function isolationContract(bench: Bench): void {
  it('shows the command nothing of the environment of the runner, and helpers nothing of that of the command', async () => {
    process.env.DECKHAND_SECRET_KEY = 'a-secret-of-the-runner';
    try {
      // And a home and a place for temporary files that it can write.
      const writes = 'touch "$HOME/x" "$TMPDIR/y" && cd "$TMPDIR" && git init -q r && echo fine >&2';
      const { run, stdout, stderr } = await bench.complete(`env -0; cat /proc/$PPID/environ 2>/dev/null; ${writes}`, {
        env: { GIVEN: 'only-for-the-command' },
      });
      expect(toText(stderr)).toBe('fine\n');
      const text = toText(stdout);
      expect(text).not.toContain('a-secret-of-the-runner');
      const names = text.split('\0').filter((line) => line !== '');
      expect(names).toContain('GIVEN=only-for-the-command');
      expect(names.map((line) => line.split('=')[0] ?? '').filter((name) => !allowed.test(name) && name !== 'GIVEN')).toEqual([]);
      for (const name of ['PATH', 'HOME', 'USER', 'TMPDIR', 'LANG', 'TERM', 'CI']) expect(text).toContain(`${name}=`);
      const helper = { argv: ['env'] as const, env: { FOR_HELPER: 'yes' }, timeMs: 10_000, outputBytes: 10_000 };
      const told = toText(Buffer.concat(await takeAll(bench.sandbox.collect(run, helper))));
      expect(told).toContain('FOR_HELPER=yes');
      expect(told).not.toMatch(/only-for-the-command|a-secret-of-the-runner/);
    } finally {
      delete process.env.DECKHAND_SECRET_KEY;
    }
  });

  if (!bench.subject.capabilities.isolated) {
    it('declares that it isolates nothing', () => {
      expect(bench.subject.capabilities).toMatchObject({ isolated: false, network: 'host' });
    });
    return;
  }

  it('has no way to the network, nor to the host', async () => {
    const server = createServer((_, answer) => answer.end('reached'));
    await new Promise<void>((listening) => server.listen(0, '0.0.0.0', listening));
    try {
      const { port } = server.address() as AddressInfo;
      const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
      const addresses = [...own.filter((entry) => entry.family === 'IPv4').map((entry) => entry.address), '172.17.0.1'];
      const targets = [...addresses.map((address) => `http://${address}:${port}/`), 'http://1.1.1.1/', 'http://169.254.169.254/'];
      const script = `for url in ${targets.join(' ')}; do curl -s -m 2 $url && echo " $url"; done; ls /sys/class/net; getent hosts example.com; getent ahosts localhost | grep STREAM`;
      const { run, stdout } = await bench.complete(script);
      // Nothing but itself, by its name too.
      expect(toText(stdout)).toMatch(/^lo\n127\.0\.0\.1 +STREAM localhost\n$/);
      const helper = { argv: ['ls', '/sys/class/net'] as const, timeMs: 10_000, outputBytes: 1000 };
      expect(toText(Buffer.concat(await takeAll(bench.sandbox.collect(run, helper))))).toBe('lo\n');
    } finally {
      server.close();
    }
  });

  it('can neither end, stop, read nor imitate the process that holds it to its limits', async () => {
    const script = `kill -KILL 1; kill -STOP 1; ls /proc/1/fd 2>/dev/null; cat /proc/1/environ /proc/1/mem 2>/dev/null
      echo 'x {"cause":"exit","exitCode":0}' >/proc/1/fd/1 || echo refused; echo 'x {}'; sleep 0.3; exit 6`;
    const { stdout, result } = await bench.complete(script);
    expect(toText(stdout)).toBe('refused\nx {}\n');
    expect(result).toMatchObject({ cause: 'exit', exitCode: 6 });
  });

  it('is an ordinary user without privileges, on a system it cannot change, and is refused what has no business in a sandbox', async () => {
    const script = `id -u; grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status | tr '\\t' ' '
      find / -xdev -perm /6000 -type f 2>/dev/null | wc -l
      for place in / /usr/bin /etc /workspace/.. /dev /sys /proc/sys/kernel; do touch $place/x 2>/dev/null && echo "wrote $place"; done
      mount -t tmpfs none /tmp 2>/dev/null && echo mounted; unshare -r true 2>/dev/null && echo unshared
      ls /var/run/docker.sock /run/docker.sock /run/containerd 2>/dev/null; ls /disks 2>/dev/null; ls -d /dev/loop* 2>/dev/null
      python3 -c '
import socket
for name in ("AF_VSOCK", "AF_ALG"):
    try: socket.socket(getattr(socket, name), socket.SOCK_STREAM); print(name, "open")
    except OSError as error: print(name, error.errno)
print("unix", socket.socket(socket.AF_UNIX).family.name, "inet", socket.socket(socket.AF_INET).family.name)
'; node -e 'process.env.UV_USE_IO_URING = "1"; require("fs").promises.readFile("/etc/hostname").then(() => console.log("node works"))'
      grep Seccomp_filters /proc/self/status | tr '\\t' ' '`;
    const { stdout } = await bench.complete(script);
    expect(toText(stdout).trim().split('\n')).toEqual([
      '10001',
      'CapEff: 0000000000000000',
      'CapBnd: 0000000000000000',
      'NoNewPrivs: 1',
      'Seccomp: 2',
      '0',
      'AF_VSOCK 1',
      'AF_ALG 1',
      'unix AF_UNIX inet AF_INET',
      'node works',
      'Seccomp_filters: 2',
    ]);
  });
}
