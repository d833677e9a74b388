/* pool_stats PORT USER KEY KNOWN_HOSTS FOLDER COUNT
 *
 * Holds one connection of the pool to 127.0.0.1:PORT and says "ready". For each line on stdin it
 * asks for the attributes of FOLDER/0 to FOLDER/(COUNT - 1) over SFTP, all in one pass, and says
 * "done" when every answer came with the size that the file's number says. Ends with 0 at the end
 * of stdin, with 1 after a wrong answer.
 *
 * It shows what the pool's API costs in round trips: a proxy between it and the host counts them.
 */
#include "scout/base/time.h"
#include "scout/pool/pool.h"
#include "scout/ssh/session.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT_MAX  1024
#define DEADLINE_S 60
#define TURN_NS    (100 * (uint64_t)NS_PER_MS)

struct driver {
    struct io *io;
    struct pool *pool;
    struct pool_use use;
    unsigned long count, answered;
    bool ready, failed, freed;
};

struct asked {
    struct sftp_request request;
    struct driver *driver;
    unsigned long number;
};

static void on_stat(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct asked *a = CONTAINER_OF(request, struct asked, request);
    if (reply->error || reply->attrs.size != a->number) {
        fprintf(stderr, "pool_stats: a wrong answer for %lu\n", a->number);
        a->driver->failed = true;
    }
    a->driver->answered++;
}

static void on_ready(struct pool_use *use, const struct failure *failure)
{
    struct driver *d = CONTAINER_OF(use, struct driver, use);
    d->ready = true;
    if (failure) {
        fprintf(stderr, "pool_stats: %s\n", failure->text);
        d->failed = true;
    }
}

static void on_freed(void *context)
{
    ((struct driver *)context)->freed = true;
}

static void ask_all(struct driver *d, struct asked *asked, const char *folder)
{
    char path[4096];
    d->answered = 0;
    for (unsigned long i = 0; i < d->count; i++) {
        asked[i] = (struct asked){.driver = d, .number = i};
        snprintf(path, sizeof path, "%s/%lu", folder, i);
        if (sftp_stat(pool_sftp(&d->use), &asked[i].request, path, on_stat) != 0)
            d->failed = true;
    }
    pool_flush(&d->use);
    uint64_t end = io_now(d->io) + DEADLINE_S * (uint64_t)NS_PER_S;
    while (d->answered < d->count && !d->failed && io_now(d->io) < end)
        io_run_once(d->io, TURN_NS);
    d->failed = d->failed || d->answered < d->count;
}

static void serve(struct driver *d, const char *folder)
{
    static struct asked asked[COUNT_MAX];
    char line[64];
    while (!d->ready)
        io_run_once(d->io, TURN_NS);
    if (d->failed)
        return;
    puts("ready");
    fflush(stdout);
    while (!d->failed && fgets(line, sizeof line, stdin)) {
        ask_all(d, asked, folder);
        if (!d->failed)
            puts("done");
        fflush(stdout);
    }
    pool_release(&d->use);
}

int main(int argc, char **argv)
{
    struct driver d = {0};
    char why[256] = "";
    struct failure failure;
    const struct io_ring_config ring = {0};
    const struct pool_config config = {
        .connections_max = 1,
        .requests_max = 1,
        .queue_max = 1,
        .connect_timeout_ns = DEADLINE_S * (uint64_t)NS_PER_S,
        .idle_timeout_ns = DEADLINE_S * (uint64_t)NS_PER_S,
    };
    struct ssh_host host = {.identity_count = 1, .known_hosts_count = 1};
    if (argc != 7 || (d.count = strtoul(argv[6], NULL, 10)) > COUNT_MAX) {
        fputs("pool_stats PORT USER KEY KNOWN_HOSTS FOLDER COUNT\n", stderr);
        return 2;
    }
    snprintf(host.name, sizeof host.name, "host");
    snprintf(host.hostname, sizeof host.hostname, "127.0.0.1");
    host.port = (uint16_t)strtoul(argv[1], NULL, 10);
    snprintf(host.user, sizeof host.user, "%s", argv[2]);
    host.identities[0] = argv[3];
    host.known_hosts[0] = argv[4];
    if (ssh_engine_init() != 0 || io_ring_open(&d.io, &ring, why, sizeof why) != 0 ||
        pool_new(&d.pool, d.io, &config) != 0) {
        fprintf(stderr, "pool_stats: no pool: %s\n", why);
        return 1;
    }
    uint64_t deadline = io_now(d.io) + DEADLINE_S * (uint64_t)NS_PER_S;
    if (pool_acquire(d.pool, &host, "", deadline, &d.use, on_ready, &failure) < 0)
        d.ready = d.failed = true;
    serve(&d, argv[5]);
    pool_free(d.pool, on_freed, &d);
    while (!d.freed)
        io_run_once(d.io, TURN_NS);
    io_free(d.io);
    ssh_engine_exit();
    return d.failed;
}
