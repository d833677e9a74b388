/* Resolve, then connect, under one deadline.
 *
 *   RESOLVING --addresses--> CONNECTING(i) --connected--> done
 *       |                        | refused, or its share of the time is over: close, i + 1
 *       +------------------------+--deadline, cancel, no address left--> failed
 *
 * A literal address skips the first step. A name goes to getaddrinfo on a helper thread, which
 * cannot be interrupted: the job owns its memory (struct dial_resolve), and a dial that ends
 * earlier only takes its name off it. The answer comes through a task, so that on_done is never
 * called from within dial_start or dial_cancel. */
#include "scout/net/dial.h"

#include "scout/base/time.h"
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dial_resolve {
    struct io_job job;
    struct dial *dial; /* NULL: nobody waits any more */
    char host[DIAL_HOST_MAX + 1];
    int error; /* of getaddrinfo */
    struct sockaddr_storage addresses[DIAL_ADDRESSES_MAX];
    socklen_t address_lens[DIAL_ADDRESSES_MAX];
    uint32_t address_count;
};

static void try_next(struct dial *d);

/* ---- the end ---- */

static void on_finish(struct io_task *task)
{
    struct dial *d = CONTAINER_OF(task, struct dial, task);
    d->on_done(d, &d->failure);
}

static void finish(struct dial *d)
{
    io_timer_stop(d->io, &d->timer);
    if (d->resolve) {
        d->resolve->dial = NULL;
        d->resolve = NULL;
    }
    d->finishing = true;
    io_defer(d->io, &d->task, on_finish);
}

static void finish_failed(struct dial *d)
{
    int connect_error = d->last_error;
    bool resolving = d->address_count == 0;
    if (d->failure.error == 0)
        failure_set(&d->failure, SCOUT_E_CONNECT, "Cannot connect to %s port %u: %s", d->host,
                    d->port, strerror(-connect_error));
    d->failure.stage = resolving ? "resolving" : "connecting";
    finish(d);
}

/* ---- connecting ---- */

static void on_attempt_closed(struct io_file *file)
{
    struct dial *d = CONTAINER_OF(file, struct dial, file);
    if (d->failure.error != 0)
        finish_failed(d);
    else
        try_next(d);
}

static void on_connect(struct io_op *op, struct io_event event)
{
    struct dial *d = CONTAINER_OF(op, struct dial, connect);
    io_timer_stop(d->io, &d->timer);
    if (event.res == 0 && d->failure.error == 0) {
        io_file_tune(&d->file);
        finish(d);
        return;
    }
    d->last_error = event.res == -ECANCELED ? -ETIMEDOUT
                    : event.res == 0        ? d->last_error
                                            : event.res;
    io_close(&d->file, on_attempt_closed);
}

static void on_attempt_timeout(struct io_timer *timer)
{
    struct dial *d = CONTAINER_OF(timer, struct dial, timer);
    if (io_now(d->io) >= d->deadline_ns)
        failure_set(&d->failure, SCOUT_E_DEADLINE, "%s port %u did not answer in time", d->host,
                    d->port);
    io_cancel(&d->connect);
}

static void try_next(struct dial *d)
{
    while (d->next < d->address_count) {
        uint32_t i = d->next++;
        int error = io_file_socket(d->io, &d->file, d->addresses[i].ss_family);
        if (error) {
            d->last_error = error;
            continue;
        }
        uint64_t now = io_now(d->io);
        uint64_t left = d->deadline_ns > now ? d->deadline_ns - now : 0;
        io_timer_start(d->io, &d->timer, now + left / (d->address_count - i), on_attempt_timeout);
        io_connect(&d->file, &d->connect, (struct sockaddr *)&d->addresses[i], d->address_lens[i],
                   on_connect);
        return;
    }
    finish_failed(d);
}

/* ---- resolving ---- */

