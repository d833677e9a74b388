/* The toy server: channels, and what comes on them.
 *
 * A place is taken by an open channel and, as at OpenSSH's sshd, by a command that still runs
 * behind a channel that the client closed. Of SFTP there are INIT and STAT. */
#include "toy_server.h"

#include <assert.h>
#include <stdlib.h>

static void tell(struct toy_session *t, enum toy_type type, uint32_t channel)
{
    toy_say(t, type, channel, slice_of("", 0));
}

static struct toy_channel *find(struct toy_session *t, uint32_t id)
{
    for (struct list *n = t->channels.next; n != &t->channels; n = n->next) {
        struct toy_channel *ch = CONTAINER_OF(n, struct toy_channel, node);
        if (ch->id == id && !(ch->close_sent && ch->close_came))
            return ch;
    }
    return NULL;
}

void toy_channel_free(struct toy_channel *ch)
{
    struct toy_session *t = ch->session;
    toy_process_stop(ch);
    list_remove(&ch->node);
    t->channel_count--;
    t->server->stats.channels--;
    t->server->stats.anchors -= ch->anchor;
    t->server->stats.closed++;
    free(ch);
}

/* Its place is free when it is closed and nothing runs behind it any more. */
static void free_if_over(struct toy_channel *ch)
{
    if (ch->close_sent && ch->close_came && !ch->running)
        toy_channel_free(ch);
}

static void send_close(struct toy_channel *ch)
{
    if (ch->close_sent || ch->never_close)
        return;
    ch->close_sent = true;
    tell(ch->session, TOY_CLOSE, ch->id);
}

void toy_channel_ended(struct toy_channel *ch)
{
    uint8_t bytes[4 + 8];
    size_t len = strlen(ch->signal);
    toy_put_u32(bytes, (uint32_t)ch->status);
    memcpy(bytes + 4, ch->signal, len);
    if (!ch->no_status && !ch->close_came)
        toy_say(ch->session, TOY_EXIT, ch->id, slice_of(bytes, 4 + len));
    send_close(ch);
    free_if_over(ch);
}

static void open_channel(struct toy_session *t, uint32_t id)
{
    struct toy_server *v = t->server;
    uint32_t max = v->config.channels_max;
    bool full = max > 0 && t->channel_count >= max;
    v->stats.refused += full;
    if (full || (id != TOY_ANCHOR && toy_happens(v, v->config.faults.refuse_channel))) {
        tell(t, TOY_OPEN_REFUSED, id);
        return;
    }
    struct toy_channel *ch = calloc(1, sizeof *ch);
    if (!ch)
        abort();
    ch->session = t;
    ch->id = id;
    ch->anchor = id == TOY_ANCHOR;
    ch->signal = "";
    ch->never_close = !ch->anchor && toy_happens(v, v->config.faults.never_close);
    buf_init(&ch->verdicts, 65536);
    io_timer_init(&ch->timer);
    list_append(&t->channels, &ch->node);
    t->channel_count++;
    v->stats.channels++;
    v->stats.anchors += ch->anchor;
    v->stats.opened++;
    assert(max == 0 || t->channel_count <= max);
    tell(t, TOY_OPEN, id);
}

static void start_exec(struct toy_channel *ch, struct slice command)
{
    struct toy_server *v = ch->session->server;
    if (toy_happens(v, v->config.faults.refuse_exec)) {
        tell(ch->session, TOY_EXEC_REFUSED, ch->id);
        ch->never_close = false;
        ch->close_sent = true; /* the refusal counts as one */
        return;
    }
    v->stats.execs++;
    tell(ch->session, TOY_EXEC, ch->id);
    toy_process_start(ch, command);
}

/* ---- SFTP: INIT and STAT ---- */

static void sftp_reply(struct toy_session *t, struct slice packet)
{
    static const uint8_t version[] = {0, 0, 0, 5, 2, 0, 0, 0, 3};
    uint8_t attrs[4 + 1 + 4 + 4 + 8] = {0, 0, 0, 17, 105};
    uint8_t status[4 + 1 + 4 + 4 + 4 + 4] = {0, 0, 0, 17, 101};
    uint8_t type = packet.data[0];
    if (type == 1) {
        toy_say(t, TOY_DATA, TOY_ANCHOR, slice_of(version, sizeof version));
        return;
    }
    if (packet.len < 5)
        return;
    if (type == 17 || type == 7) { /* STAT, LSTAT: a size of 1 */
        memcpy(attrs + 5, packet.data + 1, 4);
        attrs[12] = 1;
        attrs[20] = 1;
        toy_say(t, TOY_DATA, TOY_ANCHOR, slice_of(attrs, sizeof attrs));
    } else {
        memcpy(status + 5, packet.data + 1, 4);
        status[12] = 8; /* OP_UNSUPPORTED, no text, no language */
        toy_say(t, TOY_DATA, TOY_ANCHOR, slice_of(status, sizeof status));
    }
}

static void take_sftp(struct toy_session *t, struct slice bytes)
{
    if (buf_append(&t->sftp, bytes) != 0)
        abort();
    for (;;) {
        struct slice s = buf_peek(&t->sftp);
        size_t len = s.len >= 4 ? toy_get_u32(s.data) : 0;
        if (len == 0 || s.len < 4 + len)
            return;
        sftp_reply(t, slice_of(s.data + 4, len));
        buf_consume(&t->sftp, 4 + len);
    }
}

/* ---- frames ---- */

static void take_close(struct toy_channel *ch)
{
    ch->close_came = true;
    send_close(ch);
    free_if_over(ch);
}

static void take_channel(struct toy_session *t, const struct toy_frame *f)
{
    struct toy_channel *ch = find(t, f->channel);
    if (!ch)
        return;
    switch (f->type) {
    case TOY_SUBSYSTEM:
        tell(t, t->server->config.no_sftp ? TOY_EXEC_REFUSED : TOY_SUBSYSTEM, ch->id);
        break;
    case TOY_EXEC:
        start_exec(ch, f->bytes);
        break;
    case TOY_DATA:
        if (ch->anchor)
            take_sftp(t, f->bytes);
        else
            toy_process_input(ch, f->bytes.len);
        break;
    case TOY_EOF:
        toy_process_eof(ch);
        break;
    case TOY_CLOSE:
        take_close(ch);
        break;
    default:
        break;
    }
}

/* What is left of the time that a connect takes. */
static uint64_t connect_delay(const struct toy_session *t)
{
    uint64_t due = t->accepted_ns + t->server->config.connect_delay_ns;
    uint64_t now = io_now(t->server->io);
    return due > now ? due - now : 0;
}

void toy_take(struct toy_session *t, const struct toy_frame *f)
{
    switch (f->type) {
    case TOY_HELLO:
        toy_say_after(t, TOY_HELLO, 0, slice_of("", 0), connect_delay(t));
        break;
    case TOY_AUTH:
        tell(t, t->fault == TOY_FAULT_AUTH ? TOY_AUTH_REFUSED : TOY_AUTH, 0);
        break;
    case TOY_OPEN:
        open_channel(t, f->channel);
        break;
    case TOY_PING:
        tell(t, TOY_PING, 0);
        break;
    default:
        take_channel(t, f);
        break;
    }
}
