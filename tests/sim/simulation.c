/* The world of a simulation: drawn, run, taken down, checked. */
#include "simulation.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t sim_pick(struct simulation *s, uint64_t bound)
{
    uint64_t z = s->random += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31)) % bound;
}

bool sim_chance(struct simulation *s, unsigned permille)
{
    return sim_pick(s, 1000) < permille;
}

void sim_trace(struct simulation *s, const char *what, unsigned index, int value)
{
    uint64_t words[] = {io_now(s->io), index, (uint64_t)value, (uint64_t)(uint8_t)what[0]};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        s->trace = (s->trace ^ words[i]) * 0x100000001b3ULL;
    if (getenv("SIM_TRACE"))
        fprintf(stderr, "%10.3f ms %s %u %d\n", (double)io_now(s->io) / 1e6, what, index, value);
}

void sim_fail(const struct simulation *s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fprintf(stderr, "seed %llu failed: ", (unsigned long long)s->seed);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\nreplay: SIM_TRACE=1 test_simulation --seed %llu\n",
            (unsigned long long)s->seed);
    abort();
}

/* ---- drawing ---- */

static uint16_t port_of(unsigned host)
{
    return (uint16_t)(2200 + host);
}

struct ssh_host sim_host(const struct simulation *s, unsigned host)
{
    struct ssh_host h = {.port = port_of(host)};
    (void)s;
    snprintf(h.name, sizeof h.name, "host%u", host);
    snprintf(h.hostname, sizeof h.hostname, "127.0.0.1");
    snprintf(h.user, sizeof h.user, "sim");
    return h;
}

static unsigned maybe(struct simulation *s, unsigned permille, unsigned most)
{
    return s->chaos && sim_chance(s, permille) ? 1 + (unsigned)sim_pick(s, most) : 0;
}

static void draw_server(struct simulation *s, unsigned host)
{
    static const uint32_t limits[] = {0, 1, 2, 3, 4, 10, 10, 10, 30};
    struct toy_config *t = &s->toys[host];
    t->connect_delay_ns = sim_pick(s, 50 * NS_PER_MS);
    t->delay_max_ns = sim_pick(s, 20 * NS_PER_MS);
    t->channels_max = limits[sim_pick(s, sizeof limits / sizeof limits[0])];
    t->no_sftp = sim_chance(s, 100);
    t->csh = sim_chance(s, 200);
    t->shared_groups = sim_chance(s, 100);
    t->seed = sim_pick(s, UINT64_MAX);
    t->faults.refuse_auth = maybe(s, 100, 500);
    t->faults.stall = maybe(s, 200, 300);
    t->faults.drop = maybe(s, 200, 400);
    t->faults.refuse_channel = maybe(s, 200, 100);
    t->faults.refuse_exec = maybe(s, 100, 100);
    t->faults.never_close = maybe(s, 100, 50);
    t->faults.no_status = maybe(s, 100, 100);
    t->faults.no_report = maybe(s, 100, 200);
    t->faults.slow_output = maybe(s, 300, 300);
}

static void listen_all(struct simulation *s)
{
    for (unsigned i = 0; i < s->host_count; i++) {
        struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port_of(i))};
        addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        draw_server(s, i);
        int error = toy_server_listen(&s->servers[i], s->io, (struct sockaddr *)&addr, sizeof addr,
                                      &s->toys[i]);
        SIM_CHECK(s, error == 0, "listen: %s", strerror(-error));
        s->open_servers++;
    }
}

