/* The channel scheduler: how many channels, and whose.
 *
 * How many. The engine counts the channels that are occupied at the host, from the message that
 * asks for one until it is closed on both sides: a place is free only then. It opens one after the
 * other, so an exec may wait inside it uncounted; therefore our own execs are counted, too.
 * Commands may occupy all but one of `limit`; the last is for killers (stop.c). A refusal while n
 * were open makes the limit n. A host's limit may also rise (sessions of ours that linger there
 * have ended), so when commands have waited for CHANNELS_PROBE_FIRST_MS one more than the limit is
 * tried: for that moment the reserve is used, too, since only a channel beyond the limit proves
 * anything.
 *
 * When the anchor has the only one, commands are sent elsewhere. That a host has opened one before
 * speaks against it: a place may come free late (then it is tried again), or be taken by what was
 * let go and lingers there.
 *
 *   assumed --refused at n--> learned: n --time, all in use--> probing --opened--> learned: more
 *                                 ^------------------------------refused, wait twice as long
 *
 * Whose. channel_queue.c has the order: in turn between clients.
 *
 * Invariants: a user is queued or has an exec, never both; the timer is armed only while commands
 * wait. */
#include "channels.h"

#include "connection.h"
#include "scout/base/time.h"
#include "stop.h"
#include <assert.h>

void channels_init(struct pool_channels *ch)
{
    memset(ch, 0, sizeof *ch);
    channel_queue_init(&ch->queue);
    list_init(&ch->stops);
    list_init(&ch->killers);
    ch->limit = CHANNELS_DEFAULT;
    ch->probe_ms = CHANNELS_PROBE_FIRST_MS;
    io_timer_init(&ch->timer);
    io_timer_init(&ch->ahead.timer);
}

bool channels_busy(const struct pool_connection *c)
{
    const struct pool_channels *ch = &c->channels;
    return ch->queue.count > 0 || ch->running > 0 || ch->killing > 0 || !list_empty(&ch->stops);
}

/* ---- how many ---- */

static uint32_t ceiling(const struct pool_connection *c)
{
    uint32_t told = c->engine->channels_max;
    return told > 0 && told < CHANNELS_MAX ? told : CHANNELS_MAX;
}

uint32_t channels_limit(const struct pool_connection *c)
{
    uint32_t most = ceiling(c);
    if (!c->channels.learned && c->engine->channels_max > 0)
        return most; /* what the host said is better than an assumption */
    return c->channels.limit < most ? c->channels.limit : most;
}

bool channels_usable(const struct pool_connection *c)
{
    return c->state == CONNECTION_READY && c->engine->stage == ENGINE_READY;
}

/* One of ours more, and the anchor if there is one, would still be within `most`. */
static bool is_below(const struct pool_connection *c, uint32_t most)
{
    uint32_t own = c->channels.running + c->channels.killing;
    uint32_t anchor = c->lane == POOL_LANE_FIRST;
    uint32_t taken = c->engine->channels - c->engine->ahead; /* that one is for whoever comes */
    return taken < most && (own == 0 || own + anchor < most);
}

bool channels_none(const struct pool_connection *c)
{
    return c->channels.none;
}

bool channels_keep_one(const struct pool_connection *c)
{
    return c->lane == POOL_LANE_STOPS || channels_limit(c) >= CHANNELS_RESERVE_FROM;
}

static bool has_room(const struct pool_connection *c)
{
    uint32_t most = channels_limit(c);
    if (c->channels.probing)
        most++;
    else if (most >= CHANNELS_RESERVE_FROM)
        most--;
    return is_below(c, most);
}

bool channels_admit_killer(const struct pool_connection *c)
{
    if (!channels_usable(c))
        return false;
    uint32_t most = c->channels.learned ? channels_limit(c) : ceiling(c);
    return is_below(c, most);
}

static bool alone(const struct pool_channels *ch)
{
    return ch->running == 0 && ch->killing == 0;
}

static void probe_later(struct pool_connection *c, uint64_t ms)
{
    struct pool_channels *ch = &c->channels;
    ch->probing = false;
    ch->probe_ms = ms < CHANNELS_PROBE_MAX_MS ? ms : CHANNELS_PROBE_MAX_MS;
    ch->probe_at_ns = io_now(pool_io(c->pool)) + ch->probe_ms * NS_PER_MS;
}

/* A channel was refused: it is not counted any more, and no other is being asked for. */
static void learn(struct pool_connection *c)
{
    struct pool_channels *ch = &c->channels;
    bool probed = ch->probing;
    uint32_t open = c->engine->channels;
    pool_stats_of(c->pool)->channels_refused++;
    ch->limit = open < CHANNELS_MAX ? open : CHANNELS_MAX;
    ch->learned = true;
    probe_later(c, probed && ch->probe_ms >= CHANNELS_PROBE_FIRST_MS ? ch->probe_ms * 2
                                                                     : CHANNELS_PROBE_FIRST_MS);
}

static void opened(struct pool_connection *c)
{
    struct pool_channels *ch = &c->channels;
    assert(ch->opening > 0);
    ch->opening--;
    ch->served = true;
    /* The next, or the one ahead, may be asked for already. */
    uint32_t open = c->engine->channels - c->engine->ahead - (ch->opening > 0);
    if (open <= channels_limit(c) || open > CHANNELS_MAX)
        return;
    ch->limit = open;
    ch->learned = true;
    probe_later(c, CHANNELS_PROBE_NEXT_MS);
}

/* ---- handing out ---- */

static void on_timer(struct io_timer *timer)
{
    struct pool_connection *c = CONTAINER_OF(timer, struct pool_connection, channels.timer);
    channels_step(c);
}

