#!/bin/bash
# Builds the images of the sandboxes (`npm run image`): one for commands, and one on top of it with the programs of agents. Does
# nothing for an image that is there and whose inputs have not changed.
#
# SANDBOX_IMAGE          name of the first (deckhand-sandbox:1)
# SANDBOX_AGENTS_IMAGE   name of the second (deckhand-agents:1); `none`: it is not built, and agents cannot work in containers
# BASE_IMAGE             image to build on: Debian or Ubuntu with Node 22 or newer. Unset: node:24-bookworm-slim if it is here or
#                        can be pulled, else a base made without a registry (docker/make-base.sh)
# CLAUDE_VERSION, CODEX_VERSION
#                        of Claude Code and Codex. Their packages come from where npm gets its packages, and are held to the
#                        checksums of docker/agents.sha512 where it has them
# PULL_TIMEOUT           seconds to wait for the registry (120)
set -euo pipefail
cd "$(dirname "$0")"

image=${SANDBOX_IMAGE:-deckhand-sandbox:1}
agents_image=${SANDBOX_AGENTS_IMAGE:-deckhand-agents:1}
claude_version=${CLAUDE_VERSION:-2.1.197}
codex_version=${CODEX_VERSION:-0.169.0}
default_base=node:24-bookworm-slim
local_base=deckhand-base:node24-bookworm

say() {
  echo "image: $1" >&2
}

fail() {
  say "$1"
  exit 1
}

command -v docker >/dev/null || fail 'the docker command is missing; on Debian and Ubuntu: apt-get install docker.io'
engine_arch=$(docker version --format '{{.Server.Arch}}' 2>/dev/null) ||
  fail "the container engine at ${DOCKER_HOST:-its default address} does not answer; start it, or set DOCKER_HOST"

# hash_of [TEXT]...: of the texts and of the files whose names come on stdin.
hash_of() {
  { printf '%s\n' "$@"; LC_ALL=C sort -z | xargs -0 sha256sum; } | sha256sum | cut -c1-16
}

has() {
  docker image inspect "$1" >/dev/null 2>&1
}

# label_of IMAGE LABEL: empty where there is none.
label_of() {
  docker image inspect --format "{{index .Config.Labels \"$2\"}}" "$1" 2>/dev/null || true
}

# build IMAGE [ARGUMENT]...
build() {
  local name=$1 started=$SECONDS
  shift
  if ! docker build --quiet --force-rm --tag "$name" "$@" >"$work/log" 2>&1; then
    cat "$work/log" >&2
    fail 'the build failed; its output stands above'
  fi
  say "built $name in $((SECONDS - started)) s, $(docker image inspect --format '{{.Size}}' "$name" | awk '{ printf "%.0f MB", $1 / 1e6 }')"
}

# The packages of the agents' programs, unpacked to $work/agents as the image gets them.
fetch_agents() {
  local arch sums=$PWD/agents.sha512 archive codex
  case $engine_arch in
    amd64) arch=x64 ;;
    arm64) arch=arm64 ;;
    *) fail "there are no programs of agents for $engine_arch; SANDBOX_AGENTS_IMAGE=none builds without" ;;
  esac
  command -v npm >/dev/null || fail 'npm is missing, which fetches the programs of agents; SANDBOX_AGENTS_IMAGE=none builds without'
  mkdir -p "$work/packages" "$work/context/agents/claude" "$work/codex"
  cd "$work/packages"
  npm pack --silent "@anthropic-ai/claude-code-linux-$arch@$claude_version" "@openai/codex@$codex_version-linux-$arch" \
    >"$work/npm.log" 2>&1 ||
    fail "npm cannot fetch the programs of agents: $(tail -n 3 "$work/npm.log"). SANDBOX_AGENTS_IMAGE=none builds without"
  for archive in *.tgz; do
    if grep -q "  $archive\$" "$sums"; then
      grep "  $archive\$" "$sums" | sha512sum --check --quiet >/dev/null 2>&1 || fail "$archive is not what it must be: wrong checksum"
    else
      say "no checksum is known of $archive"
    fi
  done
  tar -xzf anthropic-ai-claude-code-linux-*.tgz -C "$work/context/agents/claude" --strip-components=1
  # Codex finds its other programs from its own place; speech has no use here.
  tar -xzf openai-codex-*.tgz -C "$work/codex" --strip-components=1 --exclude='*/codex-resources/voice'
  codex=$(echo "$work"/codex/vendor/*)
  mv "$codex" "$work/context/agents/codex"
  cd "$work/context/agents"
  chmod -R u=rwX,go=rX .
  # Not readable: see agents.Dockerfile.
  chmod 711 claude/claude codex/bin/*
}

pick_base() {
  base=${BASE_IMAGE:-}
  if [ -n "$base" ]; then return; fi
  if has "$default_base"; then
    base=$default_base
  elif has "$local_base"; then
    base=$local_base
  else
    say "pulling $default_base"
    if timeout "${PULL_TIMEOUT:-120}" docker pull --quiet "$default_base" >/dev/null 2>&1; then
      base=$default_base
    else
      say 'the registry does not give it; making a base from Debian and npm packages'
      ./make-base.sh "$local_base" || fail 'no base image: set BASE_IMAGE to one that is here'
      base=$local_base
    fi
  fi
}

# What the builder is given, and what makes the base.
mapfile -t given < <(sed -n 's/^!//p' .dockerignore)
inputs=$(find "${given[@]}" make-base.sh -type f -print0 | hash_of "${BASE_IMAGE:-default}")
agents_inputs=$(printf '%s\0' agents.Dockerfile agents.sha512 managed-settings.json | hash_of "$inputs" "$image" "$claude_version" "$codex_version")

needed=
[ "$(label_of "$image" deckhand.sandbox.inputs)" = "$inputs" ] || needed=yes
agents_needed=
[ "$agents_image" = none ] || [ "$(label_of "$agents_image" deckhand.agents.inputs)" = "$agents_inputs" ] || agents_needed=yes
if [ -z "$needed$agents_needed" ]; then
  say "$image$([ "$agents_image" = none ] || echo ", $agents_image"): up to date"
  exit 0
fi

work=$(mktemp -d)
fetching=
trap '[ -z "$fetching" ] || kill "$fetching" 2>/dev/null; rm -rf "$work"' EXIT

# Both wait for the network most of the time.
if [ -n "$agents_needed" ]; then
  (trap - EXIT; fetch_agents) &
  fetching=$!
fi
if [ -n "$needed" ]; then
  pick_base
  say "building $image on $base"
  build "$image" --build-arg "BASE_IMAGE=$base" --build-arg "INPUTS=$inputs" .
fi
if [ -n "$agents_needed" ]; then
  wait "$fetching" || exit 1
  fetching=
  cp agents.Dockerfile managed-settings.json "$work/context"
  say "building $agents_image on $image"
  build "$agents_image" --file "$work/context/agents.Dockerfile" --build-arg "SANDBOX_IMAGE=$image" --build-arg "INPUTS=$agents_inputs" \
    --build-arg "CLAUDE_VERSION=$claude_version" --build-arg "CODEX_VERSION=$codex_version" "$work/context"
fi
# The compiler was needed for two files, and the images before these by nobody any more. What is in use is refused, and stays.
for label in deckhand.stage=init deckhand.sandbox.version; do
  docker image prune --force --filter "label=$label" >/dev/null 2>&1 || true
done
