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

#define PATHS_SIZE        4096 /* bytes of a path with its NUL */
#define PATHS_SOCKET_SIZE 108  /* what struct sockaddr_un holds, with the NUL */

/* What the command line named; NULL: nothing. */
struct paths_flags {
    const char *socket, *config, *ssh_config, *state;
};

/* The value of an environment variable, or NULL. Only borrowed while paths_resolve runs. */
typedef const char *paths_getenv_fn(const char *name, void *context);

struct paths {
    char socket[PATHS_SOCKET_SIZE];
    char start_lock[PATHS_SOCKET_SIZE + 8]; /* <socket>.lock */
    char config[PATHS_SIZE];                /* "": there is no home folder to have one in */
    char ssh_config[PATHS_SIZE];            /* likewise */
    char state[PATHS_SIZE];
    char state_lock[PATHS_SIZE]; /* <state>/lock */
    char log[PATHS_SIZE];        /* <state>/scoutd.log */
    char audit[PATHS_SIZE];      /* <state>/audit.log */
    char undo[PATHS_SIZE];       /* <state>/undo */
    char transfer[PATHS_SIZE];   /* <state>/transfer */
    bool config_named;           /* by a flag or a variable: then it must exist */
    bool ssh_config_named;
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
