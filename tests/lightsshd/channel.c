/* One session channel: bytes between the client's window and a worker's buffers; see light.h.
 *
 * libssh's callbacks run in the middle of its own work, so they only copy bytes and set flags; what
 * follows from that happens in light_channel_pump, which nothing calls from within. libssh's
 * channel lives until ssh_channel_free, which comes when the client has closed it, too, or with the
 * connection. */
#include "light.h"

#include "scout/base/container.h"
#include <stdlib.h>

#define PUMP_ROUNDS 64 /* turns of one channel before the others have theirs */

/* What finds no room stays with libssh, and the client's window stays as small as that. */
static int on_data(ssh_session session, ssh_channel channel, void *data, uint32_t len,
                   int is_stderr, void *user)
{
    struct light_channel *ch = user;
    size_t room = buf_room(&ch->in);
    uint32_t part = len < room ? len : (uint32_t)room;
    (void)session;
    (void)channel;
    ch->connection->progress = true;
    if (is_stderr)
        return (int)len;
    if (part && buf_append(&ch->in, slice_of(data, part)) != 0)
        part = 0;
    ch->in_left = part < len;
    return (int)part;
}

static void on_eof(ssh_session session, ssh_channel channel, void *user)
{
    struct light_channel *ch = user;
    (void)session;
    (void)channel;
    ch->in_eof = true;
    ch->connection->progress = true;
}

static void on_close(ssh_session session, ssh_channel channel, void *user)
{
    struct light_channel *ch = user;
    (void)session;
    (void)channel;
    ch->remote = ch->in_eof = true;
    ch->connection->progress = true;
}

bool light_channel_new(struct light_connection *c, ssh_channel ssh)
{
    struct light *s = c->server;
    struct light_channel *ch = calloc(1, sizeof *ch);
    if (!ch)
        return false;
    ch->connection = c;
    ch->ssh = ssh;
    buf_init(&ch->in, LIGHT_IN_MAX);
    buf_init(&ch->out, LIGHT_OUT_MAX);
    buf_init(&ch->err, LIGHT_OUT_MAX);
    ch->callbacks = (struct ssh_channel_callbacks_struct){
        .userdata = ch,
        .channel_data_function = on_data,
        .channel_eof_function = on_eof,
        .channel_close_function = on_close,
    };
    ssh_callbacks_init(&ch->callbacks);
    ssh_set_channel_callbacks(ssh, &ch->callbacks);
    list_init(&ch->node);
    list_append(&c->channels, &ch->node);
    c->channel_count++;
    s->stats.channels_opened++;
    if (++s->channels > s->stats.channels_max)
        s->stats.channels_max = s->channels;
    return true;
}

struct light_channel *light_channel_of(struct light_connection *c, ssh_channel ssh)
{
    for (struct list *n = c->channels.next; n != &c->channels; n = n->next) {
        struct light_channel *ch = CONTAINER_OF(n, struct light_channel, node);
        if (ch->ssh == ssh)
            return ch;
    }
    return NULL;
}

void light_channel_free(struct light_channel *ch)
{
    struct light_connection *c = ch->connection;
    if (ch->ops)
        ch->ops->free(ch);
    if (ch->ssh) {
        ssh_remove_channel_callbacks(ch->ssh, &ch->callbacks);
        ssh_channel_free(ch->ssh);
    }
    list_remove(&ch->node);
    c->channel_count--;
    c->server->channels--;
    c->server->stats.channels_closed++;
    buf_fini(&ch->in);
    buf_fini(&ch->out);
    buf_fini(&ch->err);
    free(ch);
}

void light_channel_finish(struct light_channel *ch, int status)
{
    ch->finished = true;
    ch->status = status;
}

void light_channel_wake(struct light_channel *ch)
{
    if (ch->connection->stage != LIGHT_ENDED)
        connection_step(ch->connection);
}

/* A part of `b`, as the window takes it. Returns true when something went. */
static bool send_some(struct light_channel *ch, struct buf *b, bool is_stderr)
{
    uint32_t window = ssh_channel_window_size(ch->ssh);
    struct slice bytes = buf_peek(b);
    uint32_t part = bytes.len < window ? (uint32_t)bytes.len : window;
    part = part < LIGHT_SEND_MAX ? part : LIGHT_SEND_MAX;
    if (!part)
        return false;
    if (part == LIGHT_SEND_MAX)
        connection_cork(ch->connection, false); /* enough for a packet of its own */
    int sent = is_stderr ? ssh_channel_write_stderr(ch->ssh, bytes.data, part)
                         : ssh_channel_write(ch->ssh, bytes.data, part);
    if (sent <= 0)
        return false;
    buf_consume(b, (size_t)sent);
    return true;
}

/* Fetches what on_data had no room for. */
static bool take_left(struct light_channel *ch)
{
    size_t room = buf_room(&ch->in);
    if (!ch->in_left || room == 0)
        return false;
    uint8_t *to = buf_reserve(&ch->in, room);
    int got = to ? ssh_channel_read_nonblocking(ch->ssh, to, (uint32_t)room, 0) : 0;
    if (got > 0)
        buf_commit(&ch->in, (size_t)got);
    ch->in_left = got == (int)room;
    return got > 0;
}

/* The end: status, EOF, CLOSE; unless the server was told never to close. */
static void close_channel(struct light_channel *ch)
{
    if (ch->status >= 0)
        ssh_channel_request_send_exit_status(ch->ssh, ch->status);
    ssh_channel_send_eof(ch->ssh);
    if (!ch->connection->server->options.never_close)
        ssh_channel_close(ch->ssh);
    ch->closed = true;
    ch->connection->progress = true;
}

void light_channel_pump(struct light_channel *ch)
{
    bool never_close = ch->connection->server->options.never_close;
    for (int i = 0; i < PUMP_ROUNDS && !ch->closed && !ch->remote; i++) {
        if (ch->ops && !ch->finished)
            ch->ops->run(ch);
        bool moved = send_some(ch, &ch->out, false);
        moved |= send_some(ch, &ch->err, true);
        moved |= take_left(ch);
        if (moved)
            ch->connection->progress = true;
        if (ch->finished && buf_len(&ch->out) == 0 && buf_len(&ch->err) == 0)
            close_channel(ch);
        if (!moved || connection_is_full(ch->connection))
            break;
    }
    if (ch->remote && ch->held == 0 && !never_close)
        light_channel_free(ch);
}
