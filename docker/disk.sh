#!/bin/sh
# Working copies with a size limit: a file with an ext4 file system behind a loop device. Runs as root in a helper container that
# may use loop devices and nothing else; never where commands of a task run.
#
#   disk.sh attach NAME BYTES OWNER   makes the file if there is none, attaches it and prints the device. Repeatable.
#   disk.sh detach NAME               detaches and deletes. Repeatable.
#   disk.sh names                     prints the NAME of every file, one a line.
set -eu
dir=/disks
action=$1
file=$dir/${2:-}.img

# The /dev of a container is a copy made at its start; loop devices made since are missing from it.
node() {
  [ -b "$1" ] || mknod "$1" b 7 "${1#/dev/loop}"
}

device_of() {
  losetup --noheadings --output NAME --associated "$file" | head -n 1
}

free_device() {
  for try in 1 2 3 4 5 6 7 8; do
    device=$(losetup --find)
    node "$device"
    if losetup --nooverlap "$device" "$file" 2>/dev/null; then return 0; fi
  done
  losetup "$device" "$file"
}

case $action in
  attach)
    if [ ! -e "$file" ]; then
      truncate -s "$3" "$file.new"
      # No journal: nobody needs the file system after a crash of the machine. No lost+found: the working copy starts empty.
      mke2fs -q -F -t ext4 -m 0 -i 8192 -O ^has_journal -E "nodiscard,lazy_itable_init=1,root_owner=$4" "$file.new"
      debugfs -w -R 'rmdir lost+found' "$file.new" 2>/dev/null
      mv "$file.new" "$file"
    fi
    device=$(device_of)
    if [ -z "$device" ]; then
      free_device
      device=$(device_of)
    fi
    echo "$device"
    ;;
  detach)
    for device in $(losetup --noheadings --output NAME --associated "$file"); do
      node "$device"
      losetup --detach "$device"
    done
    rm -f "$file" "$file.new"
    ;;
  names)
    for found in "$dir"/*.img; do
      [ -e "$found" ] && basename "$found" .img
    done
    ;;
  *)
    echo "disk.sh: unknown action $action" >&2
    exit 64
    ;;
esac
