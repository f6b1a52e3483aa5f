import { expect, test } from 'vitest';
import { accountChecks, auditChecks, keyChecks } from '../../src/doctor-keys.ts';
import type { KeyStanding } from '../../src/keys/standing.ts';

const now = new Date('2026-03-01T12:00:00Z');
const key = (id: string, more: Partial<KeyStanding['keys'][number]> = {}) => ({
  id,
  since: now,
  replacedAt: null,
  resealedAt: null,
  retiredAt: null,
  replacedFor: null,
  ...more,
});
const replaced = { replacedAt: now, replacedFor: 60 };
const rows = { rows: 3, places: [{ place: 'logins of repositories', rows: 3 }] };
const standing: KeyStanding = { ring: ['new1'], keys: [key('new1')], sealed: new Map([['new1', rows]]), holders: [] };
const holder = (keys: string[], source: 'file' | 'environment' = 'environment') => ({
  id: 'h',
  host: 'host_a',
  role: 'runner',
  source,
  keys,
});

test('the key that seals is named, with how much older ones have sealed', () => {
  expect(keyChecks(standing)).toEqual([
    { name: 'secret keys', state: 'ok', detail: 'Key new1 seals; nothing is sealed with an older one.' },
  ]);
  const changing: KeyStanding = {
    ...standing,
    ring: ['new1', 'old1'],
    keys: [key('new1'), key('old1', replaced)],
    sealed: new Map([['old1', rows]]),
  };
  expect(keyChecks(changing)).toMatchObject([
    { state: 'warning', detail: expect.stringContaining('3 rows sealed with older ones') },
  ]);
});

test('what cannot be opened, and processes with other keys, are failures; a retired key that is still held is to be looked at', () => {
  expect(keyChecks({ ...standing, sealed: new Map([['gone', rows]]) })).toMatchObject([
    { state: 'failed', detail: expect.stringContaining('gone, which is not at hand') },
  ]);
  expect(keyChecks({ ...standing, holders: [holder(['old1'])] })).toMatchObject([
    { state: 'failed', detail: expect.stringContaining('runner on host_a') },
  ]);
  // A key file is read again before each use.
  expect(keyChecks({ ...standing, holders: [holder(['old1'], 'file')] })).toMatchObject([{ state: 'ok' }]);
  const retired = { ...standing, keys: [key('new1'), key('old1', { ...replaced, resealedAt: now, retiredAt: now })] };
  expect(keyChecks({ ...retired, holders: [holder(['new1', 'old1'])] })).toMatchObject([{ state: 'warning' }]);
});

test('the audit says when it was verified last, and how much waits for its place', () => {
  const audit = {
    chains: 2,
    lines: 40,
    waiting: 1,
    waitingFor: 2,
    verified: { at: new Date('2026-02-28T12:00:00Z'), problems: 0 },
    since: now,
  };
  expect(auditChecks(audit, now)).toMatchObject([
    { state: 'ok', detail: expect.stringContaining('behind by 1 line; last verified: ') },
  ]);
  expect(auditChecks({ ...audit, waitingFor: 600 }, now)).toMatchObject([{ state: 'failed' }]);
  expect(auditChecks({ ...audit, verified: { at: now, problems: 2 } }, now)).toMatchObject([{ state: 'failed' }]);
  const old = { ...audit, verified: undefined, since: new Date('2026-01-01T12:00:00Z') };
  expect(auditChecks(old, now)).toMatchObject([{ state: 'warning', remedy: expect.stringContaining('every month') }]);
  expect(auditChecks({ ...audit, verified: undefined }, now)).toMatchObject([{ state: 'ok' }]);
});

test('keys of accounts that nothing uses are mentioned, not failed', () => {
  expect(accountChecks(0)).toEqual([]);
  expect(accountChecks(1)).toMatchObject([
    { state: 'unused', detail: '1 account of agents has a key that nothing has used for 90 days.' },
  ]);
});
