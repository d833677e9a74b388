/* Seats at the dispatcher. A seat goes when its MCP session has: calls that were cancelled may end
 * later than whoever began them. */
#include "http_state.h"

#include <stdlib.h>

#define NEWS_MAX (1024u * 1024u)

static struct buf *seat_out(void *context)
{
    return &((struct http_seat *)context)->news;
}

static void seat_flush(void *context)
{
    struct http_seat *seat = context;
    if (seat->session)
        http_session_news(seat->session);
    buf_clear(&seat->news);
}

static size_t seat_pending(void *context)
{
    (void)context;
    return 0; /* news are sent or dropped at once */
}

static void on_mcp_freed(void *context)
{
    struct http_seat *seat = context;
    struct http_endpoint *e = seat->endpoint;
    buf_fini(&seat->news);
    free(seat);
    e->seat_count--;
    http_endpoint_release(e);
}

struct http_seat *http_seat_new(struct http_endpoint *e, const struct identity *identity)
{
    struct http_seat *seat = calloc(1, sizeof *seat);
    if (!seat)
        return NULL;
    const struct mcp_sink sink = {seat_out, seat_flush, seat_pending, NULL, seat, false};
    struct mcp_config config = e->config.mcp;
    seat->endpoint = e;
    seat->identity = *identity;
    config.identity = &seat->identity;
    buf_init(&seat->news, NEWS_MAX);
    if (mcp_session_new(&seat->mcp, &config, &sink) != 0) {
        free(seat);
        return NULL;
    }
    e->seat_count++;
    return seat;
}

void http_seat_free(struct http_seat *seat)
{
    seat->session = NULL;
    mcp_session_free(seat->mcp, on_mcp_freed, seat);
}
