/* Connections to hosts, one for each destination, shared by all who want it.
 *
 * A destination is principal, user, address, port, the hosts on the way and credential set: no
 * identity rides on another's login. Whoever asks while a connection is being made waits for that
 * one; hosts do not wait for each other, but for their turn at one address or through one bastion
 * (gate.h, hop.h in src/pool). Connections in use are never closed for room; an idle one is closed
 * after idle_timeout, or earlier when another destination needs its place. When all places are in
 * use, a new destination waits for one. Every wait has its own deadline, and the failure says in
 * which stage it ended: queued, resolving, connecting, handshake, authenticating, channel. */
#ifndef SCOUT_POOL_POOL_H
#define SCOUT_POOL_POOL_H

#include "scout/base/error.h"
#include "scout/base/histogram.h"
#include "scout/io/io.h"
#include "scout/ssh/engine.h"
#include "scout/ssh/sftp.h"
#include "scout/ssh/ssh_config.h"

#define POOL_PRINCIPAL_MAX 63
#define POOL_SILENCE_MS    1000 /* longer than any answer of a host that lives: see pool_suspect */

struct key_store;
struct secrets;
struct resolver;

/* How host keys are judged. A changed or revoked one is refused wherever a file is read. */
enum pool_host_keys {
    POOL_HOST_KEYS_STRICT,      /* only what known_hosts has */
    POOL_HOST_KEYS_WHERE_KNOWN, /* likewise; without any known_hosts file, whatever comes */
    POOL_HOST_KEYS_UNCHECKED,   /* whatever comes: no file is read */
};

struct pool_config {
    uint32_t connections_max;
    uint32_t requests_max;       /* uses that hold a connection at one time; more wait */
    uint32_t queue_max;          /* uses that wait, for whatever; more are refused with POOL_FULL */
    uint64_t connect_timeout_ns; /* of a destination whose ConnectTimeout is not set */
    uint64_t idle_timeout_ns;
    uint64_t ping_interval_ns; /* silence, while something is in flight or since the last use,
                                  after which the host is asked for a sign of life; 0: never */
    uint64_t ping_timeout_ns;  /* without one, the connection is taken for dead */
    /* Read when the destination names none: may be NULL or empty. */
    const char *known_hosts;        /* the user's file */
    const char *known_hosts_global; /* the machine's */
    enum pool_host_keys host_keys;
    const char *home;          /* the default key files lie in its .ssh; NULL: none */
    const char *agent_socket;  /* SSH_AUTH_SOCK; NULL or empty: no agent */
    const char *own_principal; /* of the daemon's own user, who may use its key files, too, as may
                                  ""; others log in with what they handed over. NULL: only "" may */
    struct key_store *keys;    /* unlocked keys; may be NULL */
    struct secrets *secrets;   /* what a person says at a terminal; may be NULL */
    /* A folder with files ssh-password-HOST, HOST's name as asked for; NULL or empty: none. Like
     * key files they are for the daemon's own principals. */
    const char *credentials;
    /* The first key of a host was written to `file` (StrictHostKeyChecking accept-new); all
     * borrowed for the call. May be NULL. */
    void (*on_accepted)(void *context, const struct ssh_host *host, const char *file,
                        struct slice key);
    void *accepted_context;
    struct resolver *resolver; /* borrowed; NULL: literal addresses only */
    /* Makes the engine; NULL: ssh_session_new. With `no_credentials` neither keys nor known_hosts
     * are read (an engine that needs none: the simulation's). */
    int (*engine_new)(struct engine **out, const struct engine_config *config);
    bool no_credentials;
};

enum pool_stage {
    POOL_STAGE_QUEUED,
    POOL_STAGE_RESOLVING,
    POOL_STAGE_CONNECTING,
    POOL_STAGE_HANDSHAKE,
    POOL_STAGE_AUTHENTICATING,
    POOL_STAGE_CHANNEL, /* the anchor's, and each command's own */
    POOL_STAGE_RUNNING, /* commands */
    POOL_STAGE_COUNT
};

/* Static name of the stage, as clients see it: "queued", "resolving", ... */
const char *pool_stage_name(enum pool_stage stage);

