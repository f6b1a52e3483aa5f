#!/bin/sh
# Looks at the sandbox from inside, for `doctor`: prints one `name value` a line. Judged by the runner, not here.
field() {
  awk -v key="$1" '$1 == key { print $2 }' /proc/self/status
}

first() {
  for file in "$@"; do
    if [ -r "$file" ]; then
      cat "$file"
      return
    fi
  done
  echo unknown
}

echo "uid $(id -u)"
echo "capabilities $(field CapEff:)"
echo "no_new_privileges $(field NoNewPrivs:)"
echo "seccomp $(field Seccomp:)"
echo "memory $(first /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes)"
echo "pids $(first /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max)"
echo "interfaces $(awk 'NR > 2 { sub(":", "", $1); printf "%s%s", separator, $1; separator = "," }' /proc/net/dev)"
if (: >/usr/probe) 2>/dev/null; then echo 'root writable'; else echo 'root read-only'; fi
if [ -e /var/run/docker.sock ]; then echo 'engine_socket present'; else echo 'engine_socket absent'; fi
for address in "$@"; do
  if curl --silent --output /dev/null --max-time 3 "$address"; then echo "reached $address"; else echo "blocked $address"; fi
done
