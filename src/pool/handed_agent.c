/* Agents that clients handed over, and the queue in front of each.
 *
 * The agent protocol answers in order, so a socket (a line) has one request at a time: a request
 * waits for a free line, first come first served, and a line is free again as soon as it has
 * answered. So hundreds of logins share a handful of sockets, and one that waits for its user to
 * confirm holds up a line, not all.
 *
 *   FREE --request--> BUSY --reply--> FREE      BUSY, cancelled: the reply is for nobody
 *     \__________________\__ end of file, broken protocol: CLOSED
 *
 * The sockets were opened by the client, so they lead where the client's own user could connect;
 * nothing of the daemon's identity is on them. An agent is freed when it was dropped, no login
 * holds it, and its last line is closed. Nobody is called back from within a call of theirs: what
 * a line's end means for those who wait is told by the stream's own event. */
#include "handed_agent.h"

#include "pool_state.h"
#include "scout/net/stream.h"
#include <assert.h>
#include <stdlib.h>

#define LINE_OUT_MAX (AGENT_PACKET_MAX + 4u)
#define LINE_IN_MAX  (AGENT_PACKET_MAX + 4u + IO_RECV_SIZE)

struct handed_line {
    struct handed_agent *agent;
    struct stream stream;
    struct buf in;
    struct handed_request *request; /* NULL while busy: for nobody */
    bool busy, closing, open;       /* open: until the socket has been closed */
};

struct handed_agent {
    struct io *io;
    struct list node; /* in pool->agents, newest first, until it is dropped */
    struct list waiting;
    uint32_t *agent_count; /* the pool's */
    uint32_t holds, open_count;
    uint64_t silent_until_ns;
    bool dropped;
    size_t line_count;
    struct handed_line lines[HANDED_LINES_MAX];
    char principal[POOL_PRINCIPAL_MAX + 1];
};

/* ---- the end ---- */

static void free_if_over(struct handed_agent *a)
{
    if (!a->dropped || a->holds > 0 || a->open_count > 0)
        return;
    for (size_t i = 0; i < a->line_count; i++)
        buf_fini(&a->lines[i].in);
    free(a);
}

static void close_line(struct handed_line *l)
{
    if (l->closing)
        return;
    l->closing = true;
    stream_close(&l->stream);
}

static void close_if_unwanted(struct handed_agent *a)
{
    if (!a->dropped || a->holds > 0)
        return;
    for (size_t i = 0; i < a->line_count; i++)
        close_line(&a->lines[i]);
    free_if_over(a);
}

static bool is_alive(const struct handed_agent *a)
{
    for (size_t i = 0; i < a->line_count; i++)
        if (!a->lines[i].closing)
            return true;
    return false;
}

static void on_closed(struct stream *s)
{
    struct handed_line *l = CONTAINER_OF(s, struct handed_line, stream);
    l->open = false;
    l->agent->open_count--;
    free_if_over(l->agent);
}

/* ---- lines ---- */

static void send_on(struct handed_line *l, struct handed_request *r)
{
    l->request = r;
    l->busy = true;
    r->line = l;
    if (stream_write(&l->stream, r->ask) == 0)
        return;
    /* Without memory the line is of no use; the request is told by the timer of its owner. */
    l->request = NULL;
    r->line = NULL;
    close_line(l);
}

static void serve(struct handed_agent *a)
{
    for (size_t i = 0; i < a->line_count; i++) {
        struct handed_line *l = &a->lines[i];
        if (l->busy || l->closing || list_empty(&a->waiting))
            continue;
        struct handed_request *r = CONTAINER_OF(a->waiting.next, struct handed_request, node);
        list_remove(&r->node);
        send_on(l, r);
    }
}

static struct handed_request *take_request(struct handed_line *l)
{
    struct handed_request *r = l->request;
    l->request = NULL;
    l->busy = false;
    if (r) {
        r->line = NULL;
        r->pending = false;
    }
    return r;
}

static void fail_waiting(struct handed_agent *a)
{
    while (!list_empty(&a->waiting)) {
        struct handed_request *r = CONTAINER_OF(a->waiting.next, struct handed_request, node);
        list_remove(&r->node);
        r->pending = false;
        r->on_failed(r, "hung up");
    }
}

