/** Files that say who Deckhand is at ssh addresses, and which hosts it believes. Undefined: those of the user that runs it. */
export interface SshFiles {
  keyFile?: string | undefined;
  knownHostsFile?: string | undefined;
}

/**
 * The command with which git opens an ssh connection, for a shell. It asks nobody, takes nothing of ours along to the host (no agent, no
 * forwarded ports) and shares no connection with others. What else the user has set for a host holds.
 */
export function sshCommand({ keyFile, knownHostsFile }: SshFiles): string {
  const options = [
    'BatchMode=yes',
    'ConnectTimeout=20',
    'ForwardAgent=no',
    'ForwardX11=no',
    'ClearAllForwardings=yes',
    'PermitLocalCommand=no',
    'ControlMaster=no',
    'ControlPath=none',
    ...(keyFile === undefined ? [] : ['IdentitiesOnly=yes', 'IdentityAgent=none', `IdentityFile=${named(keyFile)}`]),
    ...(knownHostsFile === undefined
      ? []
      : ['StrictHostKeyChecking=yes', 'GlobalKnownHostsFile=/dev/null', `UserKnownHostsFile=${named(knownHostsFile)}`]),
  ];
  return ['ssh', ...options.map((option) => quoted(`-o${option}`))].join(' ');
}

/** ssh itself reads quotes, and expands `%`, in names of files. */
function named(path: string): string {
  return `"${path.replaceAll('%', '%%').replace(/["\\]/g, '\\$&')}"`;
}

function quoted(word: string): string {
  return /^[\w=./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
