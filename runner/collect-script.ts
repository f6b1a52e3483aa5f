import type { Helper } from './sandbox/port.ts';
import type { Author } from './working-copy.ts';

/** A result larger than this is refused. */
export const maxBundleBytes = 512 * 1024 * 1024;

/**
 * Opens the working copy as a new repository whose index is that of the commit it stands at. Arguments: parent commit, object format, message.
 */
export const openedRepository = `set -eu
umask 077
parent=$1 format=$2 message=$3
work=$PWD
mkdir -p "\${TMPDIR:-/tmp}"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' HUP INT TERM
export HOME="$tmp" GIT_DIR="$tmp/git"
# By its full path: where nobody may enter it, not even "." can be named.
chmod -R u+rwX "$work" 2>/dev/null || true

objects=$(GIT_DIR="$work/.git" git rev-parse --git-path objects 2>/dev/null) || objects=
tip=$(GIT_DIR="$work/.git" git rev-parse --quiet --verify 'HEAD^{commit}' 2>/dev/null) || tip=
git init --quiet --bare --template= --object-format="$format" "$GIT_DIR"
git config core.bare false
export GIT_WORK_TREE="$work"
case $objects in
  '') ;;
  /*) mkdir -p "$GIT_DIR/objects/info"; printf '%s\\n' "$objects" >"$GIT_DIR/objects/info/alternates" ;;
  *) mkdir -p "$GIT_DIR/objects/info"; printf '%s\\n' "$work/$objects" >"$GIT_DIR/objects/info/alternates" ;;
esac

known=
if git cat-file -e "$parent^{commit}" 2>/dev/null; then known=1; fi
start=$tip
if [ -z "$start" ] || ! git read-tree "$start" 2>/dev/null; then
  start= tip=
  if [ -n "$known" ] && git read-tree "$parent" 2>/dev/null; then start=$parent; else git read-tree --empty; fi
fi

# Repositories inside the working copy would become links to commits that nobody else has: their files count.
find . -mindepth 2 -name .git -prune -exec rm -rf {} +
`;

/**
 * Runs inside the sandbox, after the command: commits what the working copy holds and writes a git bundle of everything new since
 * the parent to stdout, or nothing when nothing has changed.
 *
 * The working copy's `.git` belongs to the command by now, so only its objects and the commit that HEAD names are used: index,
 * configuration, hooks, filters and exclusions are those of a new repository. Commits made by the command are kept when they
 * descend from the parent; else all files become one commit on it. Repeatable.
 */
const script = `${openedRepository}
# To leave out what is ignored anyway is an error to git.
if git check-ignore --quiet .deckhand; then git add --all .; else git add --all . ':(exclude,top).deckhand'; fi
tree=$(git write-tree)

if [ -n "$known" ] && { [ -z "$tip" ] || ! git merge-base --is-ancestor "$parent" "$tip"; }; then tip=$parent; fi
if [ -n "$tip" ] && [ "$tree" = "$(git rev-parse "$tip^{tree}")" ]; then
  commit=$tip
else
  commit=$(printf '%s\\n' "$message" | git commit-tree "$tree" \${tip:+-p "$tip"})
fi
if [ "$commit" = "$parent" ]; then exit 0; fi
git update-ref refs/heads/result "$commit"
git bundle create --quiet - refs/heads/result \${known:+"^$parent"}
`;

/** git without the settings of any machine, user or repository. */
export const helperEnvironment: Readonly<Record<string, string>> = {
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_NO_LAZY_FETCH: '1',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_ALLOW_PROTOCOL: 'none',
  GIT_CONFIG_COUNT: '6',
  GIT_CONFIG_KEY_0: 'core.hooksPath',
  GIT_CONFIG_VALUE_0: '/dev/null',
  GIT_CONFIG_KEY_1: 'core.fsmonitor',
  GIT_CONFIG_VALUE_1: 'false',
  GIT_CONFIG_KEY_2: 'gc.auto',
  GIT_CONFIG_VALUE_2: '0',
  GIT_CONFIG_KEY_3: 'core.attributesFile',
  GIT_CONFIG_VALUE_3: '/dev/null',
  GIT_CONFIG_KEY_4: 'core.excludesFile',
  GIT_CONFIG_VALUE_4: '/dev/null',
  GIT_CONFIG_KEY_5: 'core.safecrlf',
  GIT_CONFIG_VALUE_5: 'false',
};

export function collectHelper(input: { parent: string; message: string; author: Author }): Helper {
  const format = input.parent.length === 64 ? 'sha256' : 'sha1';
  return {
    argv: ['/bin/sh', '-c', script, 'collect', input.parent, format, input.message],
    env: {
      ...helperEnvironment,
      GIT_AUTHOR_NAME: input.author.name,
      GIT_AUTHOR_EMAIL: input.author.email,
      GIT_COMMITTER_NAME: input.author.name,
      GIT_COMMITTER_EMAIL: input.author.email,
    },
    timeMs: 10 * 60_000,
    outputBytes: maxBundleBytes + 1024 * 1024,
  };
}
