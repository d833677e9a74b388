/* A scripted SSH engine and the server that it talks to, for simulations and for benchmarks that
 * want no cryptography in the way.
 *
 * The engine implements scout/ssh/engine.h over a toy protocol (toy_wire.h); give
 * scripted_engine_new to pool_config.engine_new, with no_credentials. The server runs on any port
 * (io_sim or the real ring), on any loop. It knows one SFTP request (stat) and a language of
 * commands that takes the place of a shell:
 *
 *   words, in any order: tMS runs for so long; oN, eN print N bytes to stdout, stderr; sN exits
 * with N; kN dies of the signal (9, 15); i reads stdin to its end and prints how many bytes it was;
 *   ign ignores SIGTERM; imm cannot be killed; l ends without a status
 *
 * It understands our own wrappers: the report of the process group is printed, and the killer's
 * script ends the processes of this server. Faults are drawn from a seed. */
#ifndef SCOUT_TESTS_SIM_SCRIPTED_H
#define SCOUT_TESTS_SIM_SCRIPTED_H

#include "scout/io/io.h"
#include "scout/net/listener.h"
#include "scout/ssh/engine.h"

#define TOY_SESSIONS_MAX 4096 /* connections of one server at one time; more are refused */

__attribute__((warn_unused_result)) int scripted_engine_new(struct engine **out,
                                                            const struct engine_config *config);
/* The same, but it says all that it has to say until it is ready at once: a connect costs one round
 * trip and the server's delay, and what is left to measure is the pool. */
__attribute__((warn_unused_result)) int
scripted_engine_new_at_once(struct engine **out, const struct engine_config *config);

/* Chances in 1/1000. Each is drawn once for a connection, or once for a channel where so said. */
struct toy_faults {
    unsigned refuse_auth;
    unsigned stall;          /* says nothing any more, from a random message on */
    unsigned drop;           /* closes the socket, at a random message */
    unsigned refuse_channel; /* a channel: although there is room */
    unsigned refuse_exec;    /* a channel */
    unsigned never_close;    /* a channel: its close is not confirmed */
    unsigned no_status;      /* a channel: ends without one */
    unsigned no_report;      /* a channel: the process group is not reported */
    unsigned slow_output;    /* a channel: in small pieces, with pauses */
};

struct toy_config {
    uint64_t connect_delay_ns;           /* from the accept until the handshake is answered */
    uint64_t delay_min_ns, delay_max_ns; /* of every other answer */
    uint32_t channels_max;               /* MaxSessions; 0: no limit */
    bool no_sftp;
    bool csh; /* the login shell: reports (tcsh), so that every command comes in the universal form
               */
    bool shared_groups; /* commands run in the server's own process group, and report it */
    uint64_t seed;
    struct toy_faults faults;
};

struct toy_stats {
    uint64_t accepted;       /* connections */
    uint32_t open, open_max; /* connections at one time */
    uint64_t execs, refused; /* channels refused for want of room */
    uint64_t over_limit;     /* channels asked for beyond the limit: each was refused */
    uint32_t channels;       /* open now, anchors included */
    uint32_t anchors;        /* open now */
    uint64_t opened, closed; /* channels, ever; a connection's end closes its own */
    uint64_t busy_ends; /* connections that the client closed in order while a command ran that it
                           had neither let go nor killed */
    uint64_t faults;    /* connections with a fault of their own (stall, drop, auth) */
    uint64_t reports, kills;
};

struct toy_server;

/* 0 and *out, or -errno. `port`: 0 for a free one, see toy_server_port. */
__attribute__((warn_unused_result)) int toy_server_listen(struct toy_server **out, struct io *io,
                                                          const struct sockaddr *addr,
                                                          socklen_t len,
                                                          const struct toy_config *config);
uint16_t toy_server_port(const struct toy_server *s);
const struct toy_stats *toy_server_stats(const struct toy_server *s);
/* From now on these faults are drawn. */
void toy_server_set_faults(struct toy_server *s, const struct toy_faults *faults);
/* Ends all connections; new ones are accepted. */
void toy_server_drop(struct toy_server *s);
/* Ends all connections and the listener; `on_closed` comes last, then it is gone. */
void toy_server_close(struct toy_server *s, void (*on_closed)(void *context), void *context);

#endif
