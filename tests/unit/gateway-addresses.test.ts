import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAllowed, isInner, isOwn, nameAndPort } from '../../runner/proxy/addresses.ts';
import { machineProxy } from '../../runner/proxy/egress-route.ts';

const innerFour = fc
  .tuple(
    fc.constantFrom([10], [127], [0], [169, 254], [192, 168], [172, 16], [172, 31], [100, 64], [198, 18], [224], [255]),
    fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }),
  )
  .map(([beginning, rest]) => [...beginning, ...rest].slice(0, 4));
const outerFour = fc
  .tuple(fc.constantFrom(1, 8, 23, 93, 104, 151), fc.nat(255), fc.nat(255), fc.nat(255))
  .map((four) => [...four]);
const pairs = ([a = 0, b = 0, c = 0, d = 0]: number[]) => `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;

const carried: readonly ((four: number[]) => string)[] = [
  (four) => four.join('.'),
  (four) => `::ffff:${four.join('.')}`,
  (four) => `::FFFF:${pairs(four)}`,
  (four) => `0:0:0:0:0:ffff:${pairs(four)}`,
  (four) => `0000:0000:0000:0000:0000:FFFF:${four.join('.')}`,
  (four) => `::ffff:0:${four.join('.')}`,
  (four) => `64:ff9b::${four.join('.')}`,
  (four) => `64:ff9b::${pairs(four)}`,
  (four) => `64:ff9b:0:0:0:0:${pairs(four)}`,
];

describe('an address leads inside', () => {
  it('when its IPv4 address does, in whatever form it is carried; a public one does not', () => {
    fc.assert(
      fc.property(innerFour, fc.constantFrom(...carried), (four, form) => {
        expect(isInner(form(four))).toBe(true);
      }),
    );
    fc.assert(
      fc.property(outerFour, fc.constantFrom(...carried), (four, form) => {
        expect(isInner(form(four))).toBe(false);
      }),
    );
  });

  it.each([
    '::',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::127.0.0.1',
    'fe80::1',
    'fe80::1%eth0',
    'fd00:ec2::254',
    'fc00::1',
    'ff02::1',
    'fec0::1',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
    '64:ff9b:1::a00:1',
    '100::1',
    '169.254.169.254',
    '192.0.2.1',
    '',
    'localhost',
    '0x7f.1',
    '127.1',
    '2130706433',
  ])('%j does', (address) => {
    expect(isInner(address)).toBe(true);
  });

  it.each(['8.8.8.8', '104.16.0.35', '2606:4700::6810:23', '2a00:1450:4001:80b::200e', '172.32.0.1', '100.128.0.1'])(
    '%s does not',
    (address) => {
      expect(isInner(address)).toBe(false);
    },
  );

  it('when it is one of this machine, public or not', () => {
    expect(isOwn('127.0.0.1')).toBe(true);
    expect(isOwn('8.8.8.8')).toBe(false);
  });
});

describe('the target of a tunnel', () => {
  it.each([
    ['registry.npmjs.org:443', 'registry.npmjs.org', 443],
    ['Registry.NPMJS.org.:443', 'registry.npmjs.org', 443],
    ['a-b.xn--80ak6aa92e.com:22', 'a-b.xn--80ak6aa92e.com', 22],
  ])('%s is a name', (authority, name, port) => {
    expect(nameAndPort(authority)).toEqual({ name, port });
  });

  it.each([
    '127.0.0.1:443',
    '127.1:443',
    '0x7f.1:443',
    '0x7f000001:443',
    '017700000001:443',
    '2130706433:443',
    '10.0.0.0x1:443',
    '[::1]:443',
    '::1:443',
    '[::ffff:127.0.0.1]:443',
    'localhost:443',
    'registry.npmjs.org',
    'registry.npmjs.org:',
    'registry.npmjs.org:443:443',
    'user@registry.npmjs.org:443',
    'registry.npmjs.org/x:443',
    'registry.npmjs.org\r\nx:443',
    'registry..org:443',
    '.org:443',
    'reg\u0456stry.org:443',
    `${'a'.repeat(64)}.org:443`,
    `${'a.'.repeat(130)}org:443`,
    '',
  ])('%j is none', (authority) => {
    expect(nameAndPort(authority)).toBeUndefined();
  });
});

it('a host is allowed by its name, or below a domain, whatever the case; nothing else is', () => {
  const allowed = ['Registry.npmjs.org', '*.pythonhosted.org'];
  for (const host of ['registry.npmjs.org', 'REGISTRY.npmjs.org.', 'files.pythonhosted.org', 'a.b.pythonhosted.org'])
    expect(isAllowed(host, allowed)).toBe(true);
  for (const host of [
    'npmjs.org',
    'x.registry.npmjs.org',
    'pythonhosted.org',
    'evilpythonhosted.org',
    'registry.npmjs.org.evil.com',
  ])
    expect(isAllowed(host, allowed)).toBe(false);
  expect(isAllowed('registry.npmjs.org', [])).toBe(false);
});

describe('the proxy of the machine', () => {
  it.each([
    [{}, undefined],
    [{ HTTPS_PROXY: '' }, undefined],
    [{ HTTPS_PROXY: 'http://proxy:3128' }, 'http://proxy:3128/'],
    [{ https_proxy: 'proxy:3128' }, 'http://proxy:3128/'],
    [{ HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 'example.com, npmjs.org' }, undefined],
    [{ HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '.npmjs.org' }, undefined],
    [{ HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '*' }, undefined],
    [{ HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 's.org' }, 'http://proxy:3128/'],
  ])('for %j is %s', (environment, proxy) => {
    expect(machineProxy(environment, 'registry.npmjs.org')?.href).toBe(proxy);
  });
});
