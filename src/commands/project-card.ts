import type { ProjectAccess } from '../contracts/code-host.ts';
import { type ErrorCode, errorCatalogue } from '../contracts/errors.ts';
import { priorities } from '../contracts/outbox.ts';
import { type Block, bold, code, plain, type View } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { cleanText } from '../delivery/neutralise.ts';
import type { Tx } from '../store/database.ts';
import { putOutbox } from '../store/outbox.ts';
import { type Project, projectForSystem } from '../store/projects.ts';
import { messageByKey } from '../store/sent-messages.ts';
import { sourceText } from './project-source.ts';

/** Name of the outbox row that answers `project add`: it first says "checking", then what was found. */
export function projectCardKey(project: string): string {
  return `project:${project}`;
}

/** What is known about a project's repository. */
export function projectCard(project: Project): View {
  const { sync } = project;
  const state = {
    checking: { text: '● checking the repository', tone: 'active' as const },
    ready: { text: '✔ ready', tone: 'good' as const },
    unreachable: { text: '✖ not reachable', tone: 'bad' as const },
  }[sync.state];
  const branch = project.baseBranch ?? project.defaultBranch;
  return withFallback([
    { type: 'title', spans: [plain(`Project ${project.name}`)], state },
    {
      type: 'context',
      spans: [
        plain(sourceText(project.source)),
        ...(branch === undefined ? [] : [plain(' · '), code(branch)]),
        ...(project.head === undefined || sync.state !== 'ready' ? [] : [plain(`@${project.head.slice(0, 7)}`)]),
      ],
    },
    ...(project.source.kind === 'path'
      ? [{ type: 'context' as const, spans: [plain('Commands see its commits; changes that are not committed are left out.')] }]
      : []),
    ...(sync.state === 'unreachable' ? [{ type: 'text' as const, spans: troubleSpans(sync) }] : []),
    ...(sync.state === 'ready' && project.access !== undefined ? accessBlocks(project.access) : []),
    ...(sync.state === 'ready'
      ? [
          {
            type: 'text' as const,
            spans: marked(`\`bind ${project.name}\` binds a channel to it; then \`sh <command>\` runs there.`),
          },
        ]
      : []),
  ]);
}

/** Whether changes can be brought out, and what is missing. */
function accessBlocks({ as, push, pulls, problems }: ProjectAccess): Block[] {
  const parts = [
    push.ok ? '✔ can push' : '✖ cannot push',
    ...(pulls === undefined ? [] : [pulls.ok ? '✔ can open pull requests' : '✖ cannot open pull requests']),
    ...(as === undefined ? [] : [`as ${cleanText(as)}`]),
  ];
  return [
    { type: 'text', spans: [plain(parts.join(' · '))] },
    ...problems.map((problem): Block => ({ type: 'text', spans: marked(cleanText(problem)) })),
  ];
}

/** What went wrong and what to do. */
function troubleSpans({ code: errorCode, detail, remedy }: Extract<Project['sync'], { state: 'unreachable' }>) {
  return [
    ...(isErrorCode(errorCode) ? [bold(`${errorCatalogue[errorCode].title}. `)] : []),
    plain(cleanText(detail)),
    ...marked(` ${remedy === undefined ? '' : `${cleanText(remedy)} `}${errorCode}`),
  ];
}

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCatalogue, text);
}

/**
 * Writes what a sync found on the answer to `project add`. To be called in the transaction that stores the result. Does nothing when
 * nobody was answered (a seeded project) or when the state on the card is the same: later syncs of a ready project change no message.
 */
export async function projectSyncedReply(tx: Tx, projectId: string): Promise<void> {
  const project = await projectForSystem(tx, projectId);
  if (project === undefined) return;
  const sent = await messageByKey(tx, project.workspace, project.cardKey ?? projectCardKey(project.id));
  if (sent?.payload.type !== 'message') return;
  const view = projectCard(project);
  if (stateOn(sent.payload.view) === stateOn(view)) return;
  await putOutbox(tx, {
    workspace: project.workspace,
    key: sent.key,
    target: sent.target,
    payload: { type: 'message', view },
    priority: priorities.reply,
  });
}

function stateOn(view: View): string | undefined {
  const title = view.blocks[0];
  return title?.type === 'title' ? title.state?.text : undefined;
}
