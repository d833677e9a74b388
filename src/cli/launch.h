/* Running a daemon of one's own: detached, with its log in the state folder. */
#ifndef SCOUT_CLI_LAUNCH_H
#define SCOUT_CLI_LAUNCH_H

#include "scout/base/paths.h"
#include <sys/types.h>

#define LAUNCH_LOG_MAX   (8u * 1024u * 1024u) /* a longer log is put aside as scoutd.log.old */
#define LAUNCH_WORDS_MAX 320                  /* of a daemon's last line, with the NUL */

struct launched {
    int pidfd;       /* readable when the daemon has ended; -1: it has already */
    off_t log_start; /* where its own lines begin in the log */
};

/* The scoutd that is beside our own program, else "scoutd", to be looked for in PATH, into `out`
 * (PATHS_SIZE bytes). */
void launch_program(char *out);

/* Starts scoutd (the one beside our own program, else the one in PATH) with the paths given. It is
 * nobody's child, has its own session, and no descriptor of ours but the log. Returns 0, or a
 * negative error with *why filled. */
__attribute__((warn_unused_result)) int launch_daemon(const struct paths *paths,
                                                      struct launched *out, struct failure *why);
void launched_close(struct launched *l);

/* True when the daemon ends within `wait_ms`, or has ended. */
bool launched_ended(const struct launched *l, int wait_ms);

/* The last line that the daemon wrote into its log, into `out` (LAUNCH_WORDS_MAX bytes); "" when it
 * wrote nothing. */
void launched_last_words(const struct launched *l, const struct paths *paths, char *out);

#endif
