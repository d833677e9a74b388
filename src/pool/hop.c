/* Hops: who goes through which connection, and who is let through when.
 *
 * A bastion opens one way at a time (libssh2 has one open), and answers when it has connected to
 * the other host, or given up, which may take minutes when that host's packets are dropped. So each
 * has patience, a second at first: when it is over and others wait (hops, or commands of the
 * bastion's own), the open is given up, the hop goes to the end of the queue, and has twice the
 * patience the next time. A host that is down thus delays the others by one second, once.
 *
 * At most HOP_HANDSHAKES_MAX handshakes go through one bastion at a time, first come, first served:
 * a call to hundreds of hosts behind it neither floods them nor the bastion.
 *
 * Places. A connection that goes through a bastion takes its place together with those that its
 * bastions need (queue.c), so nobody holds one place while he waits for another.
 *
 * Where a bastion opens no sessions at all (an account that is only for jumping, MaxSessions 0), a
 * connection without an anchor is made: POOL_LANE_JUMPS. */
#include "hop.h"

#include "pool_state.h"
#include "scout/base/time.h"
#include <stdio.h>
#include <stdlib.h>

static struct pool_connection *bastion_of(const struct hop *h)
{
    return h->use.connection;
}

void hops_init(struct pool_hops *hops)
{
    list_init(&hops->waiting);
    io_timer_init(&hops->timer);
}

/* ---- messages ---- */

void hop_explain(const struct hop *h, const struct failure *of_bastion, struct failure *why)
{
    const struct ssh_host *via = h->connection->destination->host->via;
    const char *stage = of_bastion->stage;
    char text[sizeof of_bastion->text];
    snprintf(text, sizeof text, "%s", of_bastion->text);
    failure_set(why, of_bastion->error, "%s, via %s: %.800s", h->connection->name, via->name, text);
    why->stage = stage;
}

static void end_with(struct hop *h, const struct failure *of_bastion)
{
    struct failure why;
    hop_explain(h, of_bastion, &why);
    if (h->connection->was_ready) {
        why.stage = NULL;
        if (why.error != SCOUT_E_SHUTTING_DOWN)
            why.error = SCOUT_E_CONNECTION_LOST;
    }
    connection_end(h->connection, &why);
}

/* ---- turns ---- */

static void step(struct pool_connection *bastion);

static bool others_wait(const struct pool_connection *bastion)
{
    return !list_empty(&bastion->hops.waiting) || bastion->channels.queue.count > 0 ||
           bastion->channels.opening > 0;
}

static void out_of_patience(struct io_timer *timer)
{
    struct pool_connection *bastion = CONTAINER_OF(timer, struct pool_connection, hops.timer);
    struct pool_hops *hops = &bastion->hops;
    struct hop *h = hops->opening;
    if (!h || bastion->state != CONNECTION_READY)
        return;
    if (!others_wait(bastion)) {
        io_timer_start(bastion->pool->io, &hops->timer,
                       io_now(bastion->pool->io) + HOP_PATIENCE_FIRST_MS * NS_PER_MS,
                       out_of_patience);
        return;
    }
    forward_close(h->forward);
    h->forward = NULL;
    hops->opening = NULL;
    if (h->patience_ms < HOP_PATIENCE_MAX_MS)
        h->patience_ms *= 2;
    h->state = HOP_WAITING;
    list_append(&hops->waiting, &h->node);
    connection_flush(bastion);
    step(bastion);
}

static void no_longer_opening(struct hop *h)
{
    struct pool_connection *bastion = bastion_of(h);
    if (bastion->hops.opening != h)
        return;
    bastion->hops.opening = NULL;
    io_timer_stop(bastion->pool->io, &bastion->hops.timer);
}

/* A host that takes a connection and then says nothing does not keep the others from theirs. */
static void on_slot(struct io_timer *timer)
{
    hop_settled(CONTAINER_OF(timer, struct hop, slot));
}

static void on_opened(void *context)
{
    struct hop *h = context;
    struct pool_connection *bastion = bastion_of(h);
    no_longer_opening(h);
    h->state = HOP_OPEN;
    h->handshaking = true;
    io_timer_start(bastion->pool->io, &h->slot, io_now(bastion->pool->io) + HOP_SLOT_MS * NS_PER_MS,
                   on_slot);
    bastion->hops.handshaking++;
    connect_hop_opened(h->connection);
    step(bastion);
}

static void on_data(void *context, struct slice data)
{
    connection_received(((struct hop *)context)->connection, data);
}

static void on_drain(void *context)
{
    connection_drained(((struct hop *)context)->connection);
}

static void refused(struct hop *h, const char *text)
{
    const struct pool_connection *bastion = bastion_of(h);
    const struct ssh_host *host = h->connection->destination->host;
    struct failure why;
    failure_set(&why, SCOUT_E_CONNECT, "%s, via %s: %s does not get through to %s port %u: %s",
                h->connection->name, bastion->name, bastion->name, host->hostname, host->port,
                text[0] ? text : "no reason given");
    why.stage = pool_stage_name(POOL_STAGE_CONNECTING);
    connection_end(h->connection, &why);
}

