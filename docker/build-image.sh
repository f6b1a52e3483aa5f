#!/bin/bash
# Builds the image of the sandboxes (`npm run image`). Does nothing when the image is there and its inputs have not changed.
#
# SANDBOX_IMAGE   name to give it (deckhand-sandbox:1)
# BASE_IMAGE      image to build on: Debian or Ubuntu with Node. Unset: node:24-bookworm-slim if it is here or can be pulled,
#                 else a base made without a registry (docker/make-base.sh)
# PULL_TIMEOUT    seconds to wait for the registry (120)
set -euo pipefail
cd "$(dirname "$0")"

image=${SANDBOX_IMAGE:-deckhand-sandbox:1}
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
docker version --format '{{.Server.Version}}' >/dev/null 2>&1 ||
  fail "the container engine at ${DOCKER_HOST:-its default address} does not answer; start it, or set DOCKER_HOST"

inputs=$({
  echo "${BASE_IMAGE:-default}"
  find . -type f ! -name build-image.sh ! -name 'compose*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
} | sha256sum | cut -c1-16)

built=$(docker image inspect --format '{{index .Config.Labels "deckhand.sandbox.inputs"}}' "$image" 2>/dev/null || true)
if [ "$built" = "$inputs" ]; then
  say "$image is up to date"
  exit 0
fi

has() {
  docker image inspect "$1" >/dev/null 2>&1
}

base=${BASE_IMAGE:-}
if [ -z "$base" ]; then
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
fi

say "building $image on $base"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
started=$SECONDS
if ! docker build --quiet --force-rm --build-arg "BASE_IMAGE=$base" --build-arg "INPUTS=$inputs" --tag "$image" . >"$log" 2>&1; then
  cat "$log" >&2
  fail "the build failed; its output stands above"
fi
# The compiler was needed for one file, and the image before this one by nobody any more. What is in use is refused, and stays.
for label in deckhand.stage=init deckhand.sandbox.version; do
  docker image prune --force --filter "label=$label" >/dev/null 2>&1 || true
done
say "built $image in $((SECONDS - started)) s, $(docker image inspect --format '{{.Size}}' "$image" | awk '{ printf "%.0f MB", $1 / 1e6 }')"
