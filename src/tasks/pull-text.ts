import { revertTitle } from '../changes/revert-words.ts';
import { platformNames } from '../contracts/platform.ts';
import { type CheckResult, type RunResult, totalsOf } from '../contracts/run-event.ts';
import { checkWords } from '../delivery/check-words.ts';
import { markdownBlock, markdownLine, neutralLine } from '../runtime/host-text.ts';
import { redactText } from '../runtime/redact-patterns.ts';
import type { PublishOrigin } from '../store/publications.ts';

/** What a pull request tells besides its change. Texts are as people wrote them. */
export interface PullTextInput {
  number: number;
  title: string;
  /** What was asked, the first request in front. */
  requests: readonly string[];
  /** A command, or what an agent was to do. */
  kind: 'command' | 'agent';
  requester: string;
  approver: string;
  origin: PublishOrigin | undefined;
  result: Pick<RunResult, 'files' | 'totals' | 'exitCode' | 'check'>;
  /** `acme/web#12`; null: the task came from no issue. */
  issue: string | null;
  /** The merged pull request that the change undoes; what the task was about, and its issue, are not what it is for then. */
  reverts?: { repository: string; number: number; title: string } | undefined;
}

const titleLength = 120;
const requestLength = 4000;
const mostRequests = 5;
const filesShown = 30;
const pathLength = 200;
const nameLength = 80;

/** The one form in which an issue is named to be closed; anything else closes nothing. */
const issueName = /^[A-Za-z0-9][A-Za-z0-9-]{0,38}\/[A-Za-z0-9._-]{1,100}#[1-9]\d{0,9}$/;

/** Title and body of a pull request. Nothing but the issue that the task came from, or what the change undoes, is referred to. */
export function pullText(input: PullTextInput): { title: string; body: string } {
  const { number, requester, approver, reverts } = input;
  const named = reverts === undefined ? input.title : revertTitle(reverts.title);
  const title = neutralLine(redactText(named, []), titleLength);
  const by = `Asked by ${markdownLine(requester, nameLength)}, approved by ${markdownLine(approver, nameLength)}`;
  const parts = [
    ...(reverts === undefined ? [] : [`Reverts ${undoneName(reverts)}.`]),
    `${by}: task ${number} of Deckhand${fromWhere(input.origin)}.`,
    ...(reverts === undefined ? asked(input) : []),
    ...changed(input),
    ...(reverts === undefined && input.issue !== null && issueName.test(input.issue) ? [`Closes ${input.issue}`] : []),
  ];
  return { title: title === '' ? `Task ${number}` : title, body: `${parts.join('\n\n')}\n` };
}

function undoneName({ repository, number }: { repository: string; number: number }): string {
  const name = `${repository}#${number}`;
  return issueName.test(name) ? name : `pull request ${number}`;
}

function fromWhere(origin: PublishOrigin | undefined): string {
  const platform = platformNames[origin?.platform as keyof typeof platformNames];
  if (origin === undefined || platform === undefined) return '';
  if (origin.url === undefined || !/^https:\/\/[^\s()<>]+$/.test(origin.url)) return `, from ${platform}`;
  return `, from [its thread on ${platform}](${origin.url})`;
}

function asked({ kind, requests }: PullTextInput): string[] {
  const shown = requests.slice(0, mostRequests);
  const more = requests.length - shown.length;
  return [
    kind === 'command' ? '**The command**' : '**What was asked**',
    ...shown.map((text) => markdownBlock(shorten(redactText(text.trim(), [])))),
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
}

function changed({ result }: PullTextInput): string[] {
  const { files, added, removed } = totalsOf(result);
  const lines = result.files.slice(0, filesShown).map(({ path, added: plus, removed: minus }) => {
    const counts = plus === null || minus === null ? 'binary' : [plus === 0 ? '' : `+${plus}`, minus === 0 ? '' : `−${minus}`];
    return [neutralLine(path, pathLength), ...[counts].flat().filter((text) => text !== '')].join('  ');
  });
  const more = files - lines.length;
  return [
    `**What changed**: ${files} ${files === 1 ? 'file' : 'files'} +${added} −${removed}`,
    markdownBlock([...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n')),
    ...(result.check === undefined ? [] : [checked(result.check)]),
    ...(result.exitCode === undefined || result.exitCode === 0 ? [] : [`The command ended with exit code ${result.exitCode}.`]),
  ];
}

/** The counts are what the test runner of the repository says. */
function checked(check: CheckResult): string {
  const command = neutralLine(redactText(check.command, []), nameLength);
  return `**Tests**: ${markdownLine(`${command} ${checkWords(check)}`, pathLength + nameLength)}`;
}

function shorten(text: string): string {
  const characters = [...text];
  return characters.length <= requestLength ? text : `${characters.slice(0, requestLength - 1).join('')}…`;
}
