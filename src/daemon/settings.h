/* The configuration file (libConfuse): every key once, with its default and its bounds. */
#ifndef SCOUT_DAEMON_SETTINGS_H
#define SCOUT_DAEMON_SETTINGS_H

#include "scout/base/error.h"
#include "scout/base/log.h"
#include "scout/fleet/identity.h"

#define SETTINGS_PATH_MAX   1024
#define SETTINGS_FILE_MAX   262144
#define SETTINGS_AGENT_AUTO "auto" /* the agent of the environment */

/* X(key, member, default, least, greatest): numbers */
#define SETTINGS_INTEGERS(X)                                                                       \
    X("max_file_size", max_file_size, 1048576, 1, 16777216) /* bytes of a file that are read */    \
    X("max_connections", max_connections, 100, 1, 100000)   /* SSH connections at a time */        \
    X("max_requests", max_requests, 1024, 1, 100000)        /* that hold a connection at a time */ \
    X("max_queue", max_queue, 4096, 1, 100000)              /* requests that wait; then: refused */
/* Durations in seconds, fractions allowed. */
#define SETTINGS_SECONDS(X)                                                                        \
    X("call_timeout", call_timeout_ns, 30, 0.1, 86400)       /* of a tools/call */                 \
    X("command_timeout", command_timeout_ns, 30, 0.1, 86400) /* of a command on a host */          \
    X("connect_timeout", connect_timeout_ns, 10, 0.1, 3600) /* of a host without ConnectTimeout */ \
    X("idle_timeout", idle_timeout_ns, 60, 0, 86400)        /* of an unused SSH connection */      \
    X("ping_interval", ping_interval_ns, 15, 0, 86400)      /* silence before a ping; 0: none */   \
    X("ping_timeout", ping_timeout_ns, 10, 0.1, 3600)       /* without an answer: dead */

struct settings {
#define X(key, member, value, least, greatest) uint64_t member;
    SETTINGS_INTEGERS(X)
    SETTINGS_SECONDS(X)
#undef X
    char known_hosts[SETTINGS_PATH_MAX]; /* "": the default file */
    char agent[SETTINGS_PATH_MAX];       /* SETTINGS_AGENT_AUTO, "" (none), or a socket's path */
    enum log_level log_level;
    enum identity_role role; /* of a client whom only its uid tells */
};

/* Reads the file at `path` over the defaults. A file that is not there leaves the defaults unless
 * `must_exist`. `home` stands for a leading `~`. Returns 0, or SCOUT_E_INVALID_ARGUMENT with
 * "file:line: what is wrong" in *why. Blocking: for the start only. */
__attribute__((warn_unused_result)) int settings_load(struct settings *s, const char *path,
                                                      bool must_exist, const char *home,
                                                      struct failure *why);

#endif
