import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { hostFits } from '../../src/contracts/hosts.ts';

/**
 * Addresses that no sandbox may reach by whatever name: this machine, its networks, the metadata of clouds, and everything that the
 * registries of special-purpose addresses (RFC 6890 and its updates) do not call globally reachable.
 */
const inner = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  inner.addSubnet(net, bits, 'ipv4');
}
for (const [net, bits] of [
  // Unspecified, loopback and what once was "IPv4-compatible"; mapped and translated ones are unwrapped before.
  ['::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const) {
  inner.addSubnet(net, bits, 'ipv6');
}

/** Prefixes of 96 bits below which an IPv4 address is carried: mapped (RFC 4291), translated (RFC 2765), NAT64 (RFC 6052). */
const carriers = ['0:0:0:0:0:ffff', '0:0:0:0:ffff:0', '64:ff9b:0:0:0:0'];

/** Whether an address, as a resolver gives it, leads inside. What is no address does. */
export function isInner(address: string): boolean {
  const [bare = ''] = address.split('%');
  const family = isIP(bare);
  if (family === 0) return true;
  if (family === 4) return inner.check(bare, 'ipv4');
  const groups = groupsOf(bare);
  if (carriers.includes(groups.slice(0, 6).join(':'))) return isInner(dotted(groups.slice(6)));
  return inner.check(bare, 'ipv6');
}

/** Addresses that this machine has now, public ones too. */
export function isOwn(address: string): boolean {
  return Object.values(networkInterfaces()).some((list) => list?.some((one) => one.address === address) === true);
}

/** The eight groups of an IPv6 address, each as short as it gets. */
function groupsOf(address: string): string[] {
  const tail = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const pair = (high = '', low = '') => (Number(high) * 256 + Number(low)).toString(16);
  const text = tail === null ? address : `${tail[1]}${pair(tail[2], tail[3])}:${pair(tail[4], tail[5])}`;
  const [before = '', after] = text.split('::');
  const list = (part: string) => (part === '' ? [] : part.split(':'));
  const [left, right] = [list(before), list(after ?? '')];
  const zeros = after === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(zeros).fill('0'), ...right].map((group) => Number.parseInt(group, 16).toString(16));
}

function dotted(groups: readonly string[]): string {
  return groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]).join('.');
}

/**
 * The host and port of `CONNECT host:port`, the host in small letters without a dot at its end. Undefined where the host is no name:
 * an address in any of the forms that a resolver would take (`127.1`, `0x7f.1`, `2130706433`, `[::1]`), or other characters.
 */
export function nameAndPort(authority: string): { name: string; port: number } | undefined {
  const [, host = '', port = ''] = /^([^:]+):(\d{1,5})$/.exec(authority) ?? [];
  const name = host.toLowerCase().replace(/\.$/, '');
  if (name.length > 253 || !/^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}$/.test(name)) return undefined;
  // Ends in a number: that is how URLs tell addresses from names.
  if (/\.(?:\d+|0x[0-9a-f]*)$/.test(name)) return undefined;
  return { name, port: Number(port) };
}

/** `registry.npmjs.org` or, with `*.`, every host below a domain but not itself. Compared without regard to case. */
export function isAllowed(host: string, allowed: readonly string[]): boolean {
  const name = host.replace(/\.$/, '');
  return allowed.some((pattern) => hostFits(pattern.replace(/\.$/, ''), name));
}
