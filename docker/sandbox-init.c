/*
 * First process of a Deckhand sandbox: runs one command, holds it to its limits and reports.
 *
 *   deckhand-init [--time-ms N] [--output-bytes N] [--log-bytes N] [--disk DIR] [--id ID] -- COMMAND [ARGUMENT]...
 *   deckhand-init [--disk DIR] --go FILE [-- AHEAD [ARGUMENT]...]
 *
 * The second form does nothing until FILE is there, which must appear whole (by a rename). It holds, each ended by a NUL byte: the
 * numbers of --time-ms, --output-bytes and --log-bytes; how many arguments follow, and the arguments; how many variables
 * follow, and the variables (NAME=value), which are added to the environment. Then it goes on as the first form does.
 *
 * AHEAD is a program that takes the place of the command: it is started at once, and when FILE is there it hears so by the end of its
 * stdin and reads FILE itself. Limits count and output is read from then on. When it has ended before, the command is started instead.
 *
 * It writes records to its stdout, one a line, each shorter than 16 KiB (the size at which container engines split a line):
 *
 *   s 1                        the command is about to start; version of this protocol
 *   o OFFSET BASE64            bytes of the command's stdout, OFFSET is the position of the first
 *   e OFFSET BASE64            the same for stderr
 *   x {"cause":...}            the end; always the last record
 *
 * Why bytes are wrapped: log drivers work in lines of text. With base64 and offsets, any of them replays output exactly, shows
 * a prompt without a line end at once, and a missing piece is noticed.
 *
 * Signals: SIGTERM asks every process of the sandbox to end and kills what is left after 30 s; SIGQUIT kills at once.
 * As process 1 of a PID namespace it cannot be killed or stopped by the command; it is not dumpable, so the command cannot open
 * its memory or its output through /proc either. As another process (a helper beside the command) it adopts orphans instead.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAYLOAD 11520             /* base64: 15,360 characters, below the 16 KiB line of the engines */
#define SMALL 4096                /* a shorter piece is followed by a pause, so that drops do not become a record each */
#define PAUSE_MS 10
#define TICK_MS 100               /* how often limits and memory are looked at */
#define LIMIT_GRACE_MS 5000       /* from SIGTERM to SIGKILL when a limit is reached */
#define STOP_GRACE_MS 30000       /* the same after a SIGTERM from outside, in case the asker has died */
#define DRAIN_MS 2000             /* after the last process has ended */
#define RECORD_COST 64            /* what a log driver adds to a record, rounded up */
#define GO_BYTES (16 * 1024 * 1024) /* what the file of --go may hold */
#define LOOK_MS 1000              /* how often it is looked for where no notice comes */
#define FULL_MS 1000              /* a full disk is left this long to the command to fail on it by itself */
#define DISK_FLOOR (1024 * 1024)  /* less than this left, or fewer inodes than below: the disk is full */
#define INODE_FLOOR 16

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "add the audit architecture of this machine"
#endif

struct stream {
  char mark;
  int fd;
  uint64_t offset;   /* bytes reported */
  int64_t hold_until;
};

static struct {
  int64_t time_ms, output_bytes, log_bytes;
  const char *disk;
} limits = {INT64_MAX, INT64_MAX, INT64_MAX, NULL};

static struct stream streams[2] = {{'o', -1, 0, 0}, {'e', -1, 0, 0}};
static pid_t child;
static bool child_ended, killed;
static int child_status;
static const char *go_file;
static const char *cause;          /* first reason to end it, or NULL */
static int64_t kill_at = INT64_MAX;
static uint64_t log_used, peak, initial_oom_kills, initial_pids_refused;
static char out[2 * 16384];
static size_t out_length, out_position;

static void die(const char *what) {
  fprintf(stderr, "deckhand-init: %s: %s\n", what, strerror(errno));
  exit(125);
}

static int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- cgroup: version 1 and 2 ---- */

