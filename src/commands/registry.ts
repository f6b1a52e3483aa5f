import { about } from './about.ts';
import { accountList, accountShow } from './account.ts';
import { accountAdd } from './account-add.ts';
import { accountKey } from './account-key.ts';
import { accountRemove, accountSet } from './account-set.ts';
import { budget, effort, mode, model } from './agent-change.ts';
import { agents } from './agents.ts';
import { audit } from './audit.ts';
import { auditExport } from './audit-export.ts';
import { bind } from './bind.ts';
import { board } from './board.ts';
import { bundleAdd, bundleChange, bundleList, bundleRemove, bundleShow } from './bundle.ts';
import { choose } from './choose.ts';
import { claim } from './claim.ts';
import { codeowners, codeownersRemove, codeownersSet } from './codeowners.ts';
import type { Command } from './command.ts';
import { copies } from './copies.ts';
import { copiesPrune } from './copies-prune.ts';
import { diff } from './diff.ts';
import { discard } from './discard.ts';
import { doctor } from './doctor.ts';
import { folderAdd, folderMove, folderRemove } from './folder.ts';
import { folderList, folderShow, teamList, teamShow } from './folder-look.ts';
import { fork, steer } from './fork.ts';
import { helpCommand } from './help.ts';
import { invite, inviteList, inviteRevoke } from './invite.ts';
import { join } from './join.ts';
import { link, unlink } from './link.ts';
import { logs } from './logs.ts';
import { memberAdd, memberRemove, memberRole } from './member.ts';
import { memberSeparate } from './member-separate.ts';
import { mirror } from './mirror.ts';
import { move } from './move.ts';
import { ownerTransfer } from './owner-transfer.ts';
import { pending } from './pending.ts';
import { policy, policyRemove } from './policy.ts';
import { policyAdd } from './policy-add.ts';
import { policyHistory, policyShow } from './policy-history.ts';
import { policyTest } from './policy-test.ts';
import { pr } from './pr.ts';
import { projectAdd } from './project-add.ts';
import { projectList } from './project-list.ts';
import { projectRemove } from './project-remove.ts';
import { projectTest } from './project-test.ts';
import { push } from './push.ts';
import { queue } from './queue.ts';
import { quota } from './quota.ts';
import { quotaAdd } from './quota-add.ts';
import { quotaRemove } from './quota-remove.ts';
import { rebase } from './rebase.ts';
import { retry } from './retry.ts';
import { revert } from './revert.ts';
import { roleAdd, roleChange, roleRemove, roleRename } from './role.ts';
import { roleList, roleShow } from './role-look.ts';
import { rules, rulesRevoke } from './rules.ts';
import { run } from './run.ts';
import { sessionEnd, sessionList } from './session.ts';
import { settings } from './settings.ts';
import { settingsAlerts } from './settings-alerts.ts';
import { settingsNotify } from './settings-notify.ts';
import { sh } from './sh.ts';
import { show } from './show.ts';
import { signin } from './signin.ts';
import { status } from './status.ts';
import { stop } from './stop.ts';
import { tasks } from './tasks.ts';
import { teamAdd, teamJoin, teamLeave, teamLink, teamRemove, teamUnlink } from './team.ts';
import { tokenCreate, tokenList, tokenRevoke } from './token.ts';
import { usage } from './usage.ts';
import { who } from './who.ts';
import { why } from './why.ts';

const work: readonly Command[] = [
  run,
  sh,
  steer,
  stop,
  retry,
  push,
  pr,
  discard,
  choose,
  rebase,
  revert,
  fork,
  mode,
  model,
  effort,
  budget,
  move,
  mirror,
];
const look: readonly Command[] = [
  tasks,
  show,
  diff,
  logs,
  board,
  queue,
  status,
  usage,
  pending,
  agents,
  copies,
  copiesPrune,
  why,
  audit,
  auditExport,
];
const setup: readonly Command[] = [
  projectAdd,
  projectList,
  projectTest,
  projectRemove,
  folderAdd,
  folderList,
  folderShow,
  folderMove,
  folderRemove,
  bind,
  bundleAdd,
  bundleChange,
  bundleList,
  bundleShow,
  bundleRemove,
  settings,
  settingsAlerts,
  policy,
  policyHistory,
  policyShow,
  policyAdd,
  policyRemove,
  policyTest,
  quota,
  quotaAdd,
  quotaRemove,
  codeowners,
  codeownersSet,
  codeownersRemove,
  rules,
  rulesRevoke,
];
const accounts: readonly Command[] = [accountList, accountShow, accountAdd, accountKey, accountSet, accountRemove];
const people: readonly Command[] = [
  claim,
  ownerTransfer,
  join,
  invite,
  inviteList,
  inviteRevoke,
  memberAdd,
  memberRole,
  memberRemove,
  memberSeparate,
  roleAdd,
  roleList,
  roleShow,
  roleChange,
  roleRename,
  roleRemove,
  teamAdd,
  teamList,
  teamShow,
  teamJoin,
  teamLeave,
  teamLink,
  teamUnlink,
  teamRemove,
  who,
  link,
  unlink,
  signin,
  sessionList,
  sessionEnd,
  tokenCreate,
  tokenList,
  tokenRevoke,
  settingsNotify,
];
const deckhand: readonly Command[] = [doctor, about];

const allButHelp = [...work, ...look, ...setup, ...accounts, ...people, ...deckhand];

/**
 * Every command, in the order of help. Parsing, help, completions, docs/commands.md and the hint of the slash command come from here;
 * adding a command is adding a file and a name in one of the lists above.
 */
export const commands: readonly Command[] = [...allButHelp, helpCommand(allButHelp)];

/** The command of this name; throws for a name that is none: a programming mistake. */
export function commandNamed(name: string): Command {
  const command = commands.find((known) => known.name === name);
  if (command === undefined) throw new Error(`no command ${name}`);
  return command;
}

/** What platforms show behind `/deckhand` while nothing is typed, at most `max` characters. */
export function usageHint(max = 1000): string {
  const words = [...new Set(commands.map(({ name }) => name.split(' ')[0]))];
  let hint = 'sh npm test';
  for (const word of words) {
    if (word === 'sh' || hint.length + 3 + (word?.length ?? 0) > max) continue;
    hint += ` | ${word}`;
  }
  return hint;
}
