/* Resolve, then race connects, under one deadline.
 *
 *   RESOLVING --addresses--> RACING --one is connected--> won: the others are closed --> done
 *       |                      | each: refused, or given up for the next: close, another
 *       +----------------------+--deadline, cancel, no address left: all are closed--> failed
 *
 * A literal address skips the first step, and a race of one has no timer but the deadline's.
 *
 * RACING starts an attempt at once, then one more every DIAL_ATTEMPT_DELAY_MS as long as addresses
 * are left, and at once when one fails. When all DIAL_ATTEMPTS_MAX places are taken by hosts that
 * are silent, the time that is left is shared out among the addresses that wait, and the oldest
 * attempt is given up for each.
 *
 * on_done comes from a task, never from within dial_start or dial_cancel, and only when no attempt
 * is open: their files lie in the dial, whose memory is the owner's again then. */
#include "scout/net/dial.h"

#include "scout/base/time.h"
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ORIGIN_SIZE (INET6_ADDRSTRLEN + 24)

static void race(struct dial *d);

/* ---- the end ---- */

static void on_finish(struct io_task *task)
{
    struct dial *d = CONTAINER_OF(task, struct dial, task);
    d->on_done(d, &d->failure);
}

static void finish(struct dial *d)
{
    assert(d->open_count == 0);
    io_timer_stop(d->io, &d->deadline);
    io_timer_stop(d->io, &d->delay);
    d->finishing = true;
    io_defer(d->io, &d->task, on_finish);
}

/* " from 192.0.2.1 (BindAddress)", or nothing. */
static const char *origin(const struct dial *d, char out[ORIGIN_SIZE])
{
    char text[INET6_ADDRSTRLEN] = "";
    out[0] = '\0';
    if (d->from.family != AF_UNSPEC && inet_ntop(d->from.family, d->from.bytes, text, sizeof text))
        snprintf(out, ORIGIN_SIZE, " from %s (BindAddress)", text);
    return out;
}

static void finish_failed(struct dial *d)
{
    char from[ORIGIN_SIZE];
    if (d->failure.error == 0 && d->address_count > 1)
        failure_set(&d->failure, SCOUT_E_CONNECT,
                    "Cannot connect to %s port %u%s at any of its %u addresses: %s", d->host,
                    d->port, origin(d, from), (unsigned)d->address_count, strerror(-d->last_error));
    else if (d->failure.error == 0)
        failure_set(&d->failure, SCOUT_E_CONNECT, "Cannot connect to %s port %u%s: %s", d->host,
                    d->port, origin(d, from), strerror(-d->last_error));
    if (!d->failure.stage)
        d->failure.stage = d->address_count == 0 ? "resolving" : "connecting";
    finish(d);
}

static void on_attempt_closed(struct io_file *file)
{
    struct dial_attempt *a = CONTAINER_OF(file, struct dial_attempt, file);
    struct dial *d = a->dial;
    a->open = false;
    d->open_count--;
    if (!d->won && d->failure.error == 0)
        race(d);
    else if (d->open_count == 0 && d->won)
        finish(d);
    else if (d->open_count == 0)
        finish_failed(d);
}

static void abandon_all(struct dial *d)
{
    io_timer_stop(d->io, &d->delay);
    for (uint32_t i = 0; i < DIAL_ATTEMPTS_MAX; i++)
        if (d->attempts[i].open)
            io_close(&d->attempts[i].file, on_attempt_closed);
}

/* ---- the race ---- */

/* That the network has no route says less than any other error: IPv6 where there is none. */
static void note_error(struct dial *d, int error)
{
    bool dull = error == -ENETUNREACH || error == -EADDRNOTAVAIL || error == -EAFNOSUPPORT;
    if (d->last_error == 0 || !dull)
        d->last_error = error;
}