static void resolve_run(struct io_job *job)
{
    struct dial_resolve *r = CONTAINER_OF(job, struct dial_resolve, job);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    hints.ai_flags = AI_ADDRCONFIG;
    r->error = getaddrinfo(r->host, NULL, &hints, &found);
    if (r->error)
        return;
    for (struct addrinfo *a = found; a && r->address_count < DIAL_ADDRESSES_MAX; a = a->ai_next) {
        memcpy(&r->addresses[r->address_count], a->ai_addr, a->ai_addrlen);
        r->address_lens[r->address_count++] = a->ai_addrlen;
    }
    freeaddrinfo(found);
}

static void set_port(struct sockaddr_storage *address, uint16_t port)
{
    if (address->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)address)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)address)->sin_port = htons(port);
}

static void resolve_done(struct io_job *job)
{
    struct dial_resolve *r = CONTAINER_OF(job, struct dial_resolve, job);
    struct dial *d = r->dial;
    if (d) {
        d->resolve = NULL;
        io_timer_stop(d->io, &d->timer);
        if (r->error || r->address_count == 0) {
            failure_set(&d->failure, SCOUT_E_RESOLVE, "Cannot resolve %s: %s", d->host,
                        r->error ? gai_strerror(r->error) : "no address");
            finish_failed(d);
        } else {
            d->address_count = r->address_count;
            memcpy(d->addresses, r->addresses, sizeof d->addresses);
            memcpy(d->address_lens, r->address_lens, sizeof d->address_lens);
            for (uint32_t i = 0; i < d->address_count; i++)
                set_port(&d->addresses[i], d->port);
            try_next(d);
        }
    }
    free(r);
}

static void on_resolve_timeout(struct io_timer *timer)
{
    struct dial *d = CONTAINER_OF(timer, struct dial, timer);
    failure_set(&d->failure, SCOUT_E_DEADLINE, "The name %s was not resolved in time", d->host);
    finish_failed(d);
}

static void start_resolve(struct dial *d)
{
    struct dial_resolve *r = calloc(1, sizeof *r);
    if (!r) {
        failure_set(&d->failure, SCOUT_E_NOMEM, "No memory to resolve %s", d->host);
        finish_failed(d);
        return;
    }
    r->dial = d;
    memcpy(r->host, d->host, sizeof r->host);
    d->resolve = r;
    io_timer_start(d->io, &d->timer, d->deadline_ns, on_resolve_timeout);
    io_job_start(d->io, &r->job, resolve_run, resolve_done);
}

/* True when `host` is an address already; it is the only one then. */
static bool take_literal(struct dial *d)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, d->host, &v4.sin_addr) == 1) {
        memcpy(&d->addresses[0], &v4, sizeof v4);
        d->address_lens[0] = sizeof v4;
    } else if (inet_pton(AF_INET6, d->host, &v6.sin6_addr) == 1) {
        memcpy(&d->addresses[0], &v6, sizeof v6);
        d->address_lens[0] = sizeof v6;
    } else {
        return false;
    }
    d->address_count = 1;
    set_port(&d->addresses[0], d->port);
    return true;
}

void dial_start(struct dial *d, struct io *io, const char *host, uint16_t port,
                uint64_t deadline_ns, dial_done_fn *on_done)
{
    *d = (struct dial){.io = io, .on_done = on_done, .deadline_ns = deadline_ns, .port = port};
    io_op_init(&d->connect);
    io_timer_init(&d->timer);
    io_task_init(&d->task);
    if (strlen(host) > DIAL_HOST_MAX) {
        failure_set(&d->failure, SCOUT_E_RESOLVE, "The host name is too long");
        finish_failed(d);
        return;
    }
    strcpy(d->host, host);
    if (take_literal(d))
        try_next(d);
    else
        start_resolve(d);
}

void dial_cancel(struct dial *d)
{
    if (d->finishing || d->failure.error != 0)
        return;
    failure_set(&d->failure, SCOUT_E_CANCELLED, "Cancelled");
    if (d->connect.armed)
        io_cancel(&d->connect);
    else if (d->resolve)
        finish_failed(d);
    /* Otherwise the file of the last attempt is closing, and its end sees the failure. */
}
