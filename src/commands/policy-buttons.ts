import { encodePress } from '../contracts/press.ts';
import type { Block } from '../contracts/view.ts';
import type { Project } from '../store/projects.ts';

/** What buttons and forms of the policy carry: no command, because it cannot be typed. */
export const policyFormPrefix = 'policy … ';

/** `edit`: what holds for all requests; `version`: which one the form was filled with. `add`: one more demand. */
export type PolicyForm = { what: 'edit'; project: string; version?: number } | { what: 'add'; project: string };

export function policyFormOf(text: string): PolicyForm | undefined {
  const [, what, version, project = ''] = /^policy … (edit|add)(?: (\d{1,9}))? (prj_\w+)$/.exec(text) ?? [];
  if (what === 'add' && version === undefined) return { what, project };
  if (what !== 'edit') return undefined;
  return version === undefined ? { what, project } : { what, project, version: Number(version) };
}

/** The buttons that open the forms. */
export function policyButtons({ id }: Pick<Project, 'id'>): Block[] {
  const button = (label: string, what: PolicyForm['what']) => ({
    token: encodePress({ kind: 'command', text: `${policyFormPrefix}${what} ${id}` }),
    label,
    style: 'default' as const,
    form: true as const,
  });
  return [{ type: 'buttons', buttons: [button('Edit…', 'edit'), button('Add a demand…', 'add')] }];
}
