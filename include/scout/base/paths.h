/* Where the socket, the configuration and the state are: the rules of docs/wire.md, "Paths", in one
 * place, because the daemon and the companion must never disagree about them.
 *
 * Pure: the flags and the environment are given, nothing is looked up or created. A flag comes
 * before a variable, a variable before the default. An empty flag or variable counts as absent, and
 * so does a relative XDG directory or HOME (XDG base directory specification, section 3). Paths
 * that were named are taken as they are: a relative one is relative to the working directory. */
#ifndef SCOUT_BASE_PATHS_H
#define SCOUT_BASE_PATHS_H

#include "scout/base/error.h"
#include <stdbool.h>
#include <stddef.h>

#define PATHS_SIZE        4096 /* bytes of a path with its NUL */
#define PATHS_COUNT       8    /* of that size */
#define PATHS_SOCKET_SIZE 108  /* what struct sockaddr_un holds, with the NUL */

/* What the command line named; NULL: nothing. */
struct paths_flags {
    const char *socket, *config, *ssh_config, *state;
};

/* The value of an environment variable, or NULL. Only borrowed while paths_resolve runs. */
typedef const char *paths_getenv_fn(const char *name, void *context);

/* Not to be copied: it points into itself. */
struct paths {
    char socket[PATHS_SOCKET_SIZE];
    char start_lock[PATHS_SOCKET_SIZE + 8]; /* <socket>.lock */
    const char *config;                     /* "": there is no home folder to have one in */
    const char *ssh_config;                 /* likewise */
    const char *state;
    const char *state_lock; /* <state>/lock */
    const char *log;        /* <state>/scoutd.log */
    const char *audit;      /* <state>/audit.log */
    const char *undo;       /* <state>/undo */
    const char *transfer;   /* <state>/transfer */
    bool config_named;      /* by a flag or a variable: then it must exist */
    bool ssh_config_named;
    /* What they point into, one behind the other: short paths touch one page of memory. */
    size_t room_used;
    char room[PATHS_COUNT * PATHS_SIZE];
};

/* Fills *out. Returns 0, or with *why filled: SCOUT_E_INVALID_ARGUMENT (no HOME to put the state
 * below), SCOUT_E_LIMIT (a path is too long). *out is unspecified after a failure. */
__attribute__((warn_unused_result)) int paths_resolve(struct paths *out,
                                                      const struct paths_flags *flags,
                                                      paths_getenv_fn *get, void *context,
                                                      struct failure *why);

/* The control socket beside the MCP socket `socket`: "-control" before its ".sock", or at its end.
 * Returns 0, or SCOUT_E_LIMIT (too long for a socket) with *why filled. */
__attribute__((warn_unused_result)) int
paths_control(const char *socket, char out[PATHS_SOCKET_SIZE], struct failure *why);

/* The folder that `path` is in, into `out` (PATHS_SIZE bytes): "." for a bare name. Returns 0 or
 * SCOUT_E_LIMIT. */
__attribute__((warn_unused_result)) int paths_parent(const char *path, char *out);

#endif