static size_t read_file(const char *path, char *buffer, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t n = read(fd, buffer, size - 1);
  close(fd);
  if (n < 0) n = 0;
  buffer[n] = 0;
  return (size_t)n;
}

/* The number after `key ` at the start of a line, or 0. */
static uint64_t field(const char *text, const char *key) {
  size_t length = strlen(key);
  for (const char *line = text; line; line = strchr(line, '\n')) {
    if (*line == '\n') line++;
    if (strncmp(line, key, length) == 0 && line[length] == ' ') return strtoull(line + length, NULL, 10);
  }
  return 0;
}

/* Memory that processes hold, and files in memory; not the cache of files on disk, which the kernel can drop. */
static uint64_t memory_now(void) {
  char text[8192];
  if (read_file("/sys/fs/cgroup/memory/memory.stat", text, sizeof text) > 0)
    return field(text, "total_rss") + field(text, "total_shmem");
  if (read_file("/sys/fs/cgroup/memory.stat", text, sizeof text) > 0) return field(text, "anon") + field(text, "shmem");
  return 0;
}

static uint64_t oom_kills(void) {
  char text[1024];
  if (read_file("/sys/fs/cgroup/memory/memory.oom_control", text, sizeof text) > 0) return field(text, "oom_kill");
  if (read_file("/sys/fs/cgroup/memory.events", text, sizeof text) > 0) return field(text, "oom_kill");
  return 0;
}

/* How often the limit of processes kept one from starting. */
static uint64_t pids_refused(void) {
  char text[1024];
  if (read_file("/sys/fs/cgroup/pids/pids.events", text, sizeof text) > 0) return field(text, "max");
  if (read_file("/sys/fs/cgroup/pids.events", text, sizeof text) > 0) return field(text, "max");
  return 0;
}

static void note_peak(uint64_t bytes) {
  if (bytes > peak) peak = bytes;
}

static bool disk_full(void) {
  struct statvfs s;
  if (!limits.disk || statvfs(limits.disk, &s) != 0) return false;
  return (uint64_t)s.f_bavail * s.f_frsize < DISK_FLOOR || (s.f_files > 0 && s.f_favail < INODE_FLOOR);
}

/* ---- ending it ---- */

/* Kills the orphans that came to us; in a PID namespace of our own kill(-1) is simpler and misses nothing. */
static void kill_children(void) {
  char path[64], text[4096], *end;
  snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
  if (read_file(path, text, sizeof text) == 0) return;
  for (char *at = text;; at = end) {
    long pid = strtol(at, &end, 10);
    if (end == at || pid <= 0) return;
    kill((pid_t)pid, SIGKILL);
  }
}

static void signal_all(int number) {
  if (getpid() == 1) {
    kill(-1, number);
    return;
  }
  if (!child_ended) kill(-child, number);
  if (number == SIGKILL) kill_children();
}

static void kill_now(void) {
  killed = true;
  signal_all(SIGKILL);
}

static void ask_to_end(const char *why, int64_t grace_ms) {
  if (!cause) cause = why;
  if (kill_at != INT64_MAX || killed) return;
  kill_at = now_ms() + grace_ms;
  signal_all(SIGTERM);
}

static void reap(void) {
  for (;;) {
    int status;
    struct rusage usage;
    pid_t pid = wait4(-1, &status, WNOHANG, &usage);
    if (pid <= 0) return;
    note_peak((uint64_t)usage.ru_maxrss * 1024);
    if (pid == child) {
      child_ended = true;
      child_status = status;
    }
  }
}

