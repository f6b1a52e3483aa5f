import type Docker from 'dockerode';

/** Where the engine is, as dockerode takes it. `dockerHost`: the value of DOCKER_HOST; undefined: the usual socket. */
export function engineAddress(dockerHost: string | undefined): Docker.DockerOptions {
  if (dockerHost === undefined) return { socketPath: '/var/run/docker.sock' };
  const url = new URL(dockerHost);
  if (url.protocol === 'unix:') return { socketPath: url.pathname };
  const protocol = url.protocol === 'tcp:' ? 'http' : url.protocol.slice(0, -1);
  if (protocol !== 'http' && protocol !== 'https' && protocol !== 'ssh')
    throw new Error(`not an address of an engine: ${dockerHost}`);
  const port = url.port === '' ? { http: 2375, https: 2376, ssh: 22 }[protocol] : Number(url.port);
  return { protocol, host: url.hostname, port, ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }) };
}
