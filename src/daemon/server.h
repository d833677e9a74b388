/* The running daemon: everything that one loop owns, from the listening socket down to the pool. */
#ifndef SCOUT_DAEMON_SERVER_H
#define SCOUT_DAEMON_SERVER_H

#include "configuration.h"
#include "log_sink.h"
#include "sandbox.h"
#include "sd.h"
#include "web_socket.h"

#define SERVER_CLIENTS_MAX   4096 /* at a time; more are turned away with an error */
#define SERVER_DOOR_MAX      3072 /* of one socket, where there are several: others find room */
#define SERVER_CLOSE_PASSES  200  /* of 10 ms at most, for the last files to close */
#define SERVER_DRAIN_TIME_MS 5000 /* for calls in flight when the daemon is told to stop */
#define SERVER_END_TIME_MS   6000 /* for those that are ended then, and their answers */

struct server_config {
    const struct configuration_source *source;
    struct configuration *configuration; /* what was read; its ssh_config is taken */
    const char *agent_socket;            /* the environment's SSH_AUTH_SOCK; may be NULL */
    const struct sandbox *sandbox;       /* that the process is in; NULL: none */
    const struct web_start *web;         /* its descriptor is the server's now */
    const struct sd_sockets *handed;     /* ownership of the descriptors moves */
    const struct sd_notify *notify;      /* likewise */
    int signals; /* a signalfd for SIGTERM, SIGINT and SIGHUP; ownership moves */
};

/* Serves until a signal; the socket exists while it does. Returns 0, or a negative error with *why
 * when it could not start. */
__attribute__((warn_unused_result)) int server_run(struct io *io, struct log_sink *log,
                                                   const struct server_config *config,
                                                   struct failure *why);

#endif
