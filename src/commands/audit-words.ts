import { platformNames, platformSchema } from '../contracts/platform.ts';
import { oneLine, shorten } from '../delivery/neutralise.ts';
import { redactText } from '../runtime/redact-patterns.ts';
import type { Via } from '../store/audit.ts';
import { type AuditNames, type AuditRow, channelKey } from '../store/audit-lines.ts';

/** Kinds of lines that people can ask for, with the first words of the actions that they stand for. */
export const auditKinds = {
  account: ['account'],
  approval: ['approval', 'call'],
  audit: ['audit'],
  bundle: ['bundle', 'channel.bundle'],
  change: ['change', 'attempt', 'attempts'],
  channel: ['channel'],
  file: ['file'],
  folder: ['folder', 'project.folder'],
  invite: ['invite'],
  link: ['link'],
  member: ['member', 'owner', 'person'],
  project: ['project'],
  pull: ['pull_request'],
  push: ['publication'],
  quota: ['quota'],
  refused: [
    'refused',
    'stranger.refused',
    'token.refused',
    'session.refused',
    'task.mirror_refused',
    'run.denied',
    'run.not_authorised',
    'approval.refused',
    'approval.elsewhere',
    'approval.late',
    'approval.void',
    'invite.wrong_code',
    'invite.void',
    'link.wrong_code',
  ],
  role: ['role'],
  rule: ['rule'],
  run: ['run'],
  session: ['session', 'signin', 'login', 'password'],
  task: ['task'],
  team: ['team'],
  token: ['token'],
} as const satisfies Record<string, readonly string[]>;

/** "Ada moved #142 from review to done". Texts that people or agents have written are cut, and lose what could be a secret. Pure. */
export function auditSentence(line: AuditRow, names: AuditNames): string {
  const nobody = line.action === 'token.refused' ? 'A service' : 'Deckhand';
  const who = line.actor === undefined ? nobody : (names.people.get(line.actor) ?? 'Somebody who is gone');
  return `${who} ${deedOf(factsOf(line, names))}`;
}

/** "on Slack in #demo"; empty: it is not known. `channel` false: which channel it was is not said. */
export function whereWords(via: Via | undefined, names: AuditNames, channel = true): string {
  if (via === undefined) return '';
  const on = `on ${platformWord(via.platform)}`;
  const known = names.channels.get(channelKey(via));
  if (known?.kind === 'direct') return `${on} in a direct message`;
  return channel && known?.name !== undefined ? `${on} in #${oneLine(known.name)}` : on;
}

export function platformWord(platform: string): string {
  const known = platformSchema.safeParse(platform);
  return known.success ? platformNames[known.data] : platform;
}

/** A foreign text on one line, without what looks like a secret. */
export function said(text: string, max = 100): string {
  return shorten(oneLine(redactText(text, [])), max);
}

/** The first digits of a hash or a commit. */
export function short(hash: string): string {
  return hash.slice(0, 10);
}

interface Facts {
  action: string;
  /** A field of the line as text; empty: it has none. */
  of(field: string): string;
  task: string;
  project: string;
  channel: string;
  /** The person that the line is about. */
  person: string;
}

function factsOf({ action, subject, data }: AuditRow, names: AuditNames): Facts {
  const of = (field: string) => {
    const value = data[field];
    return typeof value === 'string' || typeof value === 'number' ? said(String(value)) : '';
  };
  const number = names.tasks.get(String(data.task ?? subject)) ?? (typeof data.number === 'number' ? data.number : undefined);
  const channel = names.channels.get(typeof data.channel === 'string' ? data.channel : subject);
  const project = names.projects.get(typeof data.project === 'string' ? data.project : subject);
  return {
    action,
    of,
    task: number === undefined ? 'a task' : `#${number}`,
    project: project ?? (of('name') === '' ? 'a project' : of('name')),
    channel: channel?.name === undefined ? 'a channel' : `#${oneLine(channel.name)}`,
    person: names.people.get(subject) ?? 'somebody',
  };
}

