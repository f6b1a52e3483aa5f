/**
 * Hosts that programs in sandboxes may fetch from, by what they are for. `*.` stands for any names before the rest. The first source for
 * each are the hosts that the tool asks with its default settings.
 */
export const hostProfiles = {
  npm: ['registry.npmjs.org', 'registry.yarnpkg.com'],
  pypi: ['pypi.org', 'files.pythonhosted.org'],
  crates: ['index.crates.io', 'static.crates.io', 'crates.io'],
  go: ['proxy.golang.org', 'sum.golang.org'],
  maven: ['repo.maven.apache.org', 'repo1.maven.org', 'plugins.gradle.org', 'services.gradle.org'],
  debian: ['deb.debian.org', 'security.debian.org'],
} as const satisfies Record<string, readonly string[]>;
export type HostProfile = keyof typeof hostProfiles;

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const hostName = new RegExp(`^(?:\\*\\.)?(?:${label}\\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$`);

/** A profile, a name such as `files.example.org`, or `*.example.org`. Never an address, a port, or all of a top-level domain. */
export function isHostEntry(entry: string): boolean {
  return isProfile(entry) || isHostName(entry);
}

/** The hosts that entries stand for, each once. */
export function hostsOf(entries: readonly string[]): string[] {
  return [...new Set(entries.flatMap((entry): readonly string[] => (isProfile(entry) ? hostProfiles[entry] : [entry])))];
}

function isProfile(entry: string): entry is HostProfile {
  return Object.hasOwn(hostProfiles, entry);
}

/** Whether an entry, a name or `*.` before one, stands for this host. */
export function hostFits(entry: string, host: string): boolean {
  const name = host.toLowerCase();
  const lower = entry.toLowerCase();
  return lower.startsWith('*.') ? name.endsWith(lower.slice(1)) && name.length >= lower.length : name === lower;
}

/** The name of a host, or `*.` before one; no profile. */
export function isHostName(entry: string): boolean {
  return entry.length <= 253 && hostName.test(entry);
}
