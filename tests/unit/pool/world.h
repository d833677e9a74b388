/* A pool on the simulated port, an engine that speaks a toy protocol, and the hosts' end of it.
 *
 * The engine sends one letter per stage and goes on when the host answers with its small one:
 * H (handshake), A (authentication, for each identity), C (channel), then it is ready; P is a ping.
 * The hosts answer all but the letters in `mute`. Every host is the same listener: they differ by
 * user.
 *
 * A host also forwards: byte 0xc0 | n opens the way n, which leads to another host of the same
 * kind; 0x80 | l << 3 | n is the letter l of "HACP" on it. The answers have the bit 0x20, too. */
#ifndef TESTS_UNIT_POOL_WORLD_H
#define TESTS_UNIT_POOL_WORLD_H

#include "scout/base/time.h"
#include "scout/io/sim.h"
#include "scout/net/listener.h"
#include "scout/net/stream.h"
#include "scout/pool/pool.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* cmocka needs the ones above first. */
#include <cmocka.h>

#define WORLD_PORT      22
#define WORLD_USES      256
#define WORLD_WAIT_S    100 /* of virtual time: longer than any deadline here */
#define WORLD_PEERS_MAX 512

struct peer {
    struct stream stream;
    struct world *world;
    bool open;
};

/* A use, and what came of it. */
struct caller {
    struct pool_use use;
    struct world *world;
    struct ssh_host host;
    char identities[2][128]; /* for the test, where the host's point to */
    unsigned answers;        /* how often on_ready came */
    unsigned order;          /* its place among the answers */
    int error;               /* of the failure */
    struct failure failure;
    bool ready, release_at_once;
};

struct world {
    struct io *io;
    struct pool *pool;
    struct pool_config config;
    struct listener listener;
    struct peer *peers[WORLD_PEERS_MAX];
    unsigned peer_count, open, open_max; /* sockets at the hosts */
    unsigned answers;
    char mute[8]; /* letters that are not answered */
    bool greets;  /* a byte before anything was asked */
    bool listening, freed;
    struct caller callers[WORLD_USES];
};

/* What the engines did, since world_open. */
struct engines {
    unsigned made, alive, pings, goodbyes;
    bool cannot_ping;
    bool fails_auth;  /* the host accepts no key */
    unsigned offered; /* identities that were tried, in order */
    char labels[16][96];
    bool by_agent[16];   /* the agent signed, or was to */
    unsigned signatures; /* that were not empty */
    unsigned forwards, forwards_open;
    bool refuses_forwards;
};
struct engines *engines(void);
int fake_engine_new(struct engine **out, const struct engine_config *config);

/* Defaults that do not get in the way; change w->config, then world_start. */
void world_open(struct world *w, uint64_t seed);
void world_start(struct world *w);
/* Frees the pool if it was not, and checks that nothing is left. */
void world_close(struct world *w);

struct ssh_host world_host(const char *user);
/* The caller's acquire for user "u<host>", `timeout_ms` from now. Returns pool_acquire's. */
int ask(struct world *w, unsigned caller, unsigned host, uint64_t timeout_ms);
void release(struct world *w, unsigned caller);
/* The two halves of ask: a caller for "u<host>", to be changed; and its acquire. */
struct caller *caller_for(struct world *w, unsigned caller, unsigned host);
int caller_ask(struct caller *c, uint64_t timeout_ms);

/* Runs passes until nothing is left to do now (the clock may jump `ms` at most). */
void run_ms(struct world *w, uint64_t ms);
/* Runs until `cond`, which must come within WORLD_WAIT_S. */
#define UNTIL(w, cond)                                                                             \
    do {                                                                                           \
        uint64_t end_ = io_now((w)->io) + WORLD_WAIT_S * NS_PER_S;                                 \
        while (!(cond) && io_now((w)->io) < end_)                                                  \
            io_run_once((w)->io, end_ - io_now((w)->io));                                          \
        assert_true(cond);                                                                         \
    } while (0)

#endif
