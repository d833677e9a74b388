/* --mode requests: what a warm request costs the client while so many connections are open.
 *
 * N chains of requests walk over the connections (or the first --used of them), each over its own,
 * so that a connection never has more than one request in flight and nothing is gained by batching:
 * chain k acquires, asks for one stat, checks the answer, releases, and goes on to its next
 * connection. The server shares the machine: how many answers it has ready when the client comes
 * round (passes_per_op) is in the figure, too. */
#include "bench.h"
#include "hosts.h"
#include "scout/base/container.h"
#include <stdlib.h>

#define CHAINS_MAX 64
#define FILES      1000

struct chain {
    struct walk *walk;
    uint32_t at, step;
};

struct walk {
    struct hosts hosts;
    struct chain chains[CHAINS_MAX];
    char paths[FILES][32];
    unsigned long started, done, last;
    uint32_t used; /* of the connections */
};

static void ask(struct walk *w, struct chain *c);

static void on_stat(struct sftp_request *r, const struct sftp_reply *reply)
{
    struct host *x = CONTAINER_OF(r, struct host, request);
    struct walk *w = CONTAINER_OF(x->hosts, struct walk, hosts);
    struct chain *c = &w->chains[(uint32_t)(x - w->hosts.list) % w->chains[0].step];
    if (reply->error || reply->attrs.size != x->number)
        hosts_fail(x->hosts, x->host.name, "wrong answer to a stat");
    pool_release(&x->use);
    w->done++;
    c->at += c->step;
    if (c->at >= w->used)
        c->at = (uint32_t)(c - w->chains);
    if (w->started < w->last && !w->hosts.failed)
        ask(w, c);
}

/* Only warm ones are asked for, so nobody ever waits. */
static void on_ready(struct pool_use *use, const struct failure *failure)
{
    struct host *x = CONTAINER_OF(use, struct host, use);
    hosts_fail(x->hosts, x->host.name, failure ? failure->text : "it was not warm");
}

static void ask(struct walk *w, struct chain *c)
{
    struct host *x = &w->hosts.list[c->at];
    struct failure why;
    x->number = w->started++ % FILES;
    int got = pool_acquire(w->hosts.client.pool, &x->host, x->principal,
                           pool_client_deadline(&w->hosts.client), &x->use, on_ready, &why);
    struct sftp *sftp = got == 1 ? pool_sftp(&x->use) : NULL;
    if (!sftp || sftp_stat(sftp, &x->request, w->paths[x->number], on_stat) != 0) {
        hosts_fail(&w->hosts, x->host.name, got < 0 ? why.text : "not ready");
        return;
    }
    pool_flush(&x->use);
}

static bool is_over(void *context)
{
    const struct walk *w = context;
    return w->hosts.failed || w->done == w->last;
}

static int phase(struct walk *w, unsigned long requests, uint32_t chains)
{
    w->started = w->done = 0;
    w->last = requests;
    for (uint32_t i = 0; i < chains; i++) {
        w->chains[i] = (struct chain){w, i, chains};
        ask(w, &w->chains[i]);
    }
    if (pool_client_until(&w->hosts.client, is_over, w))
        return -1;
    return w->hosts.failed ? -1 : 0;
}

int mode_requests(const struct pool_options *o)
{
    static const uint32_t first = 64; /* connections at one time while they are made */
    struct walk *w = calloc(1, sizeof *w);
    unsigned long used = o->used ? o->used : o->hosts;
    if (!w || o->in_flight > CHAINS_MAX || o->in_flight > used || used > o->hosts ||
        hosts_open(&w->hosts, o, (uint32_t)o->hosts))
        return 1;
    for (unsigned i = 0; i < FILES; i++)
        snprintf(w->paths[i], sizeof w->paths[i], "%s/file-%u", o->dir, i);
    for (uint32_t i = 0; i < w->hosts.count; i += first) {
        uint32_t end = i + first < w->hosts.count ? i + first : w->hosts.count;
        if (hosts_connect(&w->hosts, i, end))
            return 1;
    }
    hosts_release(&w->hosts);
    w->used = (uint32_t)used;
    if (phase(w, o->hosts * 2 + 1000, (uint32_t)o->in_flight))
        return 1;
    printf("begin\n");
    fflush(stdout);
    uint64_t passes = io_stats(w->hosts.client.io)->passes;
    double wall_s = bench_now_s(), cpu_s = bench_cpu_self_s();
    if (phase(w, o->requests, (uint32_t)o->in_flight))
        return 1;
    wall_s = bench_now_s() - wall_s;
    cpu_s = bench_cpu_self_s() - cpu_s;
    passes = io_stats(w->hosts.client.io)->passes - passes;
    printf("end\nops %lu\nseconds %.9f\n", o->requests, o->per_cpu ? cpu_s : wall_s);
    printf("cpu_us_per_op.client %.4f\nper_s_wall %.1f\n", cpu_s * 1e6 / (double)o->requests,
           (double)o->requests / wall_s);
    printf("passes_per_op %.3f\n", (double)passes / (double)o->requests);
    hosts_close(&w->hosts);
    free(w);
    return 0;
}
