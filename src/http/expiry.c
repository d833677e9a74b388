/* The end of an admission while something is under way by it: its token has gone, or has expired. A
 * stream ends with its last chunk, as one does that has come to its end; what has no answer yet is
 * refused. The connection closes behind it, and its client comes again with another token. */
#include "http_state.h"

#include "scout/base/container.h"

#define EXPIRY_LOOK_S 60 /* between two looks at the clock on the wall, which may be set */

void http_connection_expel(struct http_connection *c)
{
    if (c->closing || !c->answering)
        return;
    c->last = true;
    if (c->listening) {
        http_events_end(c);
        http_connection_answered(c);
    } else if (c->exchange) {
        http_exchange_expel(c->exchange);
    }
}

static void on_expiry(struct io_timer *timer);

/* The clock on the wall may be set: it is looked at once a minute. */
void http_connection_watch_expiry(struct http_connection *c)
{
    struct io *io = c->endpoint->config.io;
    uint64_t expires_s = c->admission.credential.expires_s, now_ms = io_wall_ms(io);
    if (!expires_s)
        return;
    uint64_t ms = EXPIRY_LOOK_S * 1000;
    if (expires_s <= now_ms / 1000)
        ms = 0;
    else if (expires_s - now_ms / 1000 <= EXPIRY_LOOK_S)
        ms = expires_s * 1000 - now_ms;
    io_timer_start(io, &c->expiry, io_now(io) + ms * NS_PER_MS, on_expiry);
}

/* What is not a stream has its answer yet, which its deadline bounds. */
static void on_expiry(struct io_timer *timer)
{
    struct http_connection *c = CONTAINER_OF(timer, struct http_connection, expiry);
    if (io_wall_ms(c->endpoint->config.io) / 1000 < c->admission.credential.expires_s)
        http_connection_watch_expiry(c);
    else if (c->listening || (c->exchange && c->exchange->streaming))
        http_connection_expel(c);
}
