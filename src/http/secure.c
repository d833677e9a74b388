/* TLS of a connection: what comes is decrypted before it is looked at, what goes is encrypted when
 * it is flushed.
 *
 *     HANDSHAKE --(bytes) WAITING for a turn --> WORKING on a helper thread --> HANDSHAKE ... OPEN
 *
 * A handshake takes milliseconds of CPU: HANDSHAKES_MAX of them are worked on at a time, the others
 * wait for their turn in order, so that a flood delays newcomers and not whoever is in. While a
 * helper thread has the session, what arrives is gathered beside it; a connection that closes
 * meanwhile leaves it its memory. */
#include "http_state.h"

#include "scout/base/container.h"
#include <stdlib.h>

#define HANDSHAKES_MAX 2
#define RAW_MAX        TLS_IN_MAX
#define PLAIN_IN_MAX   (2 * TLS_IN_MAX)

static void work(struct http_secure *x);

int http_secure_open(struct http_connection *c)
{
    struct http_secure *x = calloc(1, sizeof *x);
    if (!x)
        return SCOUT_E_NOMEM;
    x->endpoint = c->endpoint;
    x->connection = c;
    buf_init(&x->plain, HTTP_OUT_MAX);
    buf_init(&x->raw, RAW_MAX);
    list_init(&x->turn);
    if (tls_session_new(&x->session, c->endpoint->tls, HTTP_OUT_MAX) != 0) {
        free(x);
        return SCOUT_E_NOMEM;
    }
    c->secure = x;
    c->endpoint->secure_count++;
    return 0;
}

static void secure_free(struct http_secure *x)
{
    struct http_endpoint *e = x->endpoint;
    list_remove(&x->turn);
    tls_session_free(x->session);
    buf_fini(&x->plain);
    buf_fini(&x->raw);
    free(x);
    e->secure_count--;
    http_endpoint_release(e);
}

void http_secure_close(struct http_connection *c)
{
    struct http_secure *x = c->secure;
    c->secure = NULL;
    if (!x)
        return;
    x->connection = NULL;
    if (!x->working)
        secure_free(x);
}

/* ---- out ---- */

/* What the library wants sent goes out. */
static void send_out(struct http_secure *x)
{
    struct http_connection *c = x->connection;
    struct buf *out = tls_session_out(x->session);
    if (buf_len(out) == 0)
        return;
    if (stream_write(&c->stream, buf_peek(out)) != 0)
        http_connection_close(c);
    else
        buf_clear(out);
}

void http_secure_flush(struct http_connection *c)
{
    struct http_secure *x = c->secure;
    if (!x->open)
        return;
    if (tls_session_write(x->session, buf_peek(&x->plain)) != 0) {
        http_connection_close(c);
        return;
    }
    buf_clear(&x->plain);
    send_out(x);
}

void http_secure_end(struct http_connection *c)
{
    if (!c->secure->open)
        return;
    tls_session_end(c->secure->session);
    send_out(c->secure);
}

/* ---- in ---- */

static void read_plain(struct http_secure *x)
{
    struct http_connection *c = x->connection;
    struct buf in;
    buf_init(&in, PLAIN_IN_MAX);
    int ended = tls_session_read(x->session, &in);
    if (ended >= 0 && buf_len(&in) > 0)
        http_connection_take(c, buf_peek(&in));
    buf_fini(&in);
    if (ended && !c->closing)
        http_connection_close(c);
    else if (!c->closing)
        send_out(x);
}

static void log_failure(const struct http_secure *x)
{
    char text[128];
    struct log *log = x->endpoint->config.mcp.log;
    if (log)
        log_event(log, LOG_DEBUG, "tls_failed", "reason",
                  tls_error_text(x->result, text, sizeof text), NULL);
}

/* ---- the handshake ---- */

static void next_turn(struct http_endpoint *e)
{
    while (e->handshakes < HANDSHAKES_MAX) {
        struct list *node = list_shift(&e->turns);
        if (!node)
            return;
        work(CONTAINER_OF(node, struct http_secure, turn));
    }
}

static void run(struct io_job *job)
{
    struct http_secure *x = CONTAINER_OF(job, struct http_secure, job);
    x->result = tls_session_handshake(x->session);
}

static void count(const struct http_secure *x)
{
    struct http_stats *stats = x->endpoint->config.stats;
    if (x->result == 0)
        return; /* it goes on */
    stats->handshakes++;
    stats->handshake_failures += x->result < 0;
    histogram_add(&stats->handshake_times,
                  io_now(x->endpoint->config.io) - x->connection->since_ns);
}

static void after_handshake(struct http_secure *x)
{
    struct http_connection *c = x->connection;
    count(x);
    if (x->result < 0)
        log_failure(x);
    send_out(x); /* of a failure: the alert */
    if (c->closing)
        return;
    if (x->result < 0) {
        http_connection_finish(c);
        return;
    }
    x->open = x->result == 1;
    struct buf raw = x->raw;
    buf_init(&x->raw, RAW_MAX);
    if (x->open)
        http_connection_ready(c);
    if (x->open || buf_len(&raw) > 0)
        http_secure_input(c, buf_peek(&raw));
    buf_fini(&raw);
}

static void on_worked(struct io_job *job)
{
    struct http_secure *x = CONTAINER_OF(job, struct http_secure, job);
    struct http_endpoint *e = x->endpoint;
    x->working = false;
    e->handshakes--;
    e->secure_count++; /* it outlives what follows */
    if (x->connection)
        after_handshake(x);
    else
        secure_free(x);
    next_turn(e);
    e->secure_count--;
    http_endpoint_release(e);
}

static void work(struct http_secure *x)
{
    x->working = true;
    x->endpoint->handshakes++;
    io_job_start(x->endpoint->config.io, &x->job, run, on_worked);
}

void http_secure_input(struct http_connection *c, struct slice data)
{
    struct http_secure *x = c->secure;
    int error = x->working ? buf_append(&x->raw, data) : tls_session_feed(x->session, data);
    if (error) {
        http_connection_close(c);
        return;
    }
    if (x->working)
        return;
    if (x->open) {
        read_plain(x);
        return;
    }
    if (!list_linked(&x->turn))
        list_append(&x->endpoint->turns, &x->turn);
    next_turn(x->endpoint);
}