static void draw_pool(struct simulation *s)
{
    static const uint32_t many[] = {1, 2, 5, 20, 100};
    s->config = (struct pool_config){
        .connections_max = many[sim_pick(s, 5)],
        .requests_max = 2 + (uint32_t)sim_pick(s, sim_chance(s, 500) ? 10 : 500),
        .queue_max = sim_chance(s, 300) ? 3 + (uint32_t)sim_pick(s, 20) : 1000,
        .connect_timeout_ns = (1 + sim_pick(s, 5)) * NS_PER_S,
        .idle_timeout_ns = 1 + sim_pick(s, 5 * NS_PER_S),
        .ping_interval_ns = sim_chance(s, 700) ? NS_PER_S + sim_pick(s, 5 * NS_PER_S) : 0,
        .ping_timeout_ns = 2 * NS_PER_S,
        .engine_new = scripted_engine_new,
        .no_credentials = true,
    };
    SIM_CHECK(s, pool_new(&s->pool, s->io, &s->config) == 0, "pool_new");
}

static void draw_network(struct simulation *s)
{
    s->faults.short_send = (unsigned)sim_pick(s, 200);
    s->faults.split_recv = (unsigned)sim_pick(s, 300);
    s->faults.no_buffer = (unsigned)sim_pick(s, 50);
    s->faults.delay_max_ns = sim_pick(s, 5 * NS_PER_MS);
    if (s->chaos && sim_chance(s, 300))
        s->faults.reset = 1 + (unsigned)sim_pick(s, 5);
    if (s->chaos && sim_chance(s, 300))
        s->faults.refuse = 1 + (unsigned)sim_pick(s, 100);
    io_sim_set_faults(s->io, &s->faults);
}

/* ---- the run ---- */

static void on_pool_freed(void *context)
{
    ((struct simulation *)context)->freed = true;
}

static void shut_down(struct simulation *s)
{
    s->stats = *pool_stats(s->pool);
    s->closing = true;
    io_timer_stop(s->io, &s->shutdown);
    sim_trace(s, "shutdown", 0, 0);
    pool_free(s->pool, on_pool_freed, s);
}

static void on_shutdown(struct io_timer *timer)
{
    shut_down(CONTAINER_OF(timer, struct simulation, shutdown));
}

static void on_server_closed(void *context)
{
    ((struct simulation *)context)->open_servers--;
}

static void check_limits(const struct simulation *s)
{
    if (s->freed)
        return;
    const struct pool_stats *p = pool_stats(s->pool);
    SIM_CHECK(s, p->connections <= s->config.connections_max, "%u connections", p->connections);
    SIM_CHECK(s, p->holds <= s->config.requests_max, "%u holds", p->holds);
    SIM_CHECK(s, p->waits <= s->config.queue_max, "%u waits", p->waits);
    SIM_CHECK(s, p->connections_max_seen <= s->config.connections_max, "connections");
    SIM_CHECK(s, p->holds_max_seen <= s->config.requests_max, "holds");
}

static void run_for(struct simulation *s, uint64_t ns)
{
    uint64_t end = io_now(s->io) + ns;
    while (io_now(s->io) < end) {
        io_run_once(s->io, end - io_now(s->io));
        check_limits(s);
    }
}

#define LONGEST_S (SIM_SPREAD_MS / 1000 + 15 + COMMAND_STOP_MS / 1000 + 1)

static void run_until_done(struct simulation *s)
{
    uint64_t end = io_now(s->io) + LONGEST_S * NS_PER_S;
    while (s->done < s->request_count && io_now(s->io) < end) {
        io_run_once(s->io, end - io_now(s->io));
        check_limits(s);
    }
    for (unsigned i = 0; i < s->request_count; i++)
        sim_request_check(&s->requests[i]);
    SIM_CHECK(s, s->done == s->request_count, "%u of %u requests are done", s->done,
              s->request_count);
}

/* No connection was taken for dead without a reason, and no time was counted that did not pass. */
static void check_stats(const struct simulation *s)
{
    SIM_CHECK(s, s->chaos || s->stats.stale == 0, "%llu connections of hosts that live were lost",
              (unsigned long long)s->stats.stale);
    for (int i = 0; i < POOL_STAGE_COUNT; i++)
        SIM_CHECK(s, s->stats.stages[i].sum <= s->stats.stages[i].count * 100 * NS_PER_S,
                  "stage %s: %llu ns in %llu", pool_stage_name((enum pool_stage)i),
                  (unsigned long long)s->stats.stages[i].sum,
                  (unsigned long long)s->stats.stages[i].count);
}

