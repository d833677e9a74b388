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
 *   assumed --refused at n--> learned: n --time, all in use--> probing --opened--> learned: more
 *                                 ^------------------------------refused, wait twice as long
 *
 * Whose. `turns` holds the first waiter of each client that has any, in the order of their turns;
 * the others of a client hang in a ring on its first. So a decision takes the first of `turns`,
 * moves its client to the end, and costs the same however many wait. The buckets find a client's
 * first: with at most COMMANDS_WAITING_MAX clients, a chain is short.
 *
 * Invariants: a waiter is queued or has an exec, never both; `turn` and `chain` are in use exactly
 * for the first of a client; the timer is armed only while commands wait. */
#include "channels.h"

#include "connection.h"
#include "scout/base/time.h"
#include "stop.h"
#include <assert.h>

void channels_init(struct pool_channels *ch)
{
    memset(ch, 0, sizeof *ch);
    list_init(&ch->turns);
    list_init(&ch->stops);
    list_init(&ch->killers);
    ch->limit = CHANNELS_DEFAULT;
    ch->probe_ms = CHANNELS_PROBE_FIRST_MS;
    io_timer_init(&ch->timer);
}

bool channels_busy(const struct pool_connection *c)
{
    const struct pool_channels *ch = &c->channels;
    return ch->waiting > 0 || ch->running > 0 || ch->killing > 0 || !list_empty(&ch->stops);
}

/* ---- how many ---- */

static uint32_t ceiling(const struct pool_connection *c)
{
    uint32_t told = c->engine->channels_max;
    return told > 0 && told < CHANNELS_MAX ? told : CHANNELS_MAX;
}

static uint32_t limit(const struct pool_connection *c)
{
    uint32_t most = ceiling(c);
    if (!c->channels.learned && c->engine->channels_max > 0)
        return most; /* what the host said is better than an assumption */
    return c->channels.limit < most ? c->channels.limit : most;
}

static bool usable(const struct pool_connection *c)
{
    return c->state == CONNECTION_READY && c->engine->stage == ENGINE_READY;
}

/* One of ours more, and the anchor, would still be within `most`. */
static bool is_below(const struct pool_connection *c, uint32_t most)
{
    uint32_t own = c->channels.running + c->channels.killing;
    return c->engine->channels < most && (own == 0 || own + 1 < most);
}

static bool has_room(const struct pool_connection *c)
{
    uint32_t most = limit(c);
    if (c->channels.probing)
        most++;
    else if (most >= CHANNELS_RESERVE_FROM)
        most--;
    return is_below(c, most);
}

bool channels_admit_killer(const struct pool_connection *c)
{
    if (!usable(c))
        return false;
    uint32_t most = c->channels.learned ? limit(c) : ceiling(c);
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
    probe_later(c, probed ? ch->probe_ms * 2 : CHANNELS_PROBE_FIRST_MS);
}

static void opened(struct pool_connection *c)
{
    struct pool_channels *ch = &c->channels;
    assert(ch->opening > 0);
    ch->opening--;
    uint32_t open = c->engine->channels - (ch->opening > 0); /* the next may be asked for already */
    if (open <= limit(c) || open > CHANNELS_MAX)
        return;
    ch->limit = open;
    ch->learned = true;
    probe_later(c, CHANNELS_PROBE_FIRST_MS);
}

/* ---- whose ---- */

static struct channel_wait **bucket(struct pool_channels *ch, uint64_t client)
{
    return &ch->buckets[(client * 0x9e3779b97f4a7c15ULL >> 32) % CHANNELS_BUCKETS];
}

/* Where the first waiter of the client is hung in, or where it would be. */
static struct channel_wait **find(struct pool_channels *ch, uint64_t client)
{
    struct channel_wait **at = bucket(ch, client);
    while (*at && (*at)->client != client)
        at = &(*at)->chain;
    return at;
}

static void count_waiting(struct pool_connection *c, int by)
{
    c->channels.waiting += (uint32_t)by;
    pool_stats_of(c->pool)->channels_waiting += (uint32_t)by;
}

static void enqueue_last(struct pool_connection *c, struct channel_wait *w)
{
    struct pool_channels *ch = &c->channels;
    struct channel_wait **first = find(ch, w->client);
    list_init(&w->turn);
    list_init(&w->mates);
    w->chain = NULL;
    w->queued = true;
    w->returned = false;
    w->ticket = ch->tickets++;
    count_waiting(c, 1);
    if (*first) {
        list_append(&(*first)->mates, &w->mates);
    } else {
        *first = w;
        list_append(&ch->turns, &w->turn);
    }
}

static struct channel_wait *of_turn(struct list *n)
{
    return CONTAINER_OF(n, struct channel_wait, turn);
}

/* Where in `turns` one that comes back belongs: at the front, among those that came back in the
 * order in which they first came. There are no more of them than channels. */