struct pool_stats {
    uint64_t hits, misses, coalesced;
    uint64_t idle_closed; /* evictions included */
    uint64_t evictions;
    uint64_t stale; /* connections that were lost or taken for dead after they had been ready */
    uint64_t pings, ping_misses;
    uint64_t connects, connect_failures;
    uint64_t failures_by_cause[64]; /* of connects, by -error */
    uint64_t refused;               /* uses refused with POOL_FULL */
    uint64_t commands, command_retries, channels_refused, stops, stops_unconfirmed;
    uint32_t connections, connections_max_seen;
    uint32_t in_use;                           /* connections with a user */
    uint32_t holds, holds_max_seen;            /* uses that hold a connection */
    uint32_t waits, waits_max_seen;            /* uses that wait */
    uint32_t channels_waiting;                 /* commands that wait for a channel */
    struct histogram stages[POOL_STAGE_COUNT]; /* ns spent in each */
};

struct pool;
struct pool_connection;

/* One use of a connection, or the wait for it; embedded in its owner. */
struct pool_use {
    struct pool *pool;
    struct pool_connection *connection; /* NULL: does not hold one */
    struct list node;                   /* among the waits of its connection */
    struct list queue_node;             /* among those who wait for their turn */
    uint64_t since_ns;                  /* when it began to wait for its turn */
    struct io_timer timer;
    void (*on_ready)(struct pool_use *use, const struct failure *failure);
    bool waiting;
    bool carries; /* private: it is for a connection that goes through this one */
};

/* 0, SCOUT_E_NOMEM, or SCOUT_E_INVALID_ARGUMENT (connections_max, requests_max or queue_max is 0 or
 * over 2^20). The configuration's strings are borrowed. */
__attribute__((warn_unused_result)) int pool_new(struct pool **out, struct io *io,
                                                 const struct pool_config *config);

/* Closes every connection (all in flight is answered with SCOUT_E_CONNECTION_LOST, waits with
 * SCOUT_E_SHUTTING_DOWN), then calls `on_freed`, when every use was released too. */
void pool_free(struct pool *p, void (*on_freed)(void *context), void *context);

/* Asks for a connection for `principal` ("": the daemon itself, with its own agent; else whoever
 * handed over an agent, see handed_agent.h; at most POOL_PRINCIPAL_MAX
 * bytes). Returns 1 when there is a ready one: use->connection is set and on_ready is not called.
 * Returns 0 when the use waits: on_ready comes once, with use->connection set or with the failure,
 * until `deadline_ns` at the latest. Returns SCOUT_E_POOL_FULL, SCOUT_E_SHUTTING_DOWN or
 * SCOUT_E_NOMEM when it cannot even wait; *why then says more. */
__attribute__((warn_unused_result)) int
pool_acquire(struct pool *p, const struct ssh_host *host, const char *principal,
             uint64_t deadline_ns, struct pool_use *use,
             void (*on_ready)(struct pool_use *, const struct failure *), struct failure *why);

/* Ends the wait (on_ready does not come any more) or gives the connection back. Nothing may be in
 * flight on it for this use. A use that is neither is left alone. */
void pool_release(struct pool_use *use);

/* The SFTP client of a held connection: NULL when the session is gone, or when the host offers no
 * SFTP (pool_has_sftp tells which). After starting requests on it, pool_flush sends them at the end
 * of this pass. */
struct sftp *pool_sftp(const struct pool_use *use);
bool pool_has_sftp(const struct pool_use *use);
void pool_flush(struct pool_use *use);

/* The holder's request outlived its deadline. When the host has not sent a byte since `since_ns`,
 * and that is at least POOL_SILENCE_MS ago, the connection is taken for dead: nobody gets it any
 * more and what is in flight on it fails. A shorter silence proves nothing: the request may have
 * got its turn just before its deadline. */
void pool_suspect(struct pool_use *use, uint64_t since_ns);

/* Why a held connection was lost. */
const struct failure *pool_failure(const struct pool_use *use);

const struct pool_stats *pool_stats(const struct pool *p);

#endif