static void win(struct dial *d, struct dial_attempt *a)
{
    int fd = io_file_release(&a->file);
    io_file_adopt(d->io, &d->file, fd);
    io_file_tune(&d->file);
    d->peer = d->addresses[a->address];
    a->open = false;
    d->open_count--;
    d->won = true;
    io_timer_stop(d->io, &d->deadline);
    abandon_all(d);
    if (d->open_count == 0)
        finish(d);
}

static void on_connect(struct io_op *op, struct io_event event)
{
    struct dial_attempt *a = CONTAINER_OF(op, struct dial_attempt, connect);
    if (a->file.closing) /* lost, or given up */
        return;
    if (event.res == 0) {
        win(a->dial, a);
        return;
    }
    note_error(a->dial, event.res);
    io_close(&a->file, on_attempt_closed);
}

/* A socket that comes from where it is to come from. 0 or -errno. */
static int open_attempt(struct dial *d, struct dial_attempt *a, sa_family_t family)
{
    struct sockaddr_storage from;
    int error = io_file_socket(d->io, &a->file, family);
    if (error || d->from.family == AF_UNSPEC)
        return error;
    socklen_t len = address_socket(&d->from, 0, &from);
    error = io_file_bind(&a->file, (struct sockaddr *)&from, len);
    if (error)
        io_discard(d->io, io_file_release(&a->file));
    return error;
}

/* Begins to connect to an address. False when there cannot even be such a socket. */
static bool attempt(struct dial *d, uint32_t address)
{
    struct dial_attempt *a = d->attempts;
    struct sockaddr_storage target;
    while (a->open)
        a++;
    int error = open_attempt(d, a, d->addresses[address].family);
    if (error) {
        note_error(d, error);
        return false;
    }
    a->dial = d;
    a->address = address;
    a->open = true;
    d->open_count++;
    io_op_init(&a->connect);
    socklen_t len = address_socket(&d->addresses[address], d->port, &target);
    io_connect(&a->file, &a->connect, (struct sockaddr *)&target, len, on_connect);
    return true;
}

static void on_delay(struct io_timer *timer)
{
    struct dial *d = CONTAINER_OF(timer, struct dial, delay);
    struct dial_attempt *oldest = &d->attempts[0];
    if (d->open_count < DIAL_ATTEMPTS_MAX) {
        race(d);
        return;
    }
    for (uint32_t i = 1; i < DIAL_ATTEMPTS_MAX; i++)
        if (d->attempts[i].address < oldest->address)
            oldest = &d->attempts[i];
    note_error(d, -ETIMEDOUT);
    io_close(&oldest->file, on_attempt_closed); /* and the next begins */
}

/* When the next address has its turn, if none fails before. */
static void set_delay(struct dial *d)
{
    uint64_t now = io_now(d->io), delay = DIAL_ATTEMPT_DELAY_MS * NS_PER_MS;
    io_timer_stop(d->io, &d->delay);
    if (d->next == d->address_count)
        return;
    if (d->open_count == DIAL_ATTEMPTS_MAX && d->deadline_ns > now) {
        uint64_t share = (d->deadline_ns - now) / (d->address_count - d->next + 1);
        delay = share > delay ? share : delay;
    }
    io_timer_start(d->io, &d->delay, now + delay, on_delay);
}

/* One attempt more, if there is an address left and a place for it. */
static void race(struct dial *d)
{
    while (d->next < d->address_count && d->open_count < DIAL_ATTEMPTS_MAX) {
        if (attempt(d, d->next++)) {
            set_delay(d);
            return;
        }
    }
    if (d->open_count == 0)
        finish_failed(d);
}

/* ---- resolving ---- */

static void on_deadline(struct io_timer *timer)
{
    struct dial *d = CONTAINER_OF(timer, struct dial, deadline);
    if (d->address_count > 0) {
        failure_set(&d->failure, SCOUT_E_DEADLINE, "%s port %u did not answer in time", d->host,
                    d->port);
        abandon_all(d);
        return;
    }
    failure_set(&d->failure, SCOUT_E_DEADLINE,
                "The name %s was not resolved in time (name servers: %s)", d->host,
                resolver_servers(d->resolver));
    resolver_cancel(&d->query);
    finish_failed(d);
}

