# Starts the command of a local sandbox and outlives the runner: keeps its output in files and writes down its exit code.
# Run as `sh -c "$(cat launch.sh)" deckhand DIRECTORY BLOCKS COMMAND [ARGUMENT]...`, in the working copy, as leader of a new session.
#
# The output goes through pipes, not straight to the files: `echo text >/dev/stderr` opens what it finds there anew and would
# empty a file. DIRECTORY/tmp as TMPDIR marks the processes of the command; those here do not have it.
dir=$1
blocks=$2
shift 2

# Whoever makes this directory runs the command, once, however many have been asked to.
mkdir "$dir/started" 2>/dev/null || exit 0

ulimit -c 0
ulimit -f "$blocks"

# Two facts that no other process ever has together with this number; runner/sandbox/local-process.ts reads the same.
identity() {
  if [ -r /proc/self/stat ]; then
    read -r stat <"/proc/$$/stat"
    read -r boot </proc/sys/kernel/random/boot_id
    set -- ${stat##*) }
    echo "$boot ${20}"
  else
    LC_ALL=C ps -o lstart= -p $$
  fi
}

# The time of the machine that nobody sets; runner/sandbox/local-clock.ts reads the same.
clock() {
  if [ -r /proc/uptime ]; then
    read -r boot </proc/sys/kernel/random/boot_id
    read -r up </proc/uptime
    echo "$boot $up" >"$dir/$1"
  fi
}

clock began
mkfifo "$dir/out" "$dir/err"
cat <"$dir/out" >>"$dir/stdout" &
out=$!
cat <"$dir/err" >>"$dir/stderr" &
err=$!
{
  echo "$$ $out $err"
  identity
} >"$dir/pid.new"
mv "$dir/pid.new" "$dir/pid"

trap : HUP INT QUIT TERM
(
  TMPDIR=$dir/tmp
  export TMPDIR
  exec "$@"
) </dev/null >"$dir/out" 2>"$dir/err"
code=$?
clock over
echo "$code" >"$dir/exit.new"
mv "$dir/exit.new" "$dir/exit"
wait "$out" "$err"