/* ---- records ---- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void put_output(struct stream *s, const unsigned char *bytes, size_t n) {
  char *to = out + sprintf(out, "%c %" PRIu64 " ", s->mark, s->offset);
  for (size_t i = 0; i < n; i += 3) {
    uint32_t v = (uint32_t)bytes[i] << 16 | (i + 1 < n ? (uint32_t)bytes[i + 1] << 8 : 0) | (i + 2 < n ? bytes[i + 2] : 0);
    *to++ = digits[v >> 18];
    *to++ = digits[v >> 12 & 63];
    *to++ = i + 1 < n ? digits[v >> 6 & 63] : '=';
    *to++ = i + 2 < n ? digits[v & 63] : '=';
  }
  *to++ = '\n';
  out_length = (size_t)(to - out);
  out_position = 0;
  s->offset += n;
  log_used += out_length + RECORD_COST;
}

static void flush_some(void) {
  ssize_t n = write(STDOUT_FILENO, out + out_position, out_length - out_position);
  if (n > 0) out_position += (size_t)n;
  else if (errno == EPIPE) {
    /* Nobody reads any more: without a reader there is no point in going on. */
    kill_now();
    out_position = out_length;
    limits.output_bytes = 0;
  } else if (errno != EAGAIN && errno != EINTR) die("write");
}

static void read_stream(struct stream *s) {
  unsigned char bytes[PAYLOAD];
  ssize_t n = read(s->fd, bytes, sizeof bytes);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    close(s->fd);
    s->fd = -1;
    return;
  }
  uint64_t used = streams[0].offset + streams[1].offset;
  uint64_t room = used < (uint64_t)limits.output_bytes ? (uint64_t)limits.output_bytes - used : 0;
  if (log_used > (uint64_t)limits.log_bytes) room = 0;
  size_t keep = (uint64_t)n <= room ? (size_t)n : (size_t)room;
  if (keep > 0) put_output(s, bytes, keep);
  if (keep < (size_t)n) ask_to_end("output_limit", LIMIT_GRACE_MS);
  if (n < SMALL) s->hold_until = now_ms() + PAUSE_MS;
}

static void put_end(int64_t elapsed) {
  bool by_signal = WIFSIGNALED(child_status);
  int number = by_signal ? WTERMSIG(child_status) : 0;
  int code = by_signal ? 128 + number : WEXITSTATUS(child_status);
  const char *name = by_signal ? sigabbrev_np(number) : NULL;
  uint64_t oom = oom_kills() - initial_oom_kills;
  if (!cause) cause = code != 0 && oom > 0 ? "memory_limit" : code != 0 && disk_full() ? "disk_limit" : "exit";
  out_length = (size_t)snprintf(
      out, sizeof out,
      "x {\"cause\":\"%s\",\"exitCode\":%d%s%s%s,\"oomKills\":%" PRIu64 ",\"pidsRefused\":%" PRIu64 ",\"durationMs\":%" PRId64
      ",\"peakBytes\":%" PRIu64 ",\"stdout\":%" PRIu64 ",\"stderr\":%" PRIu64 "}\n",
      cause, code, name ? ",\"signal\":\"SIG" : "", name ? name : "", name ? "\"" : "", oom,
      pids_refused() - initial_pids_refused, elapsed, peak, streams[0].offset, streams[1].offset);
  out_position = 0;
}

/* ---- starting it ---- */

#define DENY_SYSCALL(number) \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))

/*
 * Filters add up, the strictest wins: this one stands on top of the engine's own profile and takes away what older profiles
 * still allow. System calls of another architecture (32-bit programs) would go around it, so they are refused whole.
 */
static void restrict_system_calls(void) {
  struct sock_filter filter[] = {
      LOAD(arch),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      LOAD(nr),
#if defined(__x86_64__)
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1), /* x32 */
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
#endif
      DENY_SYSCALL(SYS_io_uring_setup),
      DENY_SYSCALL(SYS_io_uring_enter),
      DENY_SYSCALL(SYS_io_uring_register),
      DENY_SYSCALL(SYS_userfaultfd),
      DENY_SYSCALL(SYS_keyctl),
      DENY_SYSCALL(SYS_add_key),
      DENY_SYSCALL(SYS_request_key),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 4),
      LOAD(args[0]),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_VSOCK, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_ALG, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) die("no_new_privs");
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) die("seccomp");
}

