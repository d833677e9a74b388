/* The command that ends process groups at a host and says what became of them. Pure; private to
 * the layer.
 *
 * It needs sh, kill, sleep, and /proc or ps. Each group gets SIGTERM (and SIGCONT, for stopped
 * ones), has about one second and a half, then gets SIGKILL and as long. Zombies do not count:
 * where nobody reaps them (PID 1 of some containers) they stay for ever and do nothing. Processes
 * that left the group (setsid, job control) are not of it any more. */
#ifndef SCOUT_POOL_KILL_SCRIPT_H
#define SCOUT_POOL_KILL_SCRIPT_H

#include "scout/base/buf.h"

#define KILL_GROUPS_MAX 32 /* in one script */
#define KILL_MARK_SIZE  32
#define KILL_LINE_MAX   256 /* of what the script prints; longer lines are not its own */

enum kill_verdict {
    KILL_UNKNOWN, /* it did not say */
    KILL_REFUSED, /* the host has no channel for it on this connection: never by the script */
    KILL_NONE,    /* there was no process of the group to begin with */
    KILL_GONE,    /* there is none left */
    KILL_LEFT,    /* some could not be ended */
};

/* Reads what one script prints. */
struct kill_reader {
    char mark[KILL_MARK_SIZE];
    char line[KILL_LINE_MAX];
    size_t line_len;
    bool too_long;
};

void kill_reader_init(struct kill_reader *r, uint64_t nonce);

/* Appends the command line for `count` groups, each at least 2, to *out, NUL included. 0,
 * SCOUT_E_LIMIT or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int
kill_script(const struct kill_reader *r, const uint32_t *groups, size_t count, struct buf *out);

/* Bytes of its stdout; `verdict` is told of each group as it comes. */
void kill_reader_feed(struct kill_reader *r, struct slice data,
                      void (*verdict)(void *context, uint32_t group, enum kill_verdict v),
                      void *context);

#endif
