/* A pool whose engine is the scripted one (tests/sim), its host, and commands on it: in virtual
 * time, or on the real ring. There is one world at a time. */
#ifndef TESTS_UNIT_POOL_TOY_WORLD_H
#define TESTS_UNIT_POOL_TOY_WORLD_H

#include "channels.h"
#include "command_state.h"
#include "connection.h"
#include "scout/base/time.h"
#include "scout/io/sim.h"
#include "scout/pool/command.h"
#include "scripted.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#define RUNS_MAX 1600
#define WAIT_S   1000 /* of virtual time, mostly */

struct run {
    struct toy_world *world;
    struct command *command;
    bool started, ended, stops_itself, abandons_itself; /* at its first output */
    unsigned order;                                     /* its place among all that ended */
    struct command_result result;
    uint32_t out_len, err_len;
};

struct toy_world {
    struct io *io;
    struct toy_server *server;
    struct pool *pool;
    struct ssh_host host;
    struct pool_use use; /* keeps the connection, and leads to its inside */
    bool freed, closed;
    unsigned ended, count;
    struct run runs[RUNS_MAX];
};

extern struct toy_world *world;

#define UNTIL(cond)                                                                                \
    do {                                                                                           \
        uint64_t end_ = io_now(world->io) + WAIT_S * NS_PER_S;                                     \
        while (!(cond) && io_now(world->io) < end_)                                                \
            io_run_once(world->io, end_ - io_now(world->io));                                      \
        assert_true(cond);                                                                         \
    } while (0)

/* A host, a pool and the connection to it. */
void open_world(const struct toy_config *toy_config);
void open_world_on(struct io *io, const struct toy_config *toy_config);
void close_world(void);
void on_freed(void *context); /* sets the bool */
void run_ms(uint64_t ms);

/* Starts a command in the words of scripted.h; its deadline is far away unless it is given. Returns
 * command_start's. */
int start_with(struct command_request request, const char *words, uint64_t client,
               struct run **out);
struct run *start(const char *words, uint64_t client);
void assert_exited(const struct run *r, int status);

struct pool_channels *channels(void);
const struct toy_stats *toy(void);

#endif