static void run_command(char **argv, const int *outputs, const sigset_t *mask) {
  setsid();
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* or /proc/self could not be written below */
  /* When memory runs out the command goes first, this process stays and reports. */
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd >= 0) {
    if (write(fd, "1000", 4) < 0) { /* not essential: then the largest process goes first */
    }
    close(fd);
  }
  dup2(outputs[0], STDOUT_FILENO);
  dup2(outputs[1], STDERR_FILENO);
  signal(SIGPIPE, SIG_DFL);
  sigprocmask(SIG_SETMASK, mask, NULL);
  restrict_system_calls();
  execvp(argv[0], argv);
  int code = errno == ENOENT ? 127 : 126;
  dprintf(STDERR_FILENO, "%s: %s\n", argv[0], errno == ENOENT ? "command not found" : strerror(errno));
  _exit(code);
}

/* ---- waiting for it ---- */

static const char *next_field(char **at, const char *end) {
  char *field = *at, *stop = field < end ? memchr(field, 0, (size_t)(end - field)) : NULL;
  if (!stop) {
    errno = EINVAL;
    die("go");
  }
  *at = stop + 1;
  return field;
}

static int64_t next_number(char **at, const char *end, int64_t smallest) {
  char *stop;
  const char *field = next_field(at, end);
  int64_t value = strtoll(field, &stop, 10);
  if (*field == 0 || *stop != 0 || value < smallest) {
    errno = EINVAL;
    die("go");
  }
  return value;
}

/* Takes limits, command and environment from the file. False while it is not there. */
static bool take_go(const char *file, char ***command) {
  int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    if (errno == ENOENT) return false;
    die("go");
  }
  struct stat about;
  if (fstat(fd, &about) != 0) die("go");
  if (about.st_size > GO_BYTES) {
    errno = EFBIG;
    die("go");
  }
  /* Never freed: the command's arguments and variables point into it. */
  char *text = malloc((size_t)about.st_size + 1);
  if (!text) die("memory");
  size_t length = 0;
  for (ssize_t n; length < (size_t)about.st_size; length += (size_t)n) {
    n = read(fd, text + length, (size_t)about.st_size - length);
    if (n < 0 && errno == EINTR) n = 0;
    else if (n <= 0) die("go");
  }
  close(fd);
  char *at = text;
  const char *end = text + length;
  limits.time_ms = next_number(&at, end, 1);
  limits.output_bytes = next_number(&at, end, 1);
  limits.log_bytes = next_number(&at, end, 1);
  int64_t count = next_number(&at, end, 1);
  char **argv = count <= (int64_t)length ? calloc((size_t)count + 1, sizeof *argv) : NULL;
  if (!argv) die("go");
  for (int64_t i = 0; i < count; i++) argv[i] = (char *)next_field(&at, end);
  count = next_number(&at, end, 0);
  for (int64_t i = 0; i < count; i++) {
    char *variable = (char *)next_field(&at, end);
    if (!strchr(variable, '=') || putenv(variable) != 0) die("go");
  }
  *command = argv;
  return true;
}

