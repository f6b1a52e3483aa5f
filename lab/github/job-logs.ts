import { createHmac, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { closeAtOnce, listen } from '../http-listen.ts';
import { type Core, repositoryOf } from './core.ts';

/**
 * Where logs of jobs lie: another host than the API, with signed addresses that end after a minute. A login is refused there, as by the
 * storage that GitHub redirects to.
 */
export interface JobLogs {
  address(repository: string, job: number): string;
  close(): Promise<void>;
}

const LIFE = 60_000;

export async function startJobLogs(core: Core, host: string): Promise<JobLogs> {
  const key = randomBytes(32);
  const sign = (path: string, until: string) => createHmac('sha256', key).update(`${path}?${until}`).digest('base64url');

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://lab');
    const [, owner = '', name = '', id = ''] = url.pathname.split('/').map(decodeURIComponent);
    const until = url.searchParams.get('se') ?? '';
    const refuse = (status: number, text: string) =>
      response.writeHead(status, { 'content-type': 'application/xml' }).end(`<Error><Message>${text}</Message></Error>`);
    if (request.headers.authorization !== undefined) return refuse(401, 'Server failed to authenticate the request.');
    if (url.searchParams.get('sig') !== sign(url.pathname, until) || Number(until) <= core.now())
      return refuse(403, 'Signature not valid in the specified time frame');
    const job = repositoryOf(core, `${owner}/${name}`)?.jobs.get(Number(id));
    if (!job) return refuse(404, 'The specified blob does not exist.');
    return response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(job.log);
  });
  const address = await listen(server, host, 0);
  return {
    address(repository, job) {
      const until = String(core.now() + LIFE);
      const path = `/${repository}/${job}`;
      return `${address}${path}?${new URLSearchParams({ se: until, sig: sign(path, until) })}`;
    },
    close: () => closeAtOnce(server),
  };
}