/* The families take turns, beginning with IPv6; a list has its IPv6 addresses first. */
static void interleave(struct dial *d, const struct address_list *l)
{
    uint32_t six = 0, four;
    while (six < l->count && l->list[six].family == AF_INET6)
        six++;
    four = six;
    for (uint32_t i = 0; i < six || four < l->count; i++) {
        if (i < six)
            d->addresses[d->address_count++] = l->list[i];
        if (four < l->count)
            d->addresses[d->address_count++] = l->list[four++];
    }
}

static bool counts(const struct dial *d, sa_family_t family)
{
    return (d->family == AF_UNSPEC || family == d->family) &&
           (d->from.family == AF_UNSPEC || family == d->from.family);
}

/* Leaves the addresses of the family that is wanted, and begins with the first. */
static void begin(struct dial *d)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < d->address_count; i++)
        if (counts(d, d->addresses[i].family))
            d->addresses[kept++] = d->addresses[i];
    d->address_count = kept;
    d->resolved_ns = io_now(d->io);
    if (kept > 0) {
        race(d);
        return;
    }
    bool bound = d->from.family != AF_UNSPEC;
    failure_set(&d->failure, SCOUT_E_RESOLVE, "%s has no %s address, and %s allows no other",
                d->host, (bound ? d->from.family : d->family) == AF_INET ? "IPv4" : "IPv6",
                !bound                   ? "AddressFamily"
                : d->family == AF_UNSPEC ? "BindAddress"
                                         : "BindAddress, with AddressFamily,");
    finish_failed(d);
}

static void on_resolved(struct resolver_query *q, const struct address_list *addresses,
                        const struct failure *failure)
{
    struct dial *d = CONTAINER_OF(q, struct dial, query);
    if (failure->error) {
        d->failure = *failure;
        finish_failed(d);
        return;
    }
    interleave(d, addresses);
    begin(d);
}

void dial_start(struct dial *d, struct io *io, struct resolver *resolver,
                const struct dial_target *target, uint64_t deadline_ns, dial_done_fn *on_done)
{
    const char *host = target->host;
    *d = (struct dial){.io = io,
                       .resolver = resolver,
                       .on_done = on_done,
                       .deadline_ns = deadline_ns,
                       .family = target->family,
                       .port = target->port};
    io_timer_init(&d->deadline);
    io_timer_init(&d->delay);
    io_task_init(&d->task);
    if (strlen(host) > DIAL_HOST_MAX) {
        failure_set(&d->failure, SCOUT_E_RESOLVE, "The host name is too long");
        finish_failed(d);
        return;
    }
    strcpy(d->host, host);
    if (target->from && !address_literal(target->from, &d->from)) {
        failure_set(&d->failure, SCOUT_E_CONNECT,
                    "Cannot connect to %s: BindAddress '%.100s' is not an IP address", d->host,
                    target->from);
        d->failure.stage = "connecting";
        finish_failed(d);
        return;
    }
    io_timer_start(io, &d->deadline, deadline_ns, on_deadline);
    if (address_literal(host, &d->addresses[0])) {
        d->address_count = 1;
        begin(d);
    } else if (resolver) {
        resolver_start(resolver, &d->query, host, on_resolved);
    } else {
        failure_set(&d->failure, SCOUT_E_RESOLVE,
                    "Cannot resolve %s: only literal addresses can be used here", host);
        finish_failed(d);
    }
}

void dial_cancel(struct dial *d)
{
    if (d->finishing || d->won || d->failure.error != 0)
        return;
    failure_set(&d->failure, SCOUT_E_CANCELLED, "Cancelled");
    io_timer_stop(d->io, &d->deadline);
    if (d->open_count > 0) {
        abandon_all(d);
    } else {
        resolver_cancel(&d->query);
        finish_failed(d);
    }
}