/* All channels are in use: when that lasts, one more is tried. */
static bool start_probe(struct pool_connection *c)
{
    struct pool_channels *ch = &c->channels;
    if (ch->probing || !list_empty(&ch->stops) || channels_limit(c) >= ceiling(c))
        return false;
    if (ch->probe_at_ns == 0)
        probe_later(c, CHANNELS_PROBE_FIRST_MS);
    if (io_now(pool_io(c->pool)) < ch->probe_at_ns) {
        if (!io_timer_armed(&ch->timer) || ch->timer.node.key != ch->probe_at_ns)
            io_timer_start(pool_io(c->pool), &ch->timer, ch->probe_at_ns, on_timer);
        return false;
    }
    ch->probing = true;
    return true;
}

static struct channel_user *of_wait(struct channel_wait *w)
{
    return CONTAINER_OF(w, struct channel_user, wait);
}

static void count_waiting(struct pool_connection *c, int by)
{
    pool_stats_of(c->pool)->channels_waiting += (uint32_t)by;
}

static void hand_out(struct pool_connection *c)
{
    struct pool_channels *ch = &c->channels;
    bool started = false;
    while (ch->queue.count > 0 && (has_room(c) || (start_probe(c) && has_room(c)))) {
        struct channel_user *u = of_wait(channel_queue_take(&ch->queue));
        count_waiting(c, -1);
        ch->running++;
        ch->opening++;
        u->opening = true;
        if (u->on_turn(u)) {
            started = true;
        } else {
            u->opening = false;
            ch->opening--;
            ch->running--;
        }
    }
    if (!started)
        return;
    channel_ahead_touch(c);
    if (ch->ahead.on) /* else another would be opened behind the one that is taken */
        channel_ahead_step(c);
    connection_flush(c);
}

static void send_elsewhere(struct pool_connection *c)
{
    while (c->channels.queue.count > 0) {
        struct channel_user *u = of_wait(channel_queue_take(&c->channels.queue));
        count_waiting(c, -1);
        u->on_elsewhere(u);
    }
}

void channels_step(struct pool_connection *c)
{
    struct pool_channels *ch = &c->channels;
    if (!channels_usable(c))
        return;
    if (!list_empty(&ch->stops))
        stops_step(c);
    if (channels_none(c))
        send_elsewhere(c);
    if (ch->queue.count > 0) {
        hand_out(c);
    } else if (ch->probing || io_timer_armed(&ch->timer)) {
        ch->probing = false;
        io_timer_stop(pool_io(c->pool), &ch->timer);
    }
    if (ch->ahead.until_ns > 0 || ch->ahead.on)
        channel_ahead_step(c);
}

void channels_fail(struct pool_connection *c)
{
    struct pool_channels *ch = &c->channels;
    io_timer_stop(pool_io(c->pool), &ch->timer);
    io_timer_stop(pool_io(c->pool), &ch->ahead.timer);
    while (ch->queue.count > 0) {
        struct channel_user *u = of_wait(channel_queue_take(&ch->queue));
        count_waiting(c, -1);
        u->on_lost(u);
    }
    stops_fail(c);
}

/* ---- for commands ---- */

int channels_wait(struct pool_connection *c, struct channel_user *u)
{
    struct pool_channels *ch = &c->channels;
    assert(!u->wait.queued && !u->opening);
    if (ch->queue.count >= COMMANDS_WAITING_MAX)
        return SCOUT_E_POOL_FULL;
    channel_queue_add(&ch->queue, &u->wait);
    count_waiting(c, 1);
    if (ch->queue.count == 1 && channels_usable(c))
        hand_out(c);
    return 0;
}

void channels_leave(struct pool_connection *c, struct channel_user *u)
{
    if (!u->wait.queued)
        return;
    channel_queue_remove(&c->channels.queue, &u->wait);
    count_waiting(c, -1);
}

void channels_opened(struct pool_connection *c, struct channel_user *u)
{
    if (!u->opening)
        return;
    u->opening = false;
    u->refusals = 0;
    opened(c);
}

void channels_done(struct pool_connection *c, struct channel_user *u)
{
    struct pool_channels *ch = &c->channels;
    assert(ch->running > 0);
    ch->running--;
    if (u->opening) {
        u->opening = false;
        ch->opening--;
    }
}

bool channels_refused(struct pool_connection *c, struct channel_user *u)
{
    struct pool_channels *ch = &c->channels;
    channels_done(c, u);
    learn(c);
    if (alone(ch)) {
        u->refusals++;
        ch->none |= c->lane == POOL_LANE_FIRST && channels_limit(c) <= 1 &&
                    (!ch->served || u->refusals >= CHANNELS_REFUSALS_NONE);
    }
    if (alone(ch) && !ch->none) {
        if (u->refusals >= CHANNELS_REFUSALS_MAX)
            return false;
        probe_later(c, (uint64_t)CHANNELS_ALONE_FIRST_MS << (u->refusals - 1));
    }
    channel_queue_return(&ch->queue, &u->wait);
    count_waiting(c, 1);
    return true;
}

/* ---- for stops ---- */

void channels_killer_started(struct pool_connection *c)
{
    c->channels.killing++;
    c->channels.opening++;
}

void channels_killer_opened(struct pool_connection *c)
{
    opened(c);
}

void channels_killer_done(struct pool_connection *c, bool was_opened, bool refused)
{
    struct pool_channels *ch = &c->channels;
    assert(ch->killing > 0);
    ch->killing--;
    if (!was_opened)
        ch->opening--;
    if (refused)
        learn(c);
}