static void on_end(void *context, int error, const char *text)
{
    struct hop *h = context;
    struct pool_connection *bastion = bastion_of(h);
    bool opened = h->state == HOP_OPEN;
    h->forward = NULL;
    h->state = HOP_ENDED;
    no_longer_opening(h);
    if (error == SCOUT_E_CONNECTION_LOST) {
        end_with(h, bastion->failure.error ? &bastion->failure : &bastion->engine->failure);
        return;
    }
    if (opened)
        connection_peer_ended(h->connection, 0);
    else
        refused(h, text);
    step(bastion);
}

static const struct forward_events forward_events = {on_opened, on_data, on_drain, on_end};

static void open_now(struct hop *h)
{
    struct pool_connection *bastion = bastion_of(h);
    struct pool_hops *hops = &bastion->hops;
    const struct ssh_host *host = h->connection->destination->host;
    int error = engine_forward(bastion->engine, host->hostname, host->port, &forward_events, h,
                               &h->forward);
    if (error) {
        struct failure why;
        failure_set(&why, error, "No way can be opened: %s", error_text(error));
        why.stage = pool_stage_name(POOL_STAGE_CONNECTING);
        h->state = HOP_ENDED;
        end_with(h, &why);
        return;
    }
    h->state = HOP_OPENING;
    hops->opening = h;
    io_timer_start(bastion->pool->io, &hops->timer,
                   io_now(bastion->pool->io) + h->patience_ms * NS_PER_MS, out_of_patience);
    connection_flush(bastion);
}

static void step(struct pool_connection *bastion)
{
    struct pool_hops *hops = &bastion->hops;
    while (bastion->state == CONNECTION_READY && bastion->engine->stage == ENGINE_READY &&
           !hops->opening && hops->handshaking < HOP_HANDSHAKES_MAX && !list_empty(&hops->waiting))
        open_now(CONTAINER_OF(list_shift(&hops->waiting), struct hop, node));
}

void hops_fail(struct pool_connection *bastion)
{
    struct pool_hops *hops = &bastion->hops;
    io_timer_stop(bastion->pool->io, &hops->timer);
    hops->opening = NULL;
    while (!list_empty(&hops->waiting)) {
        struct hop *h = CONTAINER_OF(list_shift(&hops->waiting), struct hop, node);
        h->state = HOP_ENDED;
        end_with(h, &bastion->failure);
    }
}

/* ---- one hop ---- */

static void queue_up(struct hop *h)
{
    h->state = HOP_WAITING;
    list_append(&bastion_of(h)->hops.waiting, &h->node);
    step(bastion_of(h));
}

static bool acquire(struct hop *h, enum pool_lane lane, struct failure *why);

static void on_bastion(struct pool_use *use, const struct failure *failure)
{
    struct hop *h = CONTAINER_OF(use, struct hop, use);
    struct failure why;
    if (!failure) {
        h->state = HOP_READY;
        if (h->wanted)
            queue_up(h);
        return;
    }
    if (failure->error == SCOUT_E_NO_CHANNEL && !h->bare &&
        h->connection->state != CONNECTION_ENDING) {
        h->bare = true;
        if (acquire(h, POOL_LANE_JUMPS, &why))
            return;
        failure = &why;
    }
    h->state = HOP_ENDED;
    end_with(h, failure);
}

static bool acquire(struct hop *h, enum pool_lane lane, struct failure *why)
{
    const struct pool_connection *c = h->connection;
    int got = pool_carry(c->pool, c->destination->host->via, c->destination->principal, lane,
                         &h->use, on_bastion, why);
    if (got > 0)
        on_bastion(&h->use, NULL);
    return got >= 0;
}

bool hop_start(struct pool_connection *c, struct failure *why)
{
    const struct destination *d = c->destination;
    struct hop *h = calloc(1, sizeof *h);
    if (!h) {
        failure_set(why, SCOUT_E_NOMEM, "No memory to connect to %s", c->name);
        return false;
    }
    c->hop = h;
    h->connection = c;
    h->patience_ms = HOP_PATIENCE_FIRST_MS;
    list_init(&h->node);
    io_timer_init(&h->slot);
    h->bare = pool_has_lane(c->pool, d->host->via, d->principal, POOL_LANE_JUMPS);
    return acquire(h, h->bare ? POOL_LANE_JUMPS : POOL_LANE_FIRST, why);
}

void hop_open(struct hop *h)
{
    const struct pool_connection *bastion = bastion_of(h);
    h->wanted = true;
    if (bastion && bastion->state == CONNECTION_ENDING)
        end_with(h, &bastion->failure);
    else if (h->state == HOP_READY || (h->state == HOP_ENDED && bastion))
        queue_up(h);
}

void hop_settled(struct hop *h)
{
    if (!h->handshaking)
        return;
    h->handshaking = false;
    io_timer_stop(h->connection->pool->io, &h->slot);
    bastion_of(h)->hops.handshaking--;
    step(bastion_of(h));
}

void hop_shut(struct hop *h)
{
    struct pool_connection *bastion = bastion_of(h);
    if (!bastion)
        return;
    list_remove(&h->node);
    if (h->state != HOP_CONNECTING)
        no_longer_opening(h);
    if (h->forward) {
        forward_close(h->forward);
        connection_flush(bastion);
    }
    h->forward = NULL;
    if (h->state != HOP_CONNECTING)
        h->state = HOP_ENDED;
    hop_settled(h);
    step(bastion);
}

void hop_free(struct hop *h)
{
    hop_shut(h);
    pool_release(&h->use);
    free(h);
}