static struct list *turn_of_returned(struct pool_channels *ch, const struct channel_wait *w)
{
    struct list *n = ch->turns.next;
    while (n != &ch->turns && of_turn(n)->returned && of_turn(n)->ticket < w->ticket)
        n = n->next;
    return n;
}

/* Puts `w`, whose channel was refused, back to where it was: before those of its client that came
 * later. */
static void enqueue_again(struct pool_connection *c, struct channel_wait *w)
{
    struct pool_channels *ch = &c->channels;
    struct channel_wait **at = find(ch, w->client), *first = *at;
    list_init(&w->turn);
    list_init(&w->mates);
    w->chain = NULL;
    w->queued = w->returned = true;
    count_waiting(c, 1);
    if (first && first->ticket < w->ticket) {
        struct list *n = first->mates.next;
        while (n != &first->mates &&
               CONTAINER_OF(n, struct channel_wait, mates)->ticket < w->ticket)
            n = n->next;
        list_append(n, &w->mates);
        return;
    }
    if (first) {
        w->chain = first->chain;
        first->chain = NULL;
        list_remove(&first->turn);
        list_append(&first->mates, &w->mates); /* the end of the ring is just before its begin */
    }
    *at = w;
    list_append(turn_of_returned(ch, w), &w->turn);
}

/* Takes the waiter out. When it was the first of its client, the next one takes its place, at the
 * end of all turns or where it was. */
static void dequeue(struct pool_connection *c, struct channel_wait *w, bool turn_used)
{
    struct pool_channels *ch = &c->channels;
    struct channel_wait **at = find(ch, w->client);
    w->queued = false;
    count_waiting(c, -1);
    if (*at == w) {
        struct channel_wait *next = NULL;
        if (list_linked(&w->mates)) {
            next = CONTAINER_OF(w->mates.next, struct channel_wait, mates);
            next->chain = w->chain;
            list_append(turn_used ? &ch->turns : &w->turn, &next->turn);
        }
        *at = next ? next : w->chain;
        w->chain = NULL;
        list_remove(&w->turn);
    }
    list_remove(&w->mates);
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
    if (ch->probing || !list_empty(&ch->stops) || limit(c) >= ceiling(c))
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

static void hand_out(struct pool_connection *c)
{
    struct pool_channels *ch = &c->channels;
    bool started = false;
    while (ch->waiting > 0 && (has_room(c) || (start_probe(c) && has_room(c)))) {
        struct channel_wait *w = of_turn(ch->turns.next);
        dequeue(c, w, true);
        ch->running++;
        ch->opening++;
        w->opening = true;
        if (w->on_turn(w)) {
            started = true;
        } else {
            w->opening = false;
            ch->opening--;
            ch->running--;
        }
    }
    if (started)
        connection_flush(c);
}

void channels_step(struct pool_connection *c)
{
    struct pool_channels *ch = &c->channels;
    if (!usable(c))
        return;
    if (!list_empty(&ch->stops))
        stops_step(c);
    if (ch->waiting > 0) {
        hand_out(c);
    } else if (ch->probing || io_timer_armed(&ch->timer)) {
        ch->probing = false;
        io_timer_stop(pool_io(c->pool), &ch->timer);
    }
}

void channels_fail(struct pool_connection *c)
{
    struct pool_channels *ch = &c->channels;
    io_timer_stop(pool_io(c->pool), &ch->timer);
    while (ch->waiting > 0) {
        struct channel_wait *w = of_turn(ch->turns.next);
        dequeue(c, w, true);
        w->on_lost(w);
    }
    stops_fail(c);
}

/* ---- for commands ---- */

int channels_wait(struct pool_connection *c, struct channel_wait *w)
{
    struct pool_channels *ch = &c->channels;
    assert(!w->queued && !w->opening);
    if (ch->waiting >= COMMANDS_WAITING_MAX)
        return SCOUT_E_POOL_FULL;
    enqueue_last(c, w);
    if (ch->waiting == 1 && usable(c))
        hand_out(c);
    return 0;
}

void channels_leave(struct pool_connection *c, struct channel_wait *w)
{
    if (w->queued)
        dequeue(c, w, false);
}

void channels_opened(struct pool_connection *c, struct channel_wait *w)
{
    if (!w->opening)
        return;
    w->opening = false;
    w->refusals = 0;
    opened(c);
}

void channels_done(struct pool_connection *c, struct channel_wait *w)
{
    struct pool_channels *ch = &c->channels;
    assert(ch->running > 0);
    ch->running--;
    if (w->opening) {
        w->opening = false;
        ch->opening--;
    }
}

bool channels_refused(struct pool_connection *c, struct channel_wait *w)
{
    struct pool_channels *ch = &c->channels;
    channels_done(c, w);
    learn(c);
    if (alone(ch)) {
        if (++w->refusals >= CHANNELS_REFUSALS_MAX)
            return false;
        probe_later(c, (uint64_t)CHANNELS_ALONE_FIRST_MS << (w->refusals - 1));
    }
    enqueue_again(c, w);
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
