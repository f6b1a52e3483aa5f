import { type AccessBundle, type Among, beyond, hostsWithin, ownAccount } from '../contracts/access-bundle.ts';
import type { AgentSettings } from '../contracts/agent.ts';
import { AppError } from '../contracts/errors.ts';
import { bundleOfTask } from '../store/access-bundles.ts';
import type { Tx } from '../store/database.ts';
import { projectById } from '../store/projects.ts';

/**
 * Why the work of a task may not go on with these settings at this moment: the access bundle of the channel in which the task was asked for
 * does not let it use them; undefined: it may.
 */
export async function bundleRefusal(tx: Tx, task: string, settings: AgentSettings): Promise<AppError | undefined> {
  const found = await bundleOfTask(tx, task);
  const over = found === undefined ? undefined : beyond(found.bundle, settings);
  return found === undefined || over === undefined ? undefined : refusal(found, over);
}

/** Throws DH-250 for settings that the bundle of its channel does not let a task use. */
export async function checkBundle(tx: Tx, task: string, settings: AgentSettings): Promise<void> {
  const refused = await bundleRefusal(tx, task, settings);
  if (refused !== undefined) throw refused;
}

/** Where programs of a task may fetch from now, as entries: what both its project and the bundle of its channel allow. */
export async function hostEntriesOf(
  tx: Tx,
  task: { id: string; workspace: string; project: string },
): Promise<readonly string[]> {
  const hosts = (await projectById(tx, task.workspace, task.project))?.agent.hosts ?? [];
  const allowed = hosts.length === 0 ? 'all' : ((await bundleOfTask(tx, task.id))?.bundle.hosts ?? 'all');
  return allowed === 'all' ? hosts : hostsWithin(hosts, allowed);
}

type Over = NonNullable<ReturnType<typeof beyond>>;

function refusal({ bundle, channel }: { bundle: AccessBundle; channel: string | undefined }, over: Over): AppError {
  const ofRunner = over.kind === 'account' && over.name === ownAccount;
  const what = ofRunner ? 'the model servers that the runner is configured with' : `the ${over.kind} \`${over.name}\``;
  return new AppError('DH-250', {
    place: channel === undefined ? 'this channel' : `#${channel}`,
    what,
    bundle: bundle.name,
    instead: insteadOf(over.kind, over.kind === 'agent' ? bundle.agents : bundle.accounts),
  });
}

function insteadOf(kind: 'agent' | 'account', allowed: Among): string {
  const named = allowed === 'all' ? [] : allowed.map((one) => `\`${kind}=${one === ownAccount ? 'none' : one}\``);
  const other = 'Ask elsewhere, or ask an owner to change the bundle.';
  return named.length === 0 ? `It allows no ${kind} at all. ${other}` : `It allows ${named.join(' and ')}. ${other}`;
}
