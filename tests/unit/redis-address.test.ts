import { describe, expect, it } from 'vitest';
import { parseRedisAddress } from '../../src/runtime/redis-address.ts';

describe('the address of a Redis', () => {
  it.each([
    'redis://localhost',
    'redis://:secret@10.0.0.1:6380/2',
    'rediss://deckhand:s%40cret@redis.example.com:6379',
    'redis://[::1]:6379',
  ])('may be that of a server: %s', (url) => expect(parseRedisAddress(url)).toEqual({ kind: 'server', url }));

  it('may be those of sentinels, with the name of their set', () => {
    expect(
      parseRedisAddress('rediss+sentinel://deckhand:s%40cret@one:26380,[::1],10.0.0.3/jobs/2?sentinelPassword=p%2Fw'),
    ).toEqual({
      kind: 'sentinels',
      sentinels: [
        { host: 'one', port: 26380 },
        { host: '::1', port: 26379 },
        { host: '10.0.0.3', port: 26379 },
      ],
      name: 'jobs',
      username: 'deckhand',
      password: 's@cret',
      sentinelPassword: 'p/w',
      database: 2,
      tls: true,
    });
    expect(parseRedisAddress('redis+sentinel://:secret@one/jobs')).toMatchObject({
      username: undefined,
      password: 'secret',
      database: 0,
      tls: false,
    });
    expect(parseRedisAddress('redis+sentinel://one/jobs')).toMatchObject({ username: undefined, password: undefined });
  });

  it.each([
    '',
    'localhost:6379',
    'http://localhost',
    'redis://',
    'redis:///0',
    'redis://host/jobs',
    'redis://host:99999',
    'redis+sentinel://one,two',
    'redis+sentinel://one,/jobs',
    'redis+sentinel://one:port/jobs',
  ])('is none: %s', (text) => expect(parseRedisAddress(text)).toBeUndefined());
});
