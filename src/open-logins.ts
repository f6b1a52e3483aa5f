import type { LoginUses } from './access/login-uses.ts';
import type { RepositoryLogins } from './access/repository-logins.ts';
import type { BaseControl } from './contracts/base-look.ts';
import type { PublishControl } from './contracts/publish-control.ts';
import type { RunControl, RunSpec } from './contracts/run-control.ts';
import { splitLogin } from './runtime/repository-login.ts';

type Project = RunSpec['project'];

/** Opens logins, and hears of each that is. */
export interface OpenedLogins {
  logins: Pick<RepositoryLogins, 'open'>;
  uses: Pick<LoginUses, 'note'>;
}

/** The engine as a runner sees it, with the addresses of repositories as git needs them. They are opened for the runner and nowhere else. */
export function withOpenLogins(control: RunControl, logins: OpenedLogins): RunControl {
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

export function basesWithLogins(control: BaseControl, logins: OpenedLogins): BaseControl {
  return {
    ...control,
    async openChanges(host) {
      const found = await control.openChanges(host);
      return found.map(({ project, changes }) => ({ project: opened(project, logins), changes }));
    },
  };
}

export function publishingWithLogins(control: PublishControl, logins: OpenedLogins): PublishControl {
  return {
    ...control,
    async claim(host, runner, except) {
      const spec = await control.claim(host, runner, except);
      return spec === undefined ? undefined : { ...spec, project: opened(spec.project, logins) };
    },
  };
}

function opened<T extends Project>(project: T, { logins, uses }: OpenedLogins): T {
  const { id, source } = project;
  if (source.kind === 'path') return project;
  if (splitLogin(source.url).login !== undefined) uses.note(id);
  return { ...project, source: { kind: 'git', url: logins.open(id, source.url) } };
}