/* Returns the command when the file has come. Whoever ends the sandbox before that ends nothing but this process. */
static char **wait_for_go(const char *file, int signals) {
  char **command, directory[4096];
  const char *slash = strrchr(file, '/');
  snprintf(directory, sizeof directory, "%.*s", slash && slash != file ? (int)(slash - file) : 1, slash ? file : ".");
  int notices = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (notices >= 0) inotify_add_watch(notices, directory, IN_MOVED_TO | IN_CLOSE_WRITE);
  while (!take_go(file, &command)) {
    char skipped[4096];
    struct pollfd polls[2] = {{signals, POLLIN, 0}, {notices, POLLIN, 0}};
    if (poll(polls, 2, LOOK_MS) < 0 && errno != EINTR) die("poll");
    if (polls[0].revents != 0) {
      struct signalfd_siginfo info;
      while (read(signals, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo != SIGCHLD) exit(0);
      if (child > 0) reap();
    }
    while (notices >= 0 && read(notices, skipped, sizeof skipped) > 0) continue;
  }
  if (notices >= 0) close(notices);
  return command;
}

/* The command, or with --go what is started ahead of it; NULL where there is none. */
static char **parse(int argc, char **argv) {
  for (int i = 1; i < argc; i += 2) {
    if (strcmp(argv[i], "--") == 0 && i + 1 < argc) return argv + i + 1;
    if (i + 1 >= argc) break;
    if (strcmp(argv[i], "--go") == 0) {
      go_file = argv[i + 1];
      if (i + 2 == argc) return NULL;
    } else if (strcmp(argv[i], "--disk") == 0) limits.disk = argv[i + 1];
    else if (strcmp(argv[i], "--id") == 0) { /* only to be found by it */
    } else {
      char *end;
      int64_t value = strtoll(argv[i + 1], &end, 10);
      if (*end != 0 || value <= 0) break;
      if (strcmp(argv[i], "--time-ms") == 0) limits.time_ms = value;
      else if (strcmp(argv[i], "--output-bytes") == 0) limits.output_bytes = value;
      else if (strcmp(argv[i], "--log-bytes") == 0) limits.log_bytes = value;
      else break;
    }
  }
  fprintf(stderr, "usage: deckhand-init [--time-ms N] [--output-bytes N] [--log-bytes N] [--disk DIR] [--id ID] -- COMMAND [ARGUMENT]...\n"
                  "       deckhand-init [--disk DIR] --go FILE [-- AHEAD [ARGUMENT]...]\n");
  exit(125);
}

/* `input`: its stdin, or -1 for that of this process. */
static void start(char **argv, const sigset_t *mask, int input) {
  int pipes[2][2];
  for (int i = 0; i < 2; i++)
    if (pipe2(pipes[i], O_CLOEXEC) != 0) die("pipe");
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) die("dumpable");
  if (getpid() != 1 && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) die("subreaper");
  child = fork();
  if (child < 0) die("fork");
  if (child == 0) {
    if (input >= 0) dup2(input, STDIN_FILENO);
    run_command(argv, (int[]){pipes[0][1], pipes[1][1]}, mask);
  }
  for (int i = 0; i < 2; i++) {
    close(pipes[i][1]);
    fcntl(pipes[i][0], F_SETFL, O_NONBLOCK);
    streams[i].fd = pipes[i][0];
  }
}

/* Waits for the order. Returns the command that it names, or NULL where what was started ahead goes on in its place. */
static char **start_ahead(char **ahead, const sigset_t *mask, int signals) {
  int told[2];
  if (pipe2(told, O_CLOEXEC) != 0) die("pipe");
  start(ahead, mask, told[0]);
  close(told[0]);
  char **command = wait_for_go(go_file, signals);
  reap();
  close(told[1]);
  if (!child_ended) return NULL;
  /* Nothing of it is left for the command. */
  signal_all(SIGKILL);
  for (int i = 0; i < 2; i++) close(streams[i].fd);
  child_ended = false;
  return command;
}

static void on_signals(int fd) {
  struct signalfd_siginfo info;
  while (read(fd, &info, sizeof info) == (ssize_t)sizeof info) {
    if (info.ssi_signo == SIGQUIT) {
      if (!cause) cause = "stopped";
      kill_now();
    } else if (info.ssi_signo != SIGCHLD) ask_to_end("stopped", STOP_GRACE_MS);
  }
  reap();
}