/* The agent is held meanwhile: whoever is told may let go of it. */
static void line_ended(struct handed_line *l, const char *what)
{
    struct handed_agent *a = l->agent;
    struct handed_request *r = take_request(l);
    a->holds++;
    close_line(l);
    if (r)
        r->on_failed(r, what);
    if (!is_alive(a))
        fail_waiting(a);
    handed_agent_release(a);
}

static void on_data(struct stream *s, struct slice data)
{
    struct handed_line *l = CONTAINER_OF(s, struct handed_line, stream);
    struct handed_agent *a = l->agent;
    struct agent_reply reply;
    int64_t len =
        l->busy && buf_append(&l->in, data) == 0 ? agent_take(buf_peek(&l->in), &reply) : -1;
    if (len == 0)
        return; /* not whole yet */
    if (len < 0 || (size_t)len != buf_len(&l->in)) {
        line_ended(l, "broke the protocol");
        return;
    }
    struct handed_request *r = take_request(l);
    a->holds++;
    if (r)
        r->on_reply(r, &reply);
    buf_clear(&l->in);
    serve(a);
    handed_agent_release(a);
}

static void on_end(struct stream *s, int error)
{
    (void)error;
    line_ended(CONTAINER_OF(s, struct handed_line, stream), "hung up");
}

static const struct stream_events events = {on_data, on_end, NULL, on_closed};

/* ---- who brings it ---- */

struct handed_agent *handed_agent_new(struct pool *p, const char *principal, const int *fds,
                                      size_t count)
{
    assert(count > 0 && count <= HANDED_LINES_MAX && strlen(principal) <= POOL_PRINCIPAL_MAX);
    struct handed_agent *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    for (; p->agent_count >= HANDED_AGENTS_FULL && count > 1; count--)
        io_discard(p->io, fds[count - 1]);
    a->io = p->io;
    a->agent_count = &p->agent_count;
    p->agent_count++;
    a->line_count = a->open_count = (uint32_t)count;
    strcpy(a->principal, principal);
    list_init(&a->node);
    list_init(&a->waiting);
    list_append(p->agents.next, &a->node); /* in front */
    for (size_t i = 0; i < count; i++) {
        struct handed_line *l = &a->lines[i];
        l->agent = a;
        l->open = true;
        buf_init(&l->in, LINE_IN_MAX);
        stream_init(&l->stream, p->io, fds[i], LINE_OUT_MAX, &events);
        stream_resume(&l->stream);
    }
    return a;
}

void handed_agent_drop(struct handed_agent *a)
{
    a->dropped = true;
    --*a->agent_count; /* of the pool, which outlives whoever brings agents */
    list_remove(&a->node);
    close_if_unwanted(a);
}

/* ---- who asks it ---- */

struct handed_agent *handed_agent_find(struct pool *p, const char *principal)
{
    for (struct list *n = p->agents.next; n != &p->agents; n = n->next) {
        struct handed_agent *a = CONTAINER_OF(n, struct handed_agent, node);
        if (strcmp(a->principal, principal) == 0 && is_alive(a)) {
            a->holds++;
            return a;
        }
    }
    return NULL;
}

void handed_agent_release(struct handed_agent *a)
{
    a->holds--;
    close_if_unwanted(a);
}

bool handed_agent_ask(struct handed_agent *a, struct handed_request *r)
{
    if (!is_alive(a))
        return false;
    r->pending = true;
    r->line = NULL;
    list_init(&r->node);
    list_append(&a->waiting, &r->node);
    serve(a);
    return true;
}

void handed_agent_cancel(struct handed_agent *a, struct handed_request *r)
{
    (void)a;
    if (!r->pending)
        return;
    r->pending = false;
    if (r->line)
        r->line->request = NULL;
    else if (list_linked(&r->node))
        list_remove(&r->node);
    r->line = NULL;
}

void handed_agent_set_silent(struct handed_agent *a, uint64_t until_ns)
{
    a->silent_until_ns = until_ns;
}

uint64_t handed_agent_silent_until(const struct handed_agent *a)
{
    return a->silent_until_ns;
}
