# Working copies with a size limit: a file with an ext4 file system behind a loop device. Runs as root in a container that may use
# loop devices and nothing else, never where commands of a task run; of the files it reads names and sizes, never what is in them.
# Run as `sh -c "$(cat disk.sh)" disk ACTION [ARGUMENT]...`:
#
#   attach NAME NUMBER BYTES OWNER RESERVE   makes the file if there is none, and attaches it to this loop device. Repeatable.
#           Ends with 28 when, with all files grown to their limits, less than RESERVE bytes of the host's disk would be left; with 17
#           when the device is in use or cannot be made: another number will do. Leaves a file `hosts` for sandboxes, too.
#   detach NAME                              detaches and deletes. Repeatable. Ends with 16 while the file system is mounted.
#
# The last line is `end CODE`. Where it is missing, this was killed on the way, and is to be run again.
set -eu
dir=/disks
action=$1
file=$dir/$2.img
record=$dir/$2.loop

# loop add|remove|clear NUMBER: LOOP_CTL_ADD, LOOP_CTL_REMOVE and LOOP_CLR_FD of <linux/loop.h>. losetup has no word for the second,
# and takes the file from a mounted device as soon as that is unmounted, instead of saying that it is in use (O_EXCL).
loop() {
  perl -e '
my ($what, $number) = @ARGV;
my ($path, $flags, $call, $value) = $what eq "clear" ? ("/dev/loop$number", 0200, 0x4C01, 0)
  : ("/dev/loop-control", 2, $what eq "add" ? 0x4C80 : 0x4C81, $number + 0);
my $device;
exit(sysopen($device, $path, $flags) && defined(ioctl($device, $call, $value)) ? 0 : 1);
' "$1" "$2"
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
  old=$(cat "$record")
  if [ -n "$old" ] && [ -e "/sys/block/loop$old" ]; then
    if attached "$old"; then loop clear "$old" || exit 16; fi
    loop remove "$old" || true
    rm -f "/dev/loop$old"
  fi
  rm -f "$record"
}

discard() {
  [ ! -e "$file" ] || release
  rm -f "$file" "$file.new" "$record"
}

finish() {
  code=$?
  trap - EXIT
  # What fails leaves nothing: nobody would know of it.
  if [ $code != 0 ] && [ "$action" = attach ]; then (discard) || true; fi
  echo "end $code"
  exit $code
}
trap finish EXIT

exec 9>"$dir/lock"
flock 9

case $action in
  attach)
    number=$3
    if [ ! -e "$dir/hosts" ]; then
      printf '127.0.0.1 localhost sandbox\n::1 ip6-localhost ip6-loopback\n' >"$dir/hosts.new"
      mv "$dir/hosts.new" "$dir/hosts"
    fi
    if [ -e "$file" ] && [ -e "$record" ] && [ "$(cat "$record")" = "$number" ] && attached "$number"; then exit 0; fi
    release
    [ ! -e "/sys/block/loop$number" ] || exit 17
    if [ ! -e "$file" ]; then
      require_room "$4" "$6"
      truncate -s "$4" "$file.new"
      # No journal: nobody needs the file system after a crash of the machine. No lost+found: the working copy starts empty.
      mke2fs -q -F -t ext4 -m 0 -i 8192 -O ^has_journal -E "nodiscard,lazy_itable_init=1,root_owner=$5" "$file.new"
      debugfs -w -R 'rmdir lost+found' "$file.new" 2>/dev/null
      mv "$file.new" "$file"
    fi
    echo "$number" >"$record"
    if ! loop add "$number"; then
      rm -f "$record"
      exit 17
    fi
    make_node "$number"
    losetup "/dev/loop$number" "$file"
    rm -f "/dev/loop$number"
    ;;
  detach)
    discard
    ;;
  *)
    echo "disk.sh: unknown action $action" >&2
    exit 64
    ;;
esac