/* Waits until something can be read or written, a signal comes, or the next tick. */
static void wait_and_move(int signals) {
  struct pollfd polls[3] = {{signals, POLLIN, 0}};
  int count = 1, index[2] = {0, 0};
  int64_t now = now_ms(), timeout = TICK_MS;
  if (out_position < out_length) polls[count++] = (struct pollfd){STDOUT_FILENO, POLLOUT, 0};
  else
    for (int i = 0; i < 2; i++) {
      if (streams[i].fd < 0) continue;
      if (streams[i].hold_until <= now || child_ended) {
        index[i] = count;
        polls[count++] = (struct pollfd){streams[i].fd, POLLIN, 0};
      } else if (streams[i].hold_until - now < timeout) timeout = streams[i].hold_until - now;
    }
  if (poll(polls, (nfds_t)count, (int)timeout) < 0 && errno != EINTR) die("poll");
  on_signals(signals);
  if (out_position < out_length) flush_some();
  else
    for (int i = 0; i < 2; i++)
      if (index[i] > 0 && polls[index[i]].revents != 0 && out_position == out_length) {
        read_stream(&streams[i]);
        if (out_position < out_length) flush_some();
      }
}

static void check_limits(int64_t elapsed) {
  note_peak(memory_now());
  if (elapsed >= limits.time_ms) ask_to_end("timed_out", LIMIT_GRACE_MS);
  static int64_t full_since = INT64_MAX;
  if (!disk_full()) full_since = INT64_MAX;
  else if (full_since == INT64_MAX) full_since = elapsed;
  else if (elapsed - full_since >= FULL_MS) ask_to_end("disk_limit", LIMIT_GRACE_MS);
  if (now_ms() >= kill_at) kill_now();
}

int main(int argc, char **argv) {
  char **command = parse(argc, argv);
  sigset_t handled, before;
  sigemptyset(&handled);
  int numbers[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) sigaddset(&handled, numbers[i]);
  sigprocmask(SIG_BLOCK, &handled, &before);
  signal(SIGPIPE, SIG_IGN);
  int signals = signalfd(-1, &handled, SFD_NONBLOCK | SFD_CLOEXEC);
  if (signals < 0) die("signalfd");
  if (!command) command = wait_for_go(go_file, signals);
  else if (go_file) command = start_ahead(command, &before, signals);
  if (write(STDOUT_FILENO, "s 1\n", 4) != 4) die("write");
  fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_NONBLOCK);
  initial_oom_kills = oom_kills();
  initial_pids_refused = pids_refused();
  if (command) start(command, &before, -1);

  /* A frozen sandbox has no ticks; the time it was frozen is one long step, of which at most a second counts. */
  int64_t elapsed = 0, last = now_ms(), checked = 0, all_ended_at = INT64_MAX;
  for (;;) {
    wait_and_move(signals);
    int64_t now = now_ms(), step = now - last;
    last = now;
    elapsed += step < 1000 ? step : 1000;
    if (!child_ended) {
      if (now - checked >= TICK_MS) {
        checked = now;
        check_limits(elapsed);
      }
      continue;
    }
    /* The command is over, and with it everything that it left behind. */
    if (all_ended_at == INT64_MAX) {
      signal_all(SIGKILL);
      reap();
      siginfo_t none;
      if (waitid(P_ALL, 0, &none, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD) all_ended_at = now;
    }
    bool drained = streams[0].fd < 0 && streams[1].fd < 0;
    bool given_up = all_ended_at != INT64_MAX && now - all_ended_at > DRAIN_MS;
    if (all_ended_at != INT64_MAX && (drained || given_up) && out_position == out_length) break;
  }
  put_end(elapsed);
  for (int64_t until = now_ms() + 60000; out_position < out_length && now_ms() < until;) {
    struct pollfd p = {STDOUT_FILENO, POLLOUT, 0};
    poll(&p, 1, TICK_MS);
    flush_some();
  }
  return WIFSIGNALED(child_status) ? 128 + WTERMSIG(child_status) : WEXITSTATUS(child_status);
}
