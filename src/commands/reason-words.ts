import type { RoleAbout } from '../access/cascade.ts';

/** Why somebody is what they are about a place: "team Core, linked to the folder Payments". */
export function reasonWords(reason: RoleAbout['reason'], kind: 'project' | 'folder' = 'project'): string {
  switch (reason.from) {
    case 'workspace':
      return 'role in the workspace';
    case 'project':
      return 'member of the project';
    case 'folder':
      return kind === 'folder' ? 'member of the folder' : `member of the folder ${reason.folder}`;
    case 'team':
      return `team ${reason.team}, linked to the folder ${reason.folder}`;
    case 'several':
      return reason.of.map((one) => reasonWords(one, kind)).join(' and ');
    case 'channel':
      return 'member of this channel';
    case 'nothing':
      return 'nothing gives them a role';
  }
}
