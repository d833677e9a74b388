/* --mode storm and --mode acquire: the pool alone, with an engine that has no cryptography and with
 * toy hosts (toy_host.h) whose answer to a connect comes by a real timer.
 *
 *   storm            N hosts, all asked for at once; the time until the last is ready
 *   storm --serial   the same, one after the other: what a lock around connecting costs
 *   storm --waiters  N who ask for one host at once: one connect, and all are served by it
 *   acquire          pool_acquire and pool_release of a warm connection, hosts in turn */
#include "bench.h"
#include "hosts.h"
#include "scout/base/time.h"
#include "toy_host.h"
#include <stdlib.h>

#define REPEAT_MAX 1000

static int toy_open(struct hosts *h, uint32_t count, const struct pool_options *o, uint16_t port)
{
    struct pool_config config = pool_client_config(count);
    config.engine_new = scripted_engine_new_at_once;
    config.no_credentials = true;
    *h = (struct hosts){.count = count};
    h->list = calloc(count, sizeof *h->list);
    if (!h->list || pool_client_open(&h->client, &config))
        return -1;
    char text[INET_ADDRSTRLEN];
    for (uint32_t i = 0; i < count; i++) {
        struct host *x = &h->list[i];
        x->hosts = h;
        x->host = pool_client_host(toy_host_address(o->waiters ? 0 : i, text), port, "toy", "", "");
        x->host.identity_count = x->host.known_hosts_count = 0;
        if (!o->waiters)
            snprintf(x->principal, sizeof x->principal, "p%u", i);
    }
    return 0;
}

static int storm_once(const struct pool_options *o, uint16_t port, double *ms, double *cpu_ms)
{
    struct hosts h;
    if (toy_open(&h, (uint32_t)o->hosts, o, port))
        return -1;
    io_run_once(h.client.io, 0); /* the clock is that of now */
    double start_s = bench_now_s(), cpu_s = bench_cpu_self_s();
    uint32_t step = o->serial ? 1 : h.count;
    for (uint32_t i = 0; i < h.count; i += step)
        if (hosts_connect(&h, i, i + step))
            return -1;
    *ms = (bench_now_s() - start_s) * 1e3;
    *cpu_ms = (bench_cpu_self_s() - cpu_s) * 1e3;
    if (pool_stats(h.client.pool)->connects != (o->waiters ? 1 : h.count)) {
        hosts_fail(&h, "storm", "wrong number of connects");
        return -1;
    }
    hosts_close(&h);
    return 0;
}

int mode_storm(const struct pool_options *o)
{
    double ms[REPEAT_MAX], cpu_ms[REPEAT_MAX], sum = 0;
    struct toy_host toy;
    if (toy_host_start(&toy, (uint32_t)o->hosts, o->delay_ms * NS_PER_MS))
        return 1;
    printf("begin\n");
    fflush(stdout);
    for (unsigned long i = 0; i < o->repeat; i++) {
        if (storm_once(o, toy.port, &ms[i], &cpu_ms[i]))
            return 1;
        sum += ms[i];
    }
    printf("end\n");
    unsigned long connects = o->repeat * (o->waiters ? 1 : o->hosts);
    if (toy_host_end(&toy) != (int64_t)connects) {
        fprintf(stderr, "bench_pool: the hosts saw another number of connections\n");
        return 1;
    }
    struct bench_stats s = bench_stats_of(ms, o->repeat);
    printf("ops %lu\nseconds %.9f\n", o->repeat * o->hosts, sum / 1e3);
    printf("ms %.4f\nms_min %.4f\nms_max %.4f\n", s.median, s.min, s.max);
    printf("cpu_ms.client %.4f\n", bench_stats_of(cpu_ms, o->repeat).median);
    return 0;
}

static double acquire_all(struct hosts *h, unsigned long pairs)
{
    uint64_t deadline = pool_client_deadline(&h->client), hits = 0;
    double start_s = bench_now_s();
    uint32_t at = 0;
    for (unsigned long i = 0; i < pairs; i++) {
        struct host *x = &h->list[at];
        struct failure why;
        at = at + 1 == h->count ? 0 : at + 1;
        hits += pool_acquire(h->client.pool, &x->host, x->principal, deadline, &x->use, NULL,
                             &why) == 1;
        pool_release(&x->use);
    }
    double seconds = bench_now_s() - start_s;
    if (hits != pairs)
        hosts_fail(h, "acquire", "not every one was warm");
    return seconds;
}

int mode_acquire(const struct pool_options *o)
{
    struct hosts h;
    struct toy_host toy;
    if (toy_host_start(&toy, (uint32_t)o->hosts, 0) ||
        toy_open(&h, (uint32_t)o->hosts, o, toy.port) || hosts_connect(&h, 0, h.count))
        return 1;
    hosts_release(&h);
    printf("begin\n");
    fflush(stdout);
    double seconds = acquire_all(&h, o->requests);
    printf("end\nops %lu\nseconds %.9f\nns %.2f\n", o->requests, seconds,
           seconds * 1e9 / (double)o->requests);
    bool failed = h.failed;
    hosts_close(&h);
    return toy_host_end(&toy) < 0 || failed;
}