/* All is answered, and what was abandoned has been stopped or has ended: nobody holds anything, and
 * hosts that close their channels have anchors left only. */
static void check_quiet(struct simulation *s)
{
    const struct pool_stats *p = pool_stats(s->pool);
    run_for(s, SIM_SETTLE_S * NS_PER_S);
    SIM_CHECK(s, p->holds == 0 && p->waits == 0 && p->in_use == 0 && p->channels_waiting == 0,
              "%u holds, %u waits, %u in use, %u wait for a channel", p->holds, p->waits, p->in_use,
              p->channels_waiting);
    for (unsigned i = 0; i < s->host_count; i++) {
        const struct toy_stats *t = toy_server_stats(s->servers[i]);
        if (!s->chaos)
            SIM_CHECK(s, t->channels == t->anchors, "host %u: %u channels on %u connections", i,
                      t->channels, t->open);
    }
}

static void check_servers(const struct simulation *s)
{
    for (unsigned i = 0; i < s->host_count; i++) {
        const struct toy_stats *t = toy_server_stats(s->servers[i]);
        SIM_CHECK(s, t->kills == 0 || !s->toys[i].shared_groups,
                  "host %u: a group of others was killed", i);
        if (!s->early_shutdown)
            SIM_CHECK(s, t->busy_ends <= s->let_go[i],
                      "host %u: a connection was closed while in use", i);
    }
}

static void take_down(struct simulation *s)
{
    check_servers(s);
    if (!s->closing)
        shut_down(s);
    run_for(s, SIM_SETTLE_S * NS_PER_S);
    SIM_CHECK(s, s->freed, "the pool is not freed");
    check_stats(s);
    for (unsigned i = 0; i < s->host_count; i++)
        toy_server_close(s->servers[i], on_server_closed, s);
    run_for(s, NS_PER_S);
    SIM_CHECK(s, s->open_servers == 0, "%u servers left", s->open_servers);
    SIM_CHECK(s, io_files_open(s->io) == 0, "%u files left", io_files_open(s->io));
    SIM_CHECK(s, io_stats(s->io)->armed == 0, "%u ops left", io_stats(s->io)->armed);
    /* One wait over a year that nothing interrupts: no timer is left. */
    uint64_t before = io_now(s->io), year = 365 * 86400 * NS_PER_S;
    SIM_CHECK(s, !io_run_once(s->io, year) && io_now(s->io) == before + year, "a timer is left");
    io_free(s->io);
}

uint64_t sim_run(uint64_t seed, struct sim_counts *counts, struct pool_stats *stats)
{
    struct simulation *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    s->seed = s->random = seed;
    s->chaos = sim_chance(s, 600);
    s->host_count = 1 + (unsigned)sim_pick(s, sim_chance(s, 400) ? 3 : SIM_HOSTS_MAX);
    s->client_count = 1 + (unsigned)sim_pick(s, SIM_CLIENTS_MAX);
    s->request_count = 20 + (unsigned)sim_pick(s, SIM_REQUESTS_MAX - 19);
    SIM_CHECK(s, io_sim_open(&s->io, seed, NULL) == 0, "io_sim_open");
    draw_network(s);
    draw_pool(s);
    listen_all(s);
    for (unsigned i = 0; i < s->request_count; i++)
        sim_request_init(s, i);
    io_timer_init(&s->shutdown);
    s->early_shutdown = sim_chance(s, 250);
    if (s->early_shutdown)
        io_timer_start(s->io, &s->shutdown, io_now(s->io) + sim_pick(s, SIM_SPREAD_MS) * NS_PER_MS,
                       on_shutdown);
    run_until_done(s);
    if (!s->early_shutdown)
        check_quiet(s);
    take_down(s);
    uint64_t trace = s->trace;
    *counts = s->counts;
    *stats = s->stats;
    free(s);
    return trace;
}
