/* The server's parts in one struct, for the files that it is made of: server.c has its life,
 * server_admit.c who comes in, server_adopt.c the configuration in use. */
#ifndef SCOUT_DAEMON_SERVER_STATE_H
#define SCOUT_DAEMON_SERVER_STATE_H

#include "client.h"
#include "control.h"
#include "door.h"
#include "reload.h"
#include "scout/fleet/redact.h"
#include "scout/tools/job_table.h"
#include "scout/tools/output_store.h"
#include "server.h"
#include "server_pool.h"
#include "server_view.h"
#include "service.h"
#include "web.h"
#include <sys/signalfd.h>

struct server {
    struct io *io;
    struct log_sink *log;
    const struct server_config *config;
    struct client_owner clients;
    struct doors doors;
    struct control *control; /* NULL: there is none */
    struct service service;
    struct reload reload;
    struct io_file signal_file;
    struct io_op signal_op;
    struct signalfd_siginfo signal;
    struct io_timer drain, look;
    struct server_pool pool;
    struct settings first;    /* those of the start, which the pool goes by */
    struct server_view *view; /* the current one */
    struct tool_registry registry;
    struct confirmations *confirmations;  /* they outlive a reload */
    struct holdings *holdings;            /* likewise */
    struct output_store *outputs;         /* likewise */
    uint8_t redact_key[SIPHASH_KEY_SIZE]; /* of the markers of secrets; likewise */
    struct mcp_stats stats;
    struct mcp_limits limits;
    struct mcp_state_key state_key;
    struct tokens tokens;
    struct tls_server *tls; /* that new connections get; NULL: none */
    struct jwks *jwks;      /* of who signs tokens; likewise */
    struct web web;
    struct metrics_source metrics;
    bool draining, calls_ended, pool_ending, web_ending, web_closed;
};

/* `fn` may free the client, though never another one. */
void server_each_client(struct server *s, void (*fn)(struct client *));

/* For doors_open: takes the connection in, or turns it away with an error line. */
void server_admit(struct doors *doors, const struct door *door, int fd);

/* Takes a reading of the configuration into use, the first as well as each later one: all that
 * depends on it is made here. On failure what was in use stays in use. */
__attribute__((warn_unused_result)) int server_adopt(struct server *s, struct configuration *c,
                                                     struct failure *why);
/* For reload_init. */
void server_on_read(struct reload *r, struct configuration *c, const struct failure *why);
/* Logs and tells the service manager what is served. */
void server_tell_ready(struct server *s, const char *event);

#endif
