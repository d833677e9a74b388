/* The SFTP server as a channel's worker. With --reply-delay-ms its answers wait in a queue of their
 * own, each batch until its time has come, counted from when the requests were read; the order
 * stays. */
#include "light.h"

#include "scout/base/container.h"
#include "scout/base/time.h"
#include <stdlib.h>

#define DELAYED_MAX (8u * 1024u * 1024u) /* bytes on hold: more requests wait in the channel */
#define BATCHES_MAX 4096

struct batch {
    uint64_t due_ns;
    size_t len;
};

struct subsystem {
    struct light_channel *channel;
    struct sftp_server sftp;
    struct buf delayed; /* the batches' bytes, in order */
    struct batch batches[BATCHES_MAX];
    uint32_t first, count;
    struct ev_timer timer;
};

static void move_due(struct subsystem *w)
{
    struct light_channel *ch = w->channel;
    struct ev_loop *loop = &ch->connection->server->loop;
    while (w->count) {
        struct batch *b = &w->batches[w->first];
        if (b->due_ns > loop->now_ns) {
            ev_timer_at(loop, &w->timer, b->due_ns);
            return;
        }
        struct slice bytes = buf_peek(&w->delayed);
        size_t room = buf_room(&ch->out), part = b->len < room ? b->len : room;
        if (part == 0 || buf_append(&ch->out, slice_of(bytes.data, part)) != 0)
            return; /* run again when the window opens */
        buf_consume(&w->delayed, part);
        b->len -= part;
        if (b->len)
            continue;
        w->first = (w->first + 1) % BATCHES_MAX;
        w->count--;
    }
}

static void on_due(struct ev_timer *t)
{
    light_channel_wake(CONTAINER_OF(t, struct subsystem, timer)->channel);
}

static void run(struct light_channel *ch)
{
    struct subsystem *w = ch->worker;
    struct light *s = ch->connection->server;
    uint64_t delay_ns = s->options.reply_delay_ms * NS_PER_MS, before = w->sftp.requests;
    struct buf *to = delay_ns ? &w->delayed : &ch->out;
    size_t len = buf_len(to);
    int64_t used = w->count == BATCHES_MAX ? 0 : sftp_server_feed(&w->sftp, buf_peek(&ch->in), to);
    s->stats.sftp_requests += w->sftp.requests - before;
    if (used < 0) {
        light_channel_finish(ch, 1);
        return;
    }
    buf_consume(&ch->in, (size_t)used);
    if (delay_ns && buf_len(to) > len) {
        uint32_t last = (w->first + w->count++) % BATCHES_MAX;
        w->batches[last] = (struct batch){ch->connection->read_ns + delay_ns, buf_len(to) - len};
    }
    move_due(w);
    if (ch->in_eof && !ch->in_left && used == 0 && w->count == 0)
        light_channel_finish(ch, 0);
}

static void free_subsystem(struct light_channel *ch)
{
    struct subsystem *w = ch->worker;
    ev_timer_stop(&ch->connection->server->loop, &w->timer);
    buf_fini(&w->delayed);
    free(w);
}

static const struct light_worker_ops sftp_ops = {run, free_subsystem};

bool sftp_start(struct light_channel *ch)
{
    struct subsystem *w = calloc(1, sizeof *w);
    if (!w)
        return false;
    w->channel = ch;
    w->timer.fn = on_due;
    buf_init(&w->delayed, DELAYED_MAX);
    ch->ops = &sftp_ops;
    ch->worker = w;
    return true;
}
