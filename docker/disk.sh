#!/bin/sh
# Working copies with a size limit: a file with an ext4 file system behind a loop device. Runs as root in a helper container that
# may use loop devices and nothing else; never where commands of a task run.
#
#   disk.sh attach NAME BYTES OWNER RESERVE   makes the file if there is none, attaches it and prints the device. Repeatable.
#           Ends with 28 when, with all files grown to their limits, less than RESERVE bytes of the host's disk would be left.
#   disk.sh detach NAME                       detaches and deletes. Repeatable.
#
# Every file has a loop device number of its own, drawn from a range that nobody else uses: after a restart of the host the old
# number names nothing, instead of the working copy of another task.
set -eu
dir=/disks
action=$1
file=$dir/$2.img
record=$dir/$2.loop

# LOOP_CTL_ADD and LOOP_CTL_REMOVE of <linux/loop.h>; losetup has no word for the second.
loop_control() {
  python3 -c '
import fcntl, os, sys
fcntl.ioctl(os.open("/dev/loop-control", os.O_RDWR), {"add": 0x4C80, "remove": 0x4C81}[sys.argv[1]], int(sys.argv[2]))
' "$1" "$2" 2>/dev/null
}

# The /dev of a container is a copy made at its start; devices made since are missing from it.
make_node() {
  numbers=$(cat "/sys/block/loop$1/dev")
  [ -b "/dev/loop$1" ] || mknod "/dev/loop$1" b "${numbers%:*}" "${numbers#*:}"
}

attached() {
  [ -e "/sys/block/loop$1/loop/backing_file" ] || return 1
  make_node "$1"
  [ "$(losetup --noheadings --raw --output BACK-INO "/dev/loop$1")" = "$(stat -c %i "$file")" ]
}

attach_new() {
  for bytes in 3 3 3 2 2 2; do
    number=$(od -An -N$bytes -tu4 /dev/urandom | tr -d ' ')
    number=$((number % 983040 + 65536))
    [ $bytes = 3 ] || number=$((number % 61440 + 4096)) # where devices have partitions, fewer numbers exist
    [ ! -e "/sys/block/loop$number" ] || continue
    echo "$number" >"$record"
    loop_control add "$number" || continue
    make_node "$number"
    losetup "/dev/loop$number" "$file"
    return 0
  done
  echo 'no loop device can be made' >&2
  exit 1
}

# Files are sparse: they take room only as they fill. What they may still take is counted as taken.
require_room() {
  free=$(df --output=avail -B1 "$dir" | tail -n 1)
  promised=$(($(du -s --apparent-size -B1 "$dir" | cut -f1) - $(du -s -B1 "$dir" | cut -f1)))
  if [ $((free - promised - $1)) -lt "$2" ]; then
    echo "$((free / 1048576)) MiB are free, $((promised / 1048576)) MiB of them promised to other working copies;" \
      "this one may need $(($1 / 1048576)) MiB, and $(($2 / 1048576)) MiB stay in reserve" >&2
    exit 28
  fi
}

release() {
  [ -e "$record" ] || return 0
  number=$(cat "$record")
  if [ -n "$number" ] && [ -e "/sys/block/loop$number" ]; then
    if attached "$number"; then losetup --detach "/dev/loop$number"; fi
    loop_control remove "$number" || true
  fi
  rm -f "$record"
}

discard() {
  [ ! -e "$file" ] || release
  rm -f "$file" "$file.new" "$record"
}

exec 9>"$dir/lock"
flock 9

case $action in
  attach)
    # What fails leaves nothing: nobody would know of it.
    trap '[ $? = 0 ] || discard' EXIT
    if [ ! -e "$file" ]; then
      require_room "$3" "$5"
      truncate -s "$3" "$file.new"
      # No journal: nobody needs the file system after a crash of the machine. No lost+found: the working copy starts empty.
      mke2fs -q -F -t ext4 -m 0 -i 8192 -O ^has_journal -E "nodiscard,lazy_itable_init=1,root_owner=$4" "$file.new"
      debugfs -w -R 'rmdir lost+found' "$file.new" 2>/dev/null
      mv "$file.new" "$file"
    fi
    if ! { [ -e "$record" ] && attached "$(cat "$record")"; }; then
      release
      attach_new
    fi
    echo "/dev/loop$(cat "$record")"
    ;;
  detach)
    discard
    ;;
  *)
    echo "disk.sh: unknown action $action" >&2
    exit 64
    ;;
esac
