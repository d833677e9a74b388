/* One simulated run of the pool, from one seed: hosts, clients, requests and faults are all drawn
 * from it. simulation.c has the world and what must hold at its end, sim_request.c the requests and
 * what must hold for each. */
#ifndef SCOUT_TESTS_SIM_SIMULATION_H
#define SCOUT_TESTS_SIM_SIMULATION_H

#include "scout/base/time.h"
#include "scout/io/sim.h"
#include "scout/pool/command.h"
#include "scout/pool/pool.h"
#include "scripted.h"

#define SIM_HOSTS_MAX    40
#define SIM_REQUESTS_MAX 400
#define SIM_CLIENTS_MAX  6
#define SIM_SPREAD_MS    20000 /* all requests begin within this time */
#define SIM_LATE_MS      5  /* an answer may come so much after its deadline: events of one pass */
#define SIM_SETTLE_S     30 /* longer than any command runs or stops */

struct simulation;

enum sim_kind { SIM_HOLD, SIM_STAT, SIM_COMMAND };
enum sim_action { SIM_LET, SIM_STOP, SIM_ABANDON }; /* for uses that wait: both cancel */
/* When: after a time, or (commands) from within an event, of its own or of another command. */
enum sim_moment { SIM_TIMED, SIM_AT_START, SIM_AT_OUTPUT, SIM_AT_ANOTHERS_END };

struct sim_request {
    struct simulation *sim;
    unsigned index, host;
    enum sim_kind kind;
    enum sim_action action;
    enum sim_moment moment;
    uint64_t deadline_ns, acted_ns, action_after_ns, hold_ns, pause_ns;
    struct io_timer begin, act, timeout, resume;
    bool begun, holding, acted;
    unsigned answers; /* 1 at the end; 0 for what was cancelled or abandoned */
    struct pool_use use;
    struct sftp_request stat;
    struct command *command;
    char words[96];
    bool as_is, repeatable, paused;
    uint32_t out_len, err_len, input_len; /* what the words ask for */
    int status;
    const char *signal;
    uint32_t out_seen, err_seen, input_written;
    char head[16]; /* of stdout */
    bool started, input_ended;
};

struct sim_counts {
    unsigned served, failed, exited, stopped, unconfirmed, cancelled;
};

struct simulation {
    uint64_t seed, random, trace;
    struct io *io;
    struct pool *pool;
    struct pool_config config;
    struct io_sim_faults faults;
    struct toy_server *servers[SIM_HOSTS_MAX];
    struct toy_config toys[SIM_HOSTS_MAX];
    unsigned host_count, request_count, client_count, open_servers, done;
    unsigned let_go[SIM_HOSTS_MAX]; /* commands that may still have run when they were given up */
    struct sim_request requests[SIM_REQUESTS_MAX];
    struct io_timer shutdown;
    bool early_shutdown, closing, freed, chaos;
    struct sim_counts counts;
    struct pool_stats stats; /* at the end */
};

uint64_t sim_pick(struct simulation *s, uint64_t bound);
bool sim_chance(struct simulation *s, unsigned permille);
/* Into the hash of all that happened. */
void sim_trace(struct simulation *s, const char *what, unsigned index, int value);
/* Fails the process with the command that replays the seed. */
__attribute__((noreturn, format(printf, 2, 3))) void sim_fail(const struct simulation *s,
                                                              const char *fmt, ...);
#define SIM_CHECK(s, cond, ...)                                                                    \
    do {                                                                                           \
        if (!(cond))                                                                               \
            sim_fail(s, __VA_ARGS__);                                                              \
    } while (0)

struct ssh_host sim_host(const struct simulation *s, unsigned host);
/* Draws the request and arms its begin. */
void sim_request_init(struct simulation *s, unsigned index);
/* What must hold when nothing is to come any more. */
void sim_request_check(const struct sim_request *r);

/* The whole run. Returns the hash of its trace. */
uint64_t sim_run(uint64_t seed, struct sim_counts *counts, struct pool_stats *stats);

#endif