type Deed = (facts: Facts) => string;
const because = ({ of }: Facts) => after(': ', of('because') || of('message'));
const titled = ({ of }: Facts) => after(': ', of('title') || of('command'));
const reason = ({ of }: Facts) => after(', because: ', of('reason'));
const fromTo = ({ of }: Facts) => `${after(' from ', of('from'))}${after(' to ', of('to'))}`;
const commit = ({ of }: Facts) => (of('commit') === '' ? 'a change' : short(of('commit')));

/** What was done, by action. */
const deeds: Record<string, Deed> = {
  'run.asked': (f) => `asked for run ${f.of('attempt')} of ${f.task}, with version ${f.of('policyVersion')} of the policy`,
  'run.steered': (f) => `told the agent of ${f.task} something`,
  'run.stopped': (f) => `stopped ${f.task}`,
  'run.denied': (f) => `wanted to run ${f.task}, which the policy denies${because(f)}`,
  'run.not_authorised': (f) => `did not let ${f.task} begin${because(f)}`,
  'run.context_dropped': (f) => `took what was said before from the agent of ${f.task}`,
  'run.acts': (f) => `counted what the agent of ${f.task} did: ${f.of('calls')} calls of tools, ${f.of('failed')} failed`,
  'run.ended': (f) => `saw ${f.task} end: ${ending(f)}`,
  'run.log': (f) => `chained the log of ${f.task}: ${f.of('events')} events`,
  'run.log_thinned': (f) => `made the log of an old run of ${f.task} shorter`,
  'file.given': (f) => `gave the agent of ${f.task} a file, SHA-256 ${short(f.of('sha256'))}`,
  'approval.opened': (f) => `asked for a decision about ${f.task}${titled(f)}`,
  'approval.approved': (f) => `approved what ${f.task} asked for${titled(f)}${reason(f)}`,
  'approval.given': (f) => `approved what ${f.task} asked for, as one of several${titled(f)}`,
  'approval.denied': (f) => `said no to what ${f.task} asked for${titled(f)}${reason(f)}`,
  'approval.answered': (f) => `answered a question of ${f.task}${titled(f)}`,
  'approval.elsewhere': (f) => `wanted to decide about ${f.task} where it does not count`,
  'codeowners.set': () => 'said who a name in CODEOWNERS stands for',
  'codeowners.removed': () => 'said that a name in CODEOWNERS stands for nobody any more',
  'approval.refused': (f) => `wanted to decide about ${f.task} and may not`,
  'approval.late': (f) => `wanted to decide about ${f.task}, where the request was ${f.of('state')} already`,
  'approval.void': (f) => `let an approval of ${f.task} count no more${because(f)}`,
  'approval.consumed': (f) => `used the approval of ${f.task} for action ${short(f.of('hash'))}`,
  'approval.escalated': (f) => `asked people with the role ${f.of('to')} about ${f.task} besides`,
  'approval.expired': (f) => `took no answer about ${f.task} as a no`,
  'approval.no_approver': (f) => `found nobody who may decide about ${f.task}${because(f)}`,
  'call.denied': (f) => `denied a call of the agent of ${f.task}${titled(f)}${because(f)}`,
  'quota.add': (f) => `made the quota of ${f.of('quota')}`,
  'quota.change': (f) => `changed the quota of ${f.of('was')} to ${f.of('quota')}`,
  'quota.raised': (f) => `allowed more than the quota of ${f.of('quota')} for ${f.task}, until its next period`,
  'quota.remove': (f) => `removed the quota of ${f.of('quota')}`,
  'rule.created': (f) => `allowed ${f.of('match')} from then on in ${f.task}`,
  'rule.revoked': (f) => `took back that ${f.task} may use ${f.of('match')}`,
  'publication.pushed': (f) => `pushed ${commit(f)} of ${f.task} to ${f.of('branch')} of ${f.of('remote')}`,
  'publication.opened': (f) => `opened a pull request with ${commit(f)} of ${f.task} at ${f.of('remote')}`,
  'publication.failed': (f) => `could not bring out ${commit(f)} of ${f.task}${after(': ', f.of('code'))}`,
  'change.discarded': (f) => `discarded the change of ${f.task}`,
  'attempt.chosen': (f) => `chose one of the attempts of ${f.task}${after(', ', f.of('commit').slice(0, 10))}`,
  'attempts.discarded': (f) => `discarded the attempts of ${f.task}`,
  'pull_request.merge': (f) => `asked to merge the pull request of ${f.task} at ${short(f.of('head'))}`,
  'pull_request.ready': (f) => `asked to take the pull request of ${f.task} out of draft`,
  'pull_request.fix_ci': (f) => `asked to repair the checks of the pull request of ${f.task}`,
  'pull_request.address': (f) => `asked to do what the review of ${f.task} wants`,
  'pull_request.revert': (f) => `asked for ${f.task}, which takes a merged change back`,
  'task.moved': (f) => `moved ${f.task}${fromTo(f)}`,
  'task.settings': (f) => `changed what the agent of ${f.task} works with`,
  'task.budget': (f) => `changed the budget of ${f.task}${fromTo(f)}`,
  'task.mirrored': (f) => `showed ${f.task} in ${f.channel} too`,
  'task.mirror_ended': (f) => `ended that ${f.task} is shown in ${f.channel} too`,
  'task.mirror_refused': (f) => `wanted to show ${f.task} in ${f.channel} and may not`,
  'project.add': (f) => `added the project ${f.project}${after(', ', f.of('source'))}`,
  'project.remove': (f) => `removed the project ${f.project}`,
  'project.test': (f) => `tested the project ${f.project}`,
  'project.policy': (f) => `made version ${f.of('version')} of the policy of ${f.project}`,
  'project.limits': (f) => `changed the limits of ${f.project}`,
  'project.branch': (f) => `changed the base branch of ${f.project}${after(' to ', f.of('branch'))}`,
  'project.agent': (f) => `changed what agents of ${f.project} begin with`,
  'channel.bind': (f) => (f.of('project') === 'none' ? `unbound ${f.channel}` : `bound ${f.channel} to ${f.project}`),
  'channel.settings': (f) => `changed the settings of ${f.channel}`,
  'channel.alerts': (f) => `turned alerts in ${f.channel} ${f.of('alerts')}`,
  'channel.moved': (f) => `followed ${f.channel} to its new id`,
  'member.role': (f) => `changed the role of ${f.person}${f.of('role') === '' ? fromTo(f) : ` to ${f.of('role')}`}`,
  'member.place': (f) => `changed what ${f.person} is about ${f.of('in')}${fromTo(f)}`,
  'bundle.add': (f) => `made the access bundle ${f.of('name')}`,
  'bundle.change': (f) => `changed what the access bundle ${f.of('name')} allows`,
  'bundle.remove': (f) => `removed the access bundle ${f.of('name')}`,
  'channel.bundle': (f) => `changed the access bundle of ${f.channel}${fromTo(f)}`,
  'folder.add': (f) => `made the folder ${f.of('name')}`,
  'folder.remove': (f) => `removed the folder ${f.of('name')}`,
  'project.folder': (f) => `moved the project ${f.project} between folders${fromTo(f)}`,
  'role.add': (f) => `made the role ${f.of('name')}: ${f.of('permissions')}`,
  'role.change': (f) => `changed the role ${f.of('name')}${after(', with ', f.of('added'))}${after(', without ', f.of('taken'))}`,
  'role.rename': (f) => `renamed the role ${f.of('from')} to ${f.of('to')}`,
  'role.remove': (f) => `removed the role ${f.of('name')}`,
  'team.add': (f) => `made the team ${f.of('name')}`,
  'team.remove': (f) => `removed the team ${f.of('name')}`,
  'team.join': (f) => `took somebody into the team ${f.of('name')}`,
  'team.leave': (f) => `took somebody out of the team ${f.of('name')}`,
  'team.link': (f) => `changed what the team ${f.of('name')} is in the folder ${f.of('in')}${fromTo(f)}`,
  'member.separate': (f) => `said that ${f.person} counts as a person of their own`,
  'owner.claim': (f) => `claimed Deckhand${after(': ', f.of('result'))}`,
  'person.notify': () => 'changed how they are notified',
  'link.code': () => 'asked for a code to link accounts',
  'link.wrong_code': () => 'sent a wrong code to link accounts',
  'link.offered': () => 'sent a code to link accounts',
  'link.agreed': () => 'agreed to link accounts',
  'link.refused': () => 'refused to link accounts',
  'link.joined': () => 'linked accounts: they are one person now',
  'link.unlinked': () => 'unlinked accounts',
  'account.add': (f) => `added the agent account ${f.of('name')}`,
  'account.key': (f) => `entered a key of the agent account ${f.of('name')}`,
  'account.change': () => 'changed an agent account',
  'account.remove': (f) => `removed the agent account ${f.of('name')}`,
  'account.use': (f) => `used the agent account ${f.of('name')}`,
  'token.create': (f) => `made the access token ${f.of('name')}${after(', no more than ', f.of('role'))}`,
  'token.revoke': (f) => `revoked the access token ${f.of('name')}`,
  'session.start': (f) => `signed in with ${f.of('device')}`,
  'session.end': (f) => `ended a session${after(': ', f.of('why'))}`,
  'session.refused': (f) => `was refused with a session: ${f.of('why')}`,
  'signin.link': () => 'asked for a link to sign in',
  'login.link': () => 'linked an account elsewhere for signing in',
  'login.unlink': () => 'unlinked an account elsewhere',
  'password.set': () => 'set a password',
  'password.remove': () => 'removed their password',
  'invite.created': (f) => `made an invitation to be ${f.of('role')}${after(' about ', f.of('in'))}`,
  'invite.revoked': (f) => `took back an invitation to be ${f.of('role')}`,
  'invite.used': (f) => `used an invitation${fromTo(f)}${after(' about ', f.of('in'))}`,
  'invite.wrong_code': () => 'sent a code that is not that of an open invitation',
  'invite.void': (f) => `sent the code of an invitation to be ${f.of('role')}, which its maker may not give them`,
  'stranger.refused': (f) => `left alone what came from ${f.of('from')}: ${f.of('why')}`,
  'token.refused': (f) =>
    `was refused with the access token ${f.of('name')}: it may not ${f.of('to')}${after(', because ', f.of('why'))}`,
  'copies.prune': () => 'had what is finished deleted from the disks',
  'audit.began': () => 'began the chain',
  'audit.removed': (f) => `removed lines ${f.of('first')} to ${f.of('last')}, which were old`,
  'audit.head_refused': (f) => `found the end of the chain other than it was left, at line ${f.of('seq')}`,
  'audit.key_changed': (f) => `signed the chain with another secret key from line ${f.of('seq')} on`,
  'audit.exported': (f) =>
    `exported ${f.of('lines')} lines${after(' from ', f.of('from') === 'chat' ? 'chat' : after('the ', f.of('from')))}`,
  refused: (f) => `wanted to ${f.of('action')} and may not`,
};

/** What has no words yet is told by its name. */
function deedOf(facts: Facts): string {
  const deed = deeds[facts.action];
  if (deed !== undefined) return deed(facts);
  if (facts.action.startsWith('change.')) return `had the change of ${facts.task} put on the newest base`;
  return `did ${facts.action}${facts.task === 'a task' ? '' : ` with ${facts.task}`}`;
}

function ending({ of }: Facts): string {
  return `${of('outcome')}${after(', ', of('cause'))}${of('commit') === '' ? '' : `, with commit ${short(of('commit'))}`}`;
}

function after(before: string, text: string): string {
  return text === '' ? '' : `${before}${text}`;
}
