import fc from 'fast-check';
import { expect, test } from 'vitest';
import { accessTokenHash, isAccessToken, newAccessToken } from '../../src/access/access-token.ts';
import { judgeToken, type TokenNeed } from '../../src/access/token-access.ts';
import { AppError } from '../../src/contracts/errors.ts';
import type { Permission } from '../../src/contracts/permissions.ts';
import type { Role } from '../../src/contracts/roles.ts';
import { createBadTokens, mostInWindow } from '../../src/http/bad-tokens.ts';
import { redactText } from '../../src/runtime/redact-patterns.ts';
import type { TokenStanding } from '../../src/store/access-tokens.ts';

const now = new Date('2026-05-01T12:00:00Z');
const need: TokenNeed = { scope: 'read', permission: 'agent.run', action: 'read runs' };

function standing(change: Partial<TokenStanding> = {}): TokenStanding {
  return {
    id: 'tok_1',
    workspace: 'wsp_1',
    kind: 'personal',
    project: undefined,
    user: 'usr_1',
    name: 'dashboard',
    scopes: ['read'],
    ceiling: { role: 'maintainer' },
    personRole: 'maintainer',
    expiresAt: new Date(now.getTime() + 1),
    lastUsedAt: undefined,
    revokedAt: undefined,
    ...change,
  };
}

function refusal(change: Partial<TokenStanding>, asked = need): string {
  const judged = judgeToken(standing(change), asked, now);
  return judged instanceof AppError
    ? `${judged.code} ${judged.params.why}`
    : `admitted as ${[judged.rights.role, ...(judged.rights.extra ?? [])].join(', ')}`;
}

test('a token is told from all others by its hash, and from what it is not by its checksum', () => {
  const tokens = Array.from({ length: 200 }, newAccessToken);
  expect(new Set(tokens.map(accessTokenHash)).size).toBe(200);
  for (const token of tokens) {
    expect(token).toMatch(/^dhp_[0-9A-Za-z]{49}$/);
    expect(isAccessToken(token)).toBe(true);
  }
  for (const text of ['', 'dhp_', `${tokens[0]} `, `${tokens[0]}x`, tokens[0]?.slice(1) ?? '', `ghp_${tokens[0]?.slice(4)}`]) {
    expect(isAccessToken(text)).toBe(false);
  }
});

test('a token with one character changed, or two exchanged, is none', () => {
  fc.assert(
    fc.property(fc.nat(48), fc.nat(48), fc.constantFrom(...'0aZ9kQ'), (at, other, char) => {
      const token = newAccessToken();
      const [one, two] = [token.charAt(4 + at), token.charAt(4 + other)];
      const letters = [...token];
      letters[4 + at] = one === char ? two : char;
      if (one === char) letters[4 + other] = one;
      fc.pre(letters.join('') !== token);
      return !isAccessToken(letters.join(''));
    }),
  );
});

test('a token that a program prints is redacted', () => {
  const token = newAccessToken();
  expect(redactText(`token=${token};`, [])).toBe('token=[redacted access token];');
});

test.each<[string, Partial<TokenStanding>, string]>([
  ['is revoked', { revokedAt: now }, 'DH-222 It was revoked'],
  ['expires now', { expiresAt: now }, 'DH-222 It expired on 2026-05-01'],
  ['lacks the scope', { scopes: [] }, 'DH-223 it lacks the scope read'],
  [
    'has a low ceiling',
    { ceiling: { role: 'guest' } },
    'DH-223 that takes the permission agent.run, and it has no more than guest',
  ],
  [
    'is of a person with less',
    { personRole: 'guest' },
    'DH-223 that takes the permission agent.run, and it has no more than guest',
  ],
  ['is of a person without a role', { personRole: undefined }, 'DH-223 the person it belongs to has no role any more'],
  ['is good', {}, 'admitted as maintainer'],
  [
    'is of an owner, but no more than a developer',
    { personRole: 'owner', ceiling: { role: 'developer' } },
    'admitted as developer',
  ],
  [
    'has the ceiling of a custom role',
    { personRole: 'owner', ceiling: { role: 'guest', extra: ['agent.run', 'audit.read'] } },
    'admitted as guest, agent.run, audit.read',
  ],
])('a token that %s is judged by what holds at this moment', (_what, change, expected) => {
  expect(refusal(change)).toBe(expected);
});

test('a token never has a stronger role than its person or its ceiling', () => {
  const roles: Role[] = ['guest', 'developer', 'maintainer', 'owner'];
  for (const personRole of roles) {
    for (const ceiling of roles) {
      const judged = judgeToken(standing({ personRole, ceiling: { role: ceiling } }), { ...need, permission: 'task.see' }, now);
      const weaker = roles[Math.min(roles.indexOf(personRole), roles.indexOf(ceiling))];
      expect(judged).toMatchObject({ rights: { role: weaker } });
    }
  }
});

test('a token may what both its ceiling and the custom role of its person allow', () => {
  const personExtra: Permission[] = ['change.publish', 'audit.read'];
  const of = (ceiling: Role, permission: Permission) =>
    refusal({ ceiling: { role: ceiling }, personRole: 'guest', personExtra }, { ...need, permission });
  expect(of('developer', 'change.publish')).toBe('admitted as guest, change.publish');
  expect(of('maintainer', 'audit.read')).toBe('admitted as guest, change.publish, audit.read');
  expect(of('developer', 'audit.read')).toBe(
    'DH-223 that takes the permission audit.read, and it has no more than guest, change.publish',
  );
  expect(of('owner', 'agent.run')).toContain('DH-223');
});

test('an address that sends wrong tokens has to wait, its IPv6 network with it, others not', () => {
  let time = 0;
  const wrong = createBadTokens(() => time);
  for (let n = 0; n < mostInWindow; n += 1) {
    expect(wrong.wait('2001:db8::1')).toBeUndefined();
    wrong.note(`2001:db8::${n + 1}`);
  }
  expect(wrong.wait('2001:db8:0:0:ffff::9')).toBe(60);
  expect(wrong.wait('2001:db8:0:1::9')).toBeUndefined();
  expect(wrong.wait('192.0.2.1')).toBeUndefined();
  time = 59_500;
  expect(wrong.wait('2001:db8::1')).toBe(1);
  time = 60_000;
  expect(wrong.wait('2001:db8::1')).toBeUndefined();
  for (let n = 0; n < mostInWindow; n += 1) wrong.note('::ffff:192.0.2.1');
  expect(wrong.wait('::ffff:192.0.2.1')).toBe(60);
  expect(wrong.wait('::ffff:192.0.2.2')).toBeUndefined();
});
