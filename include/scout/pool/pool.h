/* Connections to hosts, one for each destination, shared by all who want it.
 *
 * A destination is user, address, port and credential set: no identity rides on another's login.
 * Whoever asks while a connection is being made waits for that one; hosts never wait for each
 * other. A wait has a deadline of its own. Connections in use are never closed for room; an idle
 * one is closed after idle_timeout, or earlier when another destination needs its place. */
#ifndef SCOUT_POOL_POOL_H
#define SCOUT_POOL_POOL_H

#include "scout/base/error.h"
#include "scout/io/io.h"
#include "scout/ssh/sftp.h"
#include "scout/ssh/ssh_config.h"

#define POOL_WAITS_MAX 65536 /* calls that wait for connections, over all destinations */

struct pool_config {
    uint32_t connections_max;
    uint64_t connect_timeout_ns; /* of a destination whose ConnectTimeout is not set */
    uint64_t idle_timeout_ns;
    /* Read when the destination names none: may be NULL or empty. */
    const char *known_hosts;        /* the user's file */
    const char *known_hosts_global; /* the machine's */
    const char *identity;           /* the default key file */
};

struct pool_stats {
    uint64_t hits, misses, coalesced;
    uint64_t idle_closed; /* evictions included */
    uint64_t evictions, lost;
    uint64_t connects, connect_failures;
    uint32_t connections, connections_max_seen, in_use, waits;
};

struct pool;
struct pool_connection;

/* One use of a connection, or the wait for it; embedded in its owner. */
struct pool_use {
    struct pool *pool;
    struct pool_connection *connection; /* NULL: neither waits nor holds */
    struct list node;                   /* among the connection's waits */
    struct io_timer timer;
    void (*on_ready)(struct pool_use *use, const struct failure *failure);
    bool waiting;
};

/* 0, SCOUT_E_NOMEM or SCOUT_E_INVALID_ARGUMENT. The configuration's strings are borrowed. */
__attribute__((warn_unused_result)) int pool_new(struct pool **out, struct io *io,
                                                 const struct pool_config *config);

/* Closes every connection (all in flight is answered with SCOUT_E_CONNECTION_LOST, waits with
 * SCOUT_E_SHUTTING_DOWN), then calls `on_freed`, when every use was released too. */
void pool_free(struct pool *p, void (*on_freed)(void *context), void *context);

/* Asks for a connection. Returns 1 when there is a ready one: use->connection is set and on_ready
 * is not called. Returns 0 when the use waits: on_ready comes once, with use->connection set or
 * with the failure, until `deadline_ns` at the latest. Returns SCOUT_E_POOL_FULL, SCOUT_E_LIMIT,
 * SCOUT_E_SHUTTING_DOWN or SCOUT_E_NOMEM when it cannot even wait; *why then says more. */
__attribute__((warn_unused_result)) int
pool_acquire(struct pool *p, const struct ssh_host *host, uint64_t deadline_ns,
             struct pool_use *use, void (*on_ready)(struct pool_use *, const struct failure *),
             struct failure *why);

/* Ends the wait (on_ready does not come any more) or gives the connection back. Nothing may be in
 * flight on it for this use. A use that is neither is left alone. */
void pool_release(struct pool_use *use);

/* The SFTP client of a held connection: NULL when the session is gone. After starting requests on
 * it, pool_flush sends them at the end of this pass. */
struct sftp *pool_sftp(const struct pool_use *use);
void pool_flush(struct pool_use *use);

/* The holder's request outlived its deadline. When the host has not sent a byte since `since_ns`,
 * the connection is taken for dead: nobody gets it any more and what is in flight on it fails. */
void pool_suspect(struct pool_use *use, uint64_t since_ns);

/* Why a held connection was lost. */
const struct failure *pool_failure(const struct pool_use *use);

const struct pool_stats *pool_stats(const struct pool *p);

#endif
