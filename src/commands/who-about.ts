import { isWords, roleName } from '../access/not-allowed.ts';
import { grantsOf, memberAbout } from '../access/role-about.ts';
import { bold, plain, type Span } from '../contracts/view.ts';
import { withFallback } from '../delivery/list-view.ts';
import type { Place } from '../store/memberships.ts';
import type { Member } from '../store/people.ts';
import { projectsOf } from '../store/projects.ts';
import type { CommandContext, Reply } from './command.ts';
import { peopleBlocks } from './place-views.ts';
import { reasonWords } from './reason-words.ts';
import { personFor, seen } from './subject.ts';

const mostProjects = 30;
const need = { command: 'who', permission: 'task.see', action: 'see members' } as const;

/** Everybody who is something about a project or in a folder, and why. */
export async function whoAt(ctx: CommandContext, place: Place): Promise<Reply> {
  await personFor(ctx, place.id, need);
  const title = place.kind === 'project' ? `People about ${place.name}` : `People in the folder ${place.name}`;
  const blocks = await peopleBlocks(ctx, place);
  return { view: withFallback([{ type: 'text', spans: [bold(title)] }, ...blocks]), audience: 'asked' };
}

/** What one person is about a place, or in the workspace and about each project that the asker may see, with why. */
export async function whoIs(ctx: CommandContext, member: Member, place: Place | undefined): Promise<Reply> {
  const { workspace } = ctx.person;
  const grants = await grantsOf(ctx.tx, workspace, [member]);
  if (place !== undefined) {
    await personFor(ctx, place.id, need);
    const about = memberAbout(member, grants, place.id);
    const where = place.kind === 'project' ? `about ${place.name}` : `in the folder ${place.name}`;
    const is = isWords(about) ?? 'nothing';
    const spans = [bold(member.name), plain(` is ${is} ${where}: ${reasonWords(about.reason, place.kind)}.`)];
    return { view: withFallback([{ type: 'text', spans }]), audience: 'asked' };
  }
  const projects = seen(ctx, await projectsOf(ctx.tx, workspace));
  const lines = projects.slice(0, mostProjects).map(({ id, name }): Span[] => {
    const about = memberAbout(member, grants, id);
    const is = about.role === undefined ? 'nothing' : roleName(about);
    return [plain('\n'), bold(name), plain(` · ${is}: ${reasonWords(about.reason)}`)];
  });
  const more = projects.length > mostProjects ? [plain(`\nand ${projects.length - mostProjects} more projects`)] : [];
  const own = member.role === undefined ? 'has no role in the workspace' : `is ${isWords(member)} in the workspace`;
  const spans = [bold(member.name), plain(` ${own}`), ...lines.flat(), ...more];
  return { view: withFallback([{ type: 'text', spans }]), audience: 'asked' };
}
