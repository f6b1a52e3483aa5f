import { count, name, optional, required } from './arguments.ts';
import { defineCommand } from './command.ts';
import { namedFolder, namedTeam } from './place.ts';
import { foldersView, folderView, teamsView, teamView } from './place-views.ts';

const page = optional({ hint: '2', about: 'further ones', schema: count(999) });

export const folderList = defineCommand({
  name: 'folder list',
  group: 'setup',
  summary: 'Lists the folders with their projects',
  permission: 'task.see',
  action: 'see folders',
  about: 'project',
  unbound: 'with-role',
  positional: {},
  options: { page },
  examples: [['folder list', 'the folders that you may see']],
  run: async (ctx, args) => ({ view: await foldersView(ctx, args.page ?? 1), audience: 'asked', list: 'own' }),
});

export const folderShow = defineCommand({
  name: 'folder show',
  group: 'setup',
  summary: 'Shows the projects of a folder, and who is what in it and why',
  permission: 'task.see',
  action: 'see folders',
  about: 'project',
  unbound: 'with-role',
  positional: { name: required({ hint: 'name', about: 'the folder', names: 'folder', schema: name }) },
  options: {},
  examples: [['folder show Payments', 'the folder `Payments`']],
  run: async (ctx, args) => ({ view: await folderView(ctx, await namedFolder(ctx, args.name)), audience: 'asked' }),
});

export const teamList = defineCommand({
  name: 'team list',
  group: 'people',
  summary: 'Lists the teams: how many people, and what they are in which folders',
  permission: 'task.see',
  action: 'see teams',
  about: 'project',
  unbound: 'with-role',
  positional: {},
  options: { page },
  examples: [['team list', 'all teams']],
  run: async (ctx, args) => ({ view: await teamsView(ctx, args.page ?? 1), audience: 'asked', list: 'own' }),
});

export const teamShow = defineCommand({
  name: 'team show',
  group: 'people',
  summary: 'Shows who is in a team, and what that gives them in which folders',
  permission: 'task.see',
  action: 'see teams',
  about: 'project',
  unbound: 'with-role',
  positional: { name: required({ hint: 'name', about: 'the team', names: 'team', schema: name }) },
  options: {},
  examples: [['team show Core', 'the team `Core`']],
  run: async (ctx, args) => ({ view: await teamView(ctx, await namedTeam(ctx, args.name)), audience: 'asked' }),
});
