import { z } from 'zod';
import { facts } from './variable-facts.ts';
import { diskQuota, expandHome, integer, labelsOf, oneOf } from './variable-kinds.ts';

/** What the machine that runs commands reads: how it reaches repositories, and what runs there. */
export const runnerVariables = {
  GIT_SSH_KEY_FILE: z.string().transform(expandHome).optional().register(facts, {
    group: 'Git',
    description:
      'File with the private key, without a passphrase, with which repositories at ssh addresses are read and pushed to. Stays in the runner.',
    fallback: 'the keys and the agent of the user that runs Deckhand',
    example: '/etc/deckhand/id_ed25519',
  }),
  GIT_SSH_KNOWN_HOSTS_FILE: z.string().transform(expandHome).optional().register(facts, {
    group: 'Git',
    description:
      'File with the keys of hosts at ssh addresses, as `ssh-keyscan` writes them. A host that is not in it is not used.',
    fallback: 'the known hosts of the user that runs Deckhand',
    example: '/etc/deckhand/known_hosts',
  }),
  SANDBOX: oneOf(['auto', 'docker', 'local']).default('auto').register(facts, {
    group: 'Running commands',
    description:
      'Where commands run. `docker`: each run in a container. `local`: as a child process with the rights of Deckhand, not isolated.',
    fallback: '`auto`: `docker` when a container engine answers, else `local` with a warning',
    example: 'docker',
  }),
  SANDBOX_IMAGE: z.string().default('deckhand-sandbox:1').register(facts, {
    group: 'Running commands',
    description: 'Image of the containers. `npm run image` builds the default one.',
    fallback: '`deckhand-sandbox:1`',
    example: 'deckhand-sandbox:1',
  }),
  SANDBOX_AGENTS_IMAGE: z.string().default('deckhand-agents:1').register(facts, {
    group: 'Running commands',
    description: 'Image of the containers in which agents work. `npm run image` builds the default one.',
    fallback: '`deckhand-agents:1`',
    example: 'deckhand-agents:1',
  }),
  SANDBOX_WARM: integer(0, 20).prefault('1').register(facts, {
    group: 'Running commands',
    description:
      'How many containers wait ready for each kind of run in use (commands, agents), so that the next one starts at once. `0`: none.',
    fallback: '`1`',
    example: '2',
  }),
  DOCKER_HOST: z
    .string()
    .regex(/^(unix|tcp|http|https|ssh):\/\/./, 'must be an address such as unix:///var/run/docker.sock')
    .optional()
    .register(facts, {
      group: 'Running commands',
      description: 'Address of the container engine.',
      fallback: '`unix:///var/run/docker.sock`',
      example: 'unix:///run/user/1000/docker.sock',
    }),
  RUNNER_CONCURRENCY: integer(1, 64).prefault('4').register(facts, {
    group: 'Running commands',
    description: 'Runs at the same time on this machine, over all projects.',
    fallback: '`4`',
    example: '4',
  }),
  RUNNER_LABELS: z
    .string()
    .default('')
    .transform((text, context) => labelsOf(text, context))
    .register(facts, {
      group: 'Running commands',
      description:
        'What this machine is, for projects and requests that say what they need (`runs-on`): up to 10 words with commas between. `docker` or `local` is one by itself.',
      fallback: 'none',
      example: 'gpu,eu',
    }),
  RUNNER_DRAIN_SECONDS: integer(0, 86_400).prefault('0').register(facts, {
    group: 'Running commands',
    description:
      'How long `deckhand runner` waits for what it runs when it is told to stop; it takes nothing new meanwhile. What is not over then goes on in its container, for the next runner of this data directory.',
    fallback: '`0`: it lets go at once',
    example: '600',
  }),
  KEEP_REMOVED_DAYS: integer(1, 3650).prefault('30').register(facts, {
    group: 'Running commands',
    description:
      'Days after which the mirror of a project that was removed is deleted on this machine. What its tasks left for people stays.',
    fallback: '`30`',
    example: '30',
  }),
  KEEP_ARTIFACTS_DAYS: integer(1, 3650).prefault('30').register(facts, {
    group: 'Running commands',
    description:
      'Days after which the files of runs (logs, patches, pictures, files for people) are deleted, counted from when something last happened in their task.',
    fallback: '`30`',
    example: '14',
  }),
  KEEP_CHANGES_DAYS: integer(1, 3650).prefault('90').register(facts, {
    group: 'Running commands',
    description:
      'Days after which the commits of a task are deleted on this machine, merged or not, counted from when something last happened in it.',
    fallback: '`90`',
    example: '180',
  }),
  KEEP_EVENTS_DAYS: integer(1, 3650).prefault('30').register(facts, {
    group: 'Running commands',
    description:
      'Days after which the database forgets what a run wrote and an agent did step by step, counted from when something last happened in the task, and answers that one person alone was shown. Cards, decisions, costs and ends stay.',
    fallback: '`30`',
    example: '30',
  }),
  KEEP_AUDIT_DAYS: integer(1, 3650).prefault('90').register(facts, {
    group: 'Running commands',
    description:
      'Days after which the database forgets who did what. What is left of the audit can still be verified: docs/audit.md. Read by the gateway.',
    fallback: '`90`',
    example: '365',
  }),
  DISK_QUOTA: z.string().default('80%').transform(diskQuota).register(facts, {
    group: 'Running commands',
    description:
      'How much Deckhand may keep on the disk of the data directory: a part of the disk (`80%`), a size (`50GB`), or `none`. Beyond it, what is finished is deleted early, the oldest first; when that is not enough, nothing new is started.',
    fallback: '`80%`',
    example: '200GB',
  }),
};
