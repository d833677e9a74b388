/* When a channel is kept open for the next command, which then takes one round trip instead of two.
 *
 * One is also opened for a command that is known to come in a moment (its record is being written):
 * wherever the host is, for CHANNELS_EXPECT_MS or until a command has begun.
 *
 * It pays where a round trip is long. How long one is, is known from the opening of the anchor. It
 * begins with the first command and ends CHANNELS_AHEAD_MS after the last one began, or when there
 * is no room for it: beside what is taken it must leave one for a command and the one that is kept
 * free. The engine does the rest: it gives the channel to whoever comes, and opens another. */
#include "channels.h"

#include "connection.h"
#include "scout/base/time.h"

#define ANCHOR_ROUND_TRIPS 3

void channels_measured(struct pool_connection *c, uint64_t anchor_ns)
{
    c->channels.ahead.pays = c->lane == POOL_LANE_FIRST &&
                             anchor_ns / ANCHOR_ROUND_TRIPS >= CHANNELS_AHEAD_RTT_MS * NS_PER_MS;
}

static bool has_room(const struct pool_connection *c)
{
    uint32_t most = channels_limit(c), own = c->channels.running + c->channels.killing;
    uint32_t taken = c->engine->channels - c->engine->ahead;
    return taken + 2 < most && own + 3 < most; /* the anchor is in the former only */
}

static uint64_t until_ns(const struct channel_ahead *a)
{
    return a->until_ns > a->expected_ns ? a->until_ns : a->expected_ns;
}

/* Lazy: a command that begins does not move the timer. */
static void on_timer(struct io_timer *timer)
{
    struct pool_connection *c = CONTAINER_OF(timer, struct pool_connection, channels.ahead.timer);
    struct channel_ahead *a = &c->channels.ahead;
    if (!channels_usable(c))
        return;
    channel_ahead_step(c);
    if (a->on)
        io_timer_start(pool_io(c->pool), timer, until_ns(a), on_timer);
}

void channel_ahead_touch(struct pool_connection *c)
{
    c->channels.ahead.expected_ns = 0; /* it gets the one that was opened for it, if any */
    if (c->channels.ahead.pays)
        c->channels.ahead.until_ns = io_now(pool_io(c->pool)) + CHANNELS_AHEAD_MS * NS_PER_MS;
}

void channel_ahead_step(struct pool_connection *c)
{
    struct channel_ahead *a = &c->channels.ahead;
    struct io *io = pool_io(c->pool);
    bool wanted = io_now(io) < until_ns(a) && has_room(c);
    if (wanted == a->on)
        return;
    a->on = wanted;
    engine_open_ahead(c->engine, wanted);
    connection_flush(c);
    if (wanted)
        io_timer_start(io, &a->timer, until_ns(a), on_timer);
    else
        io_timer_stop(io, &a->timer);
}

void channels_expect(struct pool_connection *c)
{
    if (!channels_usable(c) || channels_none(c) || c->channels.queue.count > 0)
        return;
    c->channels.ahead.expected_ns = io_now(pool_io(c->pool)) + CHANNELS_EXPECT_MS * NS_PER_MS;
    channel_ahead_step(c);
}
