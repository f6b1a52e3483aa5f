/** A server of its own, or a set of them whose sentinels say which one takes writes now. */
export type RedisAddress = { kind: 'server'; url: string } | RedisSentinels;

export interface RedisSentinels {
  kind: 'sentinels';
  sentinels: readonly { host: string; port: number }[];
  /** What the sentinels call the set. */
  name: string;
  /** Login at the servers; that at the sentinels is the same unless `sentinelPassword` says otherwise. */
  username: string | undefined;
  password: string | undefined;
  sentinelPassword: string | undefined;
  database: number;
  tls: boolean;
}

const sentinelPort = 26379;

/**
 * `redis://[user:password@]host[:port][/database]`, `rediss://…` over TLS, or for a set with sentinels
 * `redis+sentinel://[user:password@]host[:port],host[:port]/name[/database][?sentinelPassword=…]` (`rediss+sentinel://` over TLS).
 * undefined: it is none of these.
 */
export function parseRedisAddress(text: string): RedisAddress | undefined {
  if (/^rediss?:\/\/[^/]/.test(text)) {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || url.hostname === '' || !/^\/?\d*$/.test(url.pathname)) return undefined;
    return { kind: 'server', url: text };
  }
  const parts = /^(rediss?)\+sentinel:\/\/(?:([^@/]*)@)?([^@/?#]+)\/([^/?#]+)(?:\/(\d+))?(?:\?(.*))?$/.exec(text);
  const [, scheme, login, hosts = '', name = '', database = '0', query = ''] = parts ?? [];
  const sentinels = hosts.split(',').map(hostAndPort);
  const known = sentinels.filter((sentinel) => sentinel !== undefined);
  if (scheme === undefined || known.length !== sentinels.length) return undefined;
  const colon = login?.indexOf(':') ?? -1;
  return {
    kind: 'sentinels',
    sentinels: known,
    name: decoded(name) ?? name,
    username: colon > 0 ? decoded(login?.slice(0, colon)) : undefined,
    password: colon >= 0 ? decoded(login?.slice(colon + 1)) : undefined,
    sentinelPassword: new URLSearchParams(query).get('sentinelPassword') ?? undefined,
    database: Number(database),
    tls: scheme === 'rediss',
  };
}

function hostAndPort(text: string): { host: string; port: number } | undefined {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const host = bracketed ?? plain;
  return host === undefined ? undefined : { host, port: port === undefined ? sentinelPort : Number(port) };
}

function decoded(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
