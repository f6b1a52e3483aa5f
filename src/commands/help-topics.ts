import { rolesWith } from '../access/not-allowed.ts';
import { givablePermissions, permissions } from '../contracts/permissions.ts';
import type { Command } from './command.ts';

/** Pages of help that are not about one command. In texts `…` means code. */
export const topics: Record<string, { title: string; lines: readonly string[] }> = {
  answers: {
    title: 'Where answers go',
    lines: [
      'A task has one card in its thread, edited in place; further messages there are decisions and files.',
      'Ask with a message, and lists and facts come into the thread below it, for everybody. Ask with a slash command or a button, and only you see them.',
      'What changes something for all (a binding, a project, a role, settings) is said in the channel however it was asked. Refusals are seen by you alone.',
      'In a direct message every answer is a message.',
      'In the thread of a task a reply that is a complete command, such as `stop` or `logs`, is obeyed without a mention. In the thread of an agent other replies of those who may run commands are said to it: `help talk`. Other talk is left alone.',
      'Editing or deleting a message changes nothing that was started with it: `stop` does. What an agent has not read yet does change.',
    ],
  },
  talk: {
    title: 'Talking to agents',
    lines: [
      'Mention the bot with what is to be done, or write it a direct message: that makes a task. `run` does the same, with options.',
      'Reply in its thread. At work the agent reads it at its next step; `now …` interrupts it; `btw …` asks something beside, where the agent can. At rest it goes on with it, in the session it had.',
      'Your message gets a mark when it is received and another when the agent has read it. Until then editing it changes what it reads, and deleting it takes it back.',
      'Only people who may run commands are heard. Nobody makes an agent do what they could not have it do themselves.',
    ],
  },
  modes: {
    title: 'How much an agent may do without asking',
    lines: [
      '`ask`: it reads without asking and asks for everything else.',
      '`acceptEdits`: it changes files of its working copy too; commands follow the policy of the project.',
      '`auto`: the same, and whatever that policy lets a command do without asking.',
      '`plan`: it only reads, and ends with a plan. *Implement* lets it carry the plan out.',
      '`bypass`: it asks for nothing but what the policy denies. For maintainers, and only in a container.',
    ],
  },
  accounts: {
    title: 'Accounts of agents',
    lines: [
      'Agents work with the model servers that the runner is configured with, or with accounts: servers under names, each with a key of its own. `account list` shows them.',
      '`run account=main …` is for one task, `settings account=main` for those of a project, `retry account=…` goes on with another in a new conversation on the same branch.',
      'Owners add them with `account add`. The key is asked for afterwards, seen by nobody else; in a command it is taken out and refused.',
      'A key never enters a sandbox. It is shown by its last four characters, with its last use.',
    ],
  },
  projects: {
    title: 'Which project a command runs in',
    lines: [
      'The one the channel is bound to. In a direct message: the only one there is, or the one you name, as in `sh project=web npm test`; else you are asked.',
      'In a channel that is bound to no project only `help`, `about` and `claim` work, and for those with a role what sets it up: `bind`, `project`, `member`, `who`, `doctor`.',
    ],
  },
  roles: {
    title: 'Who may do what',
    lines: [
      '`guest` may look. `developer` may also run, stop, retry and move tasks. `maintainer` may also manage projects, channels, settings and people up to developer. `owner` may do everything.',
      'A role of your own holds in the whole workspace. About a project something closer may say otherwise, more or less: that you are a member of the project, else of its folder, else in a team that is linked to the folder. Owners are owners everywhere.',
      'Where nothing else says anything, what the channel gives its members counts, and only for the project of that channel. Whoever is nothing about a project does not get to see that it exists.',
      'Owners make further roles of permissions: `role add release-manager with=change.publish,action.approve`. They are given like the built-in ones. `role list` shows all, `help permissions` what they can be made of.',
      '`who @ben project=web` says what somebody is there, and why. `member role @ben guest project=web`, `folder` and `team` change it.',
      'A channel can have an access bundle, the most that anybody may in it and that work begun in it may use: `bundle add support may=guest,command.run`, then `settings bundle=support` there. `bundle list` shows all.',
      'Who may approve what is a setting of the project: `settings approvers=developer`.',
    ],
  },
  permissions: {
    title: 'What a role can be made of',
    lines: [
      ...givablePermissions.map(
        (permission) => `\`${permission}\`: ${permissions[permission].may}. ${rolesWith(permission)} may.`,
      ),
      'To change owners, roles and access bundles is for owners alone.',
    ],
  },
};

/** "Developers, maintainers and owners, and custom roles with `agent.run`", "Everybody". */
export function whoMay(command: Command): string {
  const { permission } = command;
  if (permission === 'anyone') return 'Everybody';
  if (permission === 'task.see') return 'Everybody with a role';
  const roles = rolesWith(permission);
  return permission === 'workspace.own' ? roles : `${roles}, and custom roles with \`${permission}\``;
}

export const whereWords: Record<Command['unbound'], string> = {
  yes: 'Works everywhere.',
  'with-role': 'In a channel that is bound to no project it works for people with a role of their own.',
  no: 'Works in channels that are bound to a project, and in direct messages.',
};
