#!/bin/bash
# Makes a base image for docker/Dockerfile without any registry, laid out like the official node:24-bookworm-slim:
# Debian from its mirror (debootstrap), Node and npm from the npm registry, `docker import`.
#
#   docker/make-base.sh TAG
#
# DEBIAN_MIRROR (http://deb.debian.org/debian), NODE_VERSION (24.21.0), NPM_VERSION (11.6.2)
set -euo pipefail

tag=${1:?usage: docker/make-base.sh TAG}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
node_version=${NODE_VERSION:-24.21.0}
npm_version=${NPM_VERSION:-11.6.2}
suite=bookworm

fail() {
  echo "make-base: $1" >&2
  exit 1
}

case $(uname -m) in
  x86_64) arch=x64 ;;
  aarch64) arch=arm64 ;;
  *) fail "no Node build for $(uname -m); set BASE_IMAGE to an image that has Node" ;;
esac
[ "$(id -u)" = 0 ] || fail 'needs root (debootstrap does); run it with sudo, or set BASE_IMAGE'
for program in debootstrap npm docker tar; do
  command -v "$program" >/dev/null || fail "$program is missing; on Debian and Ubuntu: apt-get install ${program/docker/docker.io}"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root

echo "make-base: Debian $suite from $mirror" >&2
debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "$mirror" >"$work/debootstrap.log" 2>&1 ||
  fail "debootstrap failed: $(tail -n 3 "$work/debootstrap.log")"

cat >"$root/etc/apt/sources.list" <<SOURCES
deb $mirror $suite main
deb $mirror $suite-updates main
deb ${DEBIAN_SECURITY_MIRROR:-${mirror%/debian}/debian-security} $suite-security main
SOURCES
chroot "$root" apt-get clean
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/log/* \
  "$root"/usr/share/{doc,man,locale,info} "$root/etc/hostname" "$root/etc/resolv.conf"
mkdir -p "$root/var/cache/apt/archives/partial" "$root/var/log/apt"
# dpkg would put the deleted pages back with every package.
printf 'path-exclude /usr/share/%s/*\n' doc man locale info >"$root/etc/dpkg/dpkg.cfg.d/no-pages"

echo "make-base: Node $node_version and npm $npm_version from the npm registry" >&2
(cd "$work" && npm pack --silent "node-linux-$arch@$node_version" "npm@$npm_version" >/dev/null) || fail 'npm pack failed'
mkdir "$work/node" "$root/usr/local/lib/node_modules" "$root/usr/local/lib/node_modules/npm"
tar -xzf "$work"/node-linux-*.tgz -C "$work/node" --strip-components=1
install -m 755 "$work/node/bin/node" "$root/usr/local/bin/node"
tar -xzf "$work"/npm-*.tgz -C "$root/usr/local/lib/node_modules/npm" --strip-components=1 --no-same-owner
for program in npm npx; do
  chmod 755 "$root/usr/local/lib/node_modules/npm/bin/$program-cli.js"
  ln -s "../lib/node_modules/npm/bin/$program-cli.js" "$root/usr/local/bin/$program"
done
chroot "$root" groupadd --gid 1000 node
chroot "$root" useradd --uid 1000 --gid 1000 --create-home --shell /bin/bash node

echo "make-base: importing as $tag" >&2
tar -C "$root" --numeric-owner --one-file-system -c . |
  docker import \
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change "ENV NODE_VERSION=$node_version" \
    --change 'CMD ["node"]' \
    - "$tag" >/dev/null || fail 'docker import failed'
