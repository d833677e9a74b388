/* One direction: read, wait, write; see proxy.h.
 *
 * What is read at one time is a chunk with the time at which it is due; times never decrease, so
 * the order stays whatever the jitter. Under a rate or a dribble a write takes only a piece, and
 * `free_ns` says when the line is free for the next one. Bursts are counted where bytes arrive: a
 * chunk that comes at least half a delay after the one before begins a new burst. */
#include "proxy.h"

#include "scout/base/container.h"
#include "scout/base/time.h"
#include <errno.h>
#include <sys/socket.h>

#define RATE_PIECES 200 /* a second: how finely a rate is cut */

static void on_due(struct ev_timer *t)
{
    way_write(CONTAINER_OF(t, struct way, timer));
}

void way_init(struct way *w, struct pair *pair, int index)
{
    w->pair = pair;
    w->index = index;
    w->timer.fn = on_due;
    buf_init(&w->queue, WAY_QUEUE_MAX);
}

void way_fini(struct way *w)
{
    ev_timer_stop(&w->pair->proxy->loop, &w->timer);
    buf_fini(&w->queue);
}

bool way_wants_input(const struct way *w)
{
    return !w->ended && !w->pair->proxy->blackhole && w->count < WAY_CHUNKS_MAX &&
           buf_room(&w->queue) >= WAY_READ_MAX;
}

/* xorshift64 */
static uint64_t next_random(struct proxy *p)
{
    p->random ^= p->random << 13;
    p->random ^= p->random >> 7;
    p->random ^= p->random << 17;
    return p->random;
}

static void count(struct way *w, size_t len)
{
    struct proxy *p = w->pair->proxy;
    uint64_t now = p->loop.now_ns;
    if (!w->last_arrival_ns || now - w->last_arrival_ns >= p->options.delay_ns / 2)
        p->counts.bursts[w->index]++;
    w->last_arrival_ns = now;
    w->bytes += len;
    p->counts.bytes[w->index] += len;
}

static void add_chunk(struct way *w, uint32_t len)
{
    struct proxy *p = w->pair->proxy;
    uint64_t due = p->loop.now_ns + p->options.delay_ns / 2;
    if (p->options.jitter_ns)
        due += next_random(p) % (p->options.jitter_ns + 1);
    if (due < w->last_due_ns)
        due = w->last_due_ns;
    w->last_due_ns = due;
    w->chunks[(w->first + w->count++) % WAY_CHUNKS_MAX] = (struct chunk){due, len};
}

void way_read(struct way *w)
{
    struct proxy *p = w->pair->proxy;
    uint8_t *room = buf_reserve(&w->queue, WAY_READ_MAX);
    if (!room)
        return;
    ssize_t got = recv(w->pair->sides[w->index].watch.fd, room, WAY_READ_MAX, 0);
    if (got < 0) {
        if (errno != EAGAIN && errno != EINTR)
            pair_reset(w->pair);
        return;
    }
    ev_now(&p->loop); /* when it came, not when this turn began */
    if (got > 0) {
        buf_commit(&w->queue, (size_t)got);
        count(w, (size_t)got);
    }
    w->ended = got == 0;
    add_chunk(w, (uint32_t)got);
    uint64_t reset_after = p->options.reset_after[w->index];
    if (reset_after && w->bytes >= reset_after) {
        pair_reset(w->pair);
        return;
    }
    way_write(w);
}

/* How many of `len` bytes may go in one piece. */
static size_t piece(const struct proxy *p, size_t len)
{
    uint64_t most = len;
    if (p->options.dribble_ns)
        most = 1;
    else if (p->options.rate)
        most = p->options.rate / RATE_PIECES + 1;
    return most < len ? (size_t)most : len;
}

static void take_time(struct way *w, size_t sent)
{
    const struct proxy *p = w->pair->proxy;
    uint64_t from = w->free_ns > p->loop.now_ns ? w->free_ns : p->loop.now_ns;
    if (p->options.dribble_ns)
        w->free_ns = from + p->options.dribble_ns;
    else if (p->options.rate)
        w->free_ns = from + sent * NS_PER_S / p->options.rate;
}

/* Returns false when nothing more can go now. */
static bool write_first(struct way *w)
{
    struct chunk *c = &w->chunks[w->first];
    int fd = w->pair->sides[!w->index].watch.fd;
    if (c->len == 0) {
        shutdown(fd, SHUT_WR);
        w->shut = true;
    } else {
        size_t len = piece(w->pair->proxy, c->len);
        ssize_t sent = send(fd, buf_peek(&w->queue).data, len, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            pair_reset(w->pair);
        w->blocked = sent < 0;
        if (sent < 0)
            return false;
        buf_consume(&w->queue, (size_t)sent);
        c->len -= (uint32_t)sent;
        take_time(w, (size_t)sent);
    }
    if (c->len == 0) {
        w->first = (w->first + 1) % WAY_CHUNKS_MAX;
        w->count--;
    }
    return true;
}

void way_write(struct way *w)
{
    struct pair *pair = w->pair;
    struct proxy *p = pair->proxy;
    uint64_t stall_after = p->options.stall_after[w->index];
    w->stalled = stall_after && w->bytes >= stall_after;
    w->blocked = false;
    if (pair->sides[!w->index].connecting)
        return;
    while (w->count && !pair->ended && !w->stalled && !p->stalled && !p->blackhole) {
        uint64_t due = w->chunks[w->first].due_ns;
        if (due < w->free_ns)
            due = w->free_ns;
        if (due > p->loop.now_ns) {
            ev_timer_at(&p->loop, &w->timer, due);
            break;
        }
        if (!write_first(w))
            break;
    }
    pair_update(pair);
}
