/* The two kinds of carrier: see carrier.h. A hop's bytes lie in the forward's own buffer, from
 * where the bastion's engine takes them when it is stepped, so they are copied once more only into
 * a packet. */
#include "carrier.h"

#include "hop.h"
#include "pool_state.h"

#define STREAM_OUT_MAX (ENGINE_OUT_MAX * 2)

static struct forward *forward_of(const struct pool_connection *c)
{
    return c->hop ? c->hop->forward : NULL;
}

struct buf *carrier_out(struct pool_connection *c)
{
    if (!c->hop)
        return stream_out(&c->stream);
    return forward_of(c) ? &forward_of(c)->out : NULL;
}

void carrier_push(struct pool_connection *c)
{
    if (!c->hop) {
        stream_push(&c->stream);
    } else if (forward_of(c)) {
        forward_flush(forward_of(c));
        connection_flush(c->hop->use.connection);
    }
}

void carrier_push_late(struct pool_connection *c)
{
    if (!c->hop)
        stream_push_late(&c->stream);
    else
        carrier_push(c);
}

size_t carrier_pending(const struct pool_connection *c)
{
    if (!c->hop)
        return stream_pending(&c->stream);
    return forward_of(c) ? buf_len(&forward_of(c)->out) : 0;
}

static void pause_hop(struct pool_connection *c, bool paused)
{
    if (c->paused == paused || !forward_of(c))
        return;
    c->paused = paused;
    forward_pause(forward_of(c), paused);
    connection_flush(c->hop->use.connection);
}

void carrier_pause(struct pool_connection *c)
{
    if (c->hop)
        pause_hop(c, true);
    else
        stream_pause(&c->stream);
}

void carrier_resume(struct pool_connection *c)
{
    if (c->hop)
        pause_hop(c, false);
    else
        stream_resume(&c->stream);
}

void carrier_shrink(struct pool_connection *c)
{
    if (carrier_pending(c) > 0)
        return;
    struct buf *out = carrier_out(c);
    if (out)
        buf_fini(out);
    if (!c->hop && !c->stream.send.armed)
        buf_fini(&c->stream.sending);
}

/* ---- a socket's events ---- */

static struct pool_connection *of_stream(struct stream *s)
{
    return CONTAINER_OF(s, struct pool_connection, stream);
}

static void on_data(struct stream *s, struct slice data)
{
    connection_received(of_stream(s), data);
}

static void on_end(struct stream *s, int error)
{
    connection_peer_ended(of_stream(s), error);
}

static void on_drain(struct stream *s)
{
    connection_drained(of_stream(s));
}

static void on_closed(struct stream *s)
{
    connection_carrier_closed(of_stream(s));
}

static const struct stream_events stream_events = {on_data, on_end, on_drain, on_closed};

void carrier_open(struct pool_connection *c, struct io_file *file)
{
    stream_init_file(&c->stream, file, STREAM_OUT_MAX, &stream_events);
}

void carrier_send_last(struct pool_connection *c, struct slice bytes)
{
    if (!c->hop)
        stream_send_last(&c->stream, bytes);
}

void carrier_close(struct pool_connection *c)
{
    if (c->hop) {
        hop_shut(c->hop);
        connection_carrier_closed(c);
    } else {
        stream_close(&c->stream);
    }
}
