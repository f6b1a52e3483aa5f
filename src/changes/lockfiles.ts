/** Names of files that package managers write. */
export const lockfiles =
  /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|deno\.lock|cargo\.lock|gemfile\.lock|poetry\.lock|pdm\.lock|uv\.lock|pipfile\.lock|composer\.lock|go\.sum|mix\.lock|pubspec\.lock|podfile\.lock|package\.resolved|packages\.lock\.json|gradle\.lockfile|flake\.lock|conan\.lock|\.terraform\.lock\.hcl|chart\.lock)$/i;

/** Whether a file is written by a package manager. */
export function isLockfile(path: string): boolean {
  return lockfiles.test(path);
}
