/* Connections to many hosts at one time; see hosts.h. */
#include "hosts.h"

#include "scout/base/container.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 512

void hosts_fail(struct hosts *h, const char *what, const char *why)
{
    if (!h->failed)
        fprintf(stderr, "bench_pool: %s: %s\n", what, why);
    h->failed = true;
}

/* Other files are another destination, also when they are the same files: so many slashes more. */
static int tell_apart(struct host *x, const char *known_hosts, uint32_t index)
{
    size_t len = strlen(known_hosts) + 1;
    x->known_hosts = malloc(index + len);
    if (!x->known_hosts)
        return -1;
    memset(x->known_hosts, '/', index);
    memcpy(x->known_hosts + index, known_hosts, len);
    x->host.known_hosts[0] = x->known_hosts;
    return 0;
}

int hosts_open(struct hosts *h, const struct pool_options *o, uint32_t count)
{
    const struct pool_config config = pool_client_config(count);
    *h = (struct hosts){.count = count};
    h->list = calloc(count, sizeof *h->list);
    if (!h->list || pool_client_open(&h->client, &config))
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        struct host *x = &h->list[i];
        x->hosts = h;
        x->host = pool_target_host(&o->target, o->same ? 0 : i);
        if (o->same && tell_apart(x, o->target.known_hosts, i) != 0)
            return -1;
    }
    return 0;
}

static void on_ready(struct pool_use *use, const struct failure *failure)
{
    struct host *x = CONTAINER_OF(use, struct host, use);
    if (failure)
        hosts_fail(x->hosts, x->host.name, failure->text);
    x->hosts->ready++;
}

struct goal {
    const struct hosts *hosts;
    const uint32_t *counter;
    uint32_t wanted;
};

static bool is_reached(void *context)
{
    const struct goal *g = context;
    return g->hosts->failed || *g->counter == g->wanted;
}

static int until(struct hosts *h, const uint32_t *counter, uint32_t wanted)
{
    struct goal g = {h, counter, wanted};
    int error = pool_client_until(&h->client, is_reached, &g);
    return error || h->failed ? -1 : 0;
}

int hosts_connect(struct hosts *h, uint32_t from, uint32_t to)
{
    h->ready = 0;
    for (uint32_t i = from; i < to; i++) {
        struct host *x = &h->list[i];
        struct failure why;
        int got = pool_acquire(h->client.pool, &x->host, x->principal,
                               pool_client_deadline(&h->client), &x->use, on_ready, &why);
        if (got < 0)
            hosts_fail(h, x->host.name, why.text);
        h->ready += got == 1;
    }
    return until(h, &h->ready, to - from);
}

static void on_stat(struct sftp_request *r, const struct sftp_reply *reply)
{
    struct host *x = CONTAINER_OF(r, struct host, request);
    if (reply->error || reply->attrs.size != x->number)
        hosts_fail(x->hosts, x->host.name, "wrong answer to a stat");
    x->hosts->answered++;
}

int hosts_check(struct hosts *h, const char *dir)
{
    h->answered = 0;
    for (uint32_t i = 0; i < h->count; i++) {
        struct host *x = &h->list[i];
        char path[PATH_SIZE];
        snprintf(path, sizeof path, "%s/file-%u", dir, i);
        x->number = i;
        struct sftp *sftp = pool_sftp(&x->use);
        if (!sftp || sftp_stat(sftp, &x->request, path, on_stat) != 0)
            hosts_fail(h, x->host.name, "no stat is possible");
        else
            pool_flush(&x->use);
    }
    return until(h, &h->answered, h->count);
}

void hosts_release(struct hosts *h)
{
    for (uint32_t i = 0; i < h->count; i++)
        pool_release(&h->list[i].use);
}

void hosts_close(struct hosts *h)
{
    hosts_release(h);
    pool_client_close(&h->client);
    for (uint32_t i = 0; h->list && i < h->count; i++)
        free(h->list[i].known_hosts);
    free(h->list);
}
