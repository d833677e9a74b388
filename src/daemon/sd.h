/* The service manager's protocol, as far as it is spoken here: sockets that were handed over
 * (sd_listen_fds(3)), the news of our state (sd_notify(3)), the watchdog (sd_watchdog_enabled(3)).
 * Without a manager all of it does nothing. */
#ifndef SCOUT_DAEMON_SD_H
#define SCOUT_DAEMON_SD_H

#include "scout/base/error.h"
#include "scout/base/paths.h"
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SD_SOCKETS_MAX 16
#define SD_NAME_MAX    63

struct sd_sockets {
    size_t count;
    struct sd_socket {
        int fd;
        char name[SD_NAME_MAX + 1]; /* FileDescriptorName=; "": it has none */
    } list[SD_SOCKETS_MAX];
};

/* Takes what LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES tell, if it is meant for this process: the
 * descriptors are the caller's then. 0, or SCOUT_E_INVALID_ARGUMENT: more than SD_SOCKETS_MAX, a
 * name over SD_NAME_MAX, one that is no listening Unix stream socket. */
__attribute__((warn_unused_result)) int
sd_take_sockets(struct sd_sockets *out, paths_getenv_fn *get, void *context, struct failure *why);

struct sd_notify {
    int fd; /* -1: nobody wants to know */
    struct sockaddr_un to;
    socklen_t to_len;
    uint64_t watchdog_ns; /* a WATCHDOG=1 is wanted at least so often; 0: never */
};

void sd_notify_open(struct sd_notify *n, paths_getenv_fn *get, void *context);
/* Tells `text`: assignments with line ends between them. Never blocks; what cannot be told now is
 * lost. */
__attribute__((format(printf, 2, 3))) void sd_notify_tell(const struct sd_notify *n,
                                                          const char *text, ...);

#endif
