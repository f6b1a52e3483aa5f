/*
 * Preloaded into the bridge of an agent (docker/bridge.mjs): makes its process private to the kernel, so that other programs of the
 * same user cannot open its files or its memory through /proc. The bridge holds the agent's stdin; whoever could write there would
 * answer the agent's questions in the place of people. The agent's programs are private by their mode, see docker/agents.Dockerfile.
 */
#include <sys/prctl.h>

__attribute__((constructor)) static void make_private(void) {
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
