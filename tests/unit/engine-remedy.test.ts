import { expect, test } from 'vitest';
import { translate } from '../../runner/sandbox/docker-engine.ts';
import { dockerProblem, engineRemedy } from '../../runner/sandbox/docker-ready.ts';

function systemError(code: string): Error {
  return Object.assign(new Error(`connect ${code} /var/run/docker.sock`), { code });
}

test('an engine that must not be used has another remedy than one that does not run', () => {
  expect(engineRemedy(translate(systemError('EACCES')))).toMatch(/^Give the user that runs Deckhand access to the engine/);
  expect(engineRemedy(translate(systemError('ENOENT')))).toMatch(/^Start the engine, or set DOCKER_HOST/);
  expect(engineRemedy(systemError('EPERM'))).toMatch(/^Give the user/);
});

test('an engine that is not there is told in the words of the system, once', async () => {
  expect(await dockerProblem({ engine: { socketPath: '/nonexistent/engine.sock' }, image: 'x' })).toEqual({
    detail: 'no container engine answers (connect ENOENT /nonexistent/engine.sock)',
    remedy: 'Start the engine, or set DOCKER_HOST to its address; docs/install.md says more.',
  });
});
