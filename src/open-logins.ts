import type { RepositoryLogins } from './access/repository-logins.ts';
import type { BaseControl } from './contracts/base-look.ts';
import type { PublishControl } from './contracts/publish-control.ts';
import type { RunControl, RunSpec } from './contracts/run-control.ts';

type Project = RunSpec['project'];

/** The engine as a runner sees it, with the addresses of repositories as git needs them. They are opened for the runner and nowhere else. */
export function withOpenLogins(control: RunControl, logins: Pick<RepositoryLogins, 'open'>): RunControl {
  return {
    ...control,
    async claim(run, runner) {
      const claim = await control.claim(run, runner);
      return claim.ok ? { ok: true, spec: { ...claim.spec, project: opened(claim.spec.project, logins) } } : claim;
    },
    async projectSource(id) {
      const project = await control.projectSource(id);
      return project === null ? null : opened(project, logins);
    },
  };
}

export function basesWithLogins(control: BaseControl, logins: Pick<RepositoryLogins, 'open'>): BaseControl {
  return {
    ...control,
    async openChanges(host) {
      const found = await control.openChanges(host);
      return found.map(({ project, changes }) => ({ project: opened(project, logins), changes }));
    },
  };
}

export function publishingWithLogins(control: PublishControl, logins: Pick<RepositoryLogins, 'open'>): PublishControl {
  return {
    ...control,
    async claim(host, runner, except) {
      const spec = await control.claim(host, runner, except);
      return spec === undefined ? undefined : { ...spec, project: opened(spec.project, logins) };
    },
  };
}

function opened<T extends Project>(project: T, logins: Pick<RepositoryLogins, 'open'>): T {
  const { id, source } = project;
  return source.kind === 'path' ? project : { ...project, source: { kind: 'git', url: logins.open(id, source.url) } };
}
