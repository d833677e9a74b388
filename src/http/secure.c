/* TLS of a connection: what comes is decrypted before it is looked at, what goes is encrypted when
 * it is flushed.
 *
 *     HANDSHAKE --(bytes) WAITING for a turn --> WORKING on a helper thread --> HANDSHAKE ... OPEN
 *
 * A handshake takes milliseconds of CPU, and some hundred if a client shows a certificate that is
 * made for that: HANDSHAKES_MAX of them are worked on at a time, the others wait for their turn, so
 * that a flood delays newcomers and not whoever is in. The first that waits is next, but one of an
 * address that is not being worked for goes before: who floods from one place delays himself. What
 * arrives before the handshake is done is gathered beside the session, which a helper thread may
 * have; a connection that closes meanwhile leaves it its memory.
 *
 * Behind the last of its handshake a client may send a whole request at once, before the server has
 * looked at it: from RAW_HIGH bytes on reading stops until the handshake is done. */
#include "http_state.h"

#include "scout/base/container.h"
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define HANDSHAKES_MAX 2
#define TURN_LOOKS     1024                 /* at those that wait, for one to go before */
#define PIECE          (2 * TLS_RECORD_MAX) /* bytes that a session is fed at a time */
#define RAW_HIGH       (64u * 1024u)
#define RAW_MAX        (8u * 1024u * 1024u) /* with what was under way when reading stopped */
#define PLAIN_IN_MAX   (2 * TLS_IN_MAX)

static void work(struct http_secure *x);

int http_secure_open(struct http_connection *c)
{
    struct http_secure *x = calloc(1, sizeof *x);
    if (!x)
        return SCOUT_E_NOMEM;
    x->endpoint = c->endpoint;
    x->connection = c;
    x->peer = c->peer;
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

bool http_secure_end(struct http_connection *c)
{
    struct http_secure *x = c->secure;
    if (!x->open || x->ended)
        return false;
    x->ended = true;
    tls_session_end(x->session);
    send_out(x);
    return c->closing || http_connection_pending(c) > 0;
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

static void take(struct http_secure *x, struct slice data)
{
    if (tls_session_feed(x->session, data) != 0)
        http_connection_close(x->connection);
    else
        read_plain(x);
}

/* What came behind the handshake. */
static void take_raw(struct http_secure *x)
{
    struct http_connection *c = x->connection;
    struct buf raw = x->raw;
    struct slice rest = buf_peek(&raw);
    buf_init(&x->raw, RAW_MAX);
    do {
        size_t len = rest.len < PIECE ? rest.len : PIECE;
        take(x, slice_of(rest.data, len));
        rest = slice_skip(rest, len);
    } while (rest.len > 0 && !c->closing);
    buf_fini(&raw);
}

const struct tls_peer *http_secure_certificate(const struct http_connection *c)
{
    bool counts = c->secure && c->secure->open && !http_secure_is_stale(c);
    return counts ? tls_session_peer(c->secure->session) : NULL;
}

bool http_secure_is_stale(const struct http_connection *c)
{
    const struct http_secure *x = c->secure;
    return x && x->open && tls_session_is_stale(x->session, c->endpoint->tls);
}

static void tell_failure(const struct http_secure *x)
{
    char text[128];
    const struct http_access *access = &x->endpoint->config.access;
    const char *wrong = tls_session_wrong(x->session);
    x->endpoint->config.stats->certificates_refused += wrong != NULL;
    if (wrong && access->certificate_refused)
        access->certificate_refused(access->context, &x->connection->peer, wrong);
    struct log *log = x->endpoint->config.mcp.log;
    if (log)
        log_event(log, LOG_DEBUG, "tls_failed", "reason",
                  tls_error_text(x->result, text, sizeof text), NULL);
}

/* ---- the handshake ---- */

/* Who has an address of IPv6 has its whole /64. */
static bool is_worked_for(const struct http_endpoint *e, const struct address *a)
{
    size_t len = a->family == AF_INET ? 4 : 8;
    for (const struct list *n = e->at_work.next; n != &e->at_work; n = n->next) {
        const struct address *b = &CONTAINER_OF(n, struct http_secure, turn)->peer;
        if (a->family == b->family && memcmp(a->bytes, b->bytes, len) == 0)
            return true;
    }
    return false;
}

static struct http_secure *choose(struct http_endpoint *e)
{
    struct list *n = e->turns.next;
    for (int i = 0; n != &e->turns && i < TURN_LOOKS; i++, n = n->next) {
        struct http_secure *x = CONTAINER_OF(n, struct http_secure, turn);
        if (!is_worked_for(e, &x->peer))
            return x;
    }
    return CONTAINER_OF(e->turns.next, struct http_secure, turn);
}

static void next_turn(struct http_endpoint *e)
{
    while (e->handshakes < HANDSHAKES_MAX && !list_empty(&e->turns)) {
        struct http_secure *x = choose(e);
        list_remove(&x->turn);
        work(x);
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

static void want_turn(struct http_secure *x)
{
    if (!x->working && !list_linked(&x->turn))
        list_append(&x->endpoint->turns, &x->turn);
    next_turn(x->endpoint);
}

static void after_handshake(struct http_secure *x)
{
    struct http_connection *c = x->connection;
    count(x);
    if (x->result < 0)
        tell_failure(x);
    send_out(x); /* of a failure: the alert */
    if (c->closing)
        return;
    if (x->result < 0) {
        http_connection_finish(c);
        return;
    }
    x->open = x->result == 1;
    stream_resume(&c->stream);
    if (http_secure_is_stale(c)) {
        http_connection_finish(c); /* a reload came meanwhile */
    } else if (x->open) {
        http_connection_ready(c);
        take_raw(x);
    } else if (buf_len(&x->raw) > 0) {
        want_turn(x);
    }
}

static void on_worked(struct io_job *job)
{
    struct http_secure *x = CONTAINER_OF(job, struct http_secure, job);
    struct http_endpoint *e = x->endpoint;
    x->working = false;
    list_remove(&x->turn);
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
    struct slice raw = buf_peek(&x->raw);
    size_t len = raw.len < PIECE ? raw.len : PIECE;
    if (tls_session_feed(x->session, slice_of(raw.data, len)) != 0) {
        http_connection_close(x->connection);
        return;
    }
    buf_consume(&x->raw, len);
    x->working = true;
    list_append(&x->endpoint->at_work, &x->turn);
    x->endpoint->handshakes++;
    io_job_start(x->endpoint->config.io, &x->job, run, on_worked);
}

void http_secure_input(struct http_connection *c, struct slice data)
{
    struct http_secure *x = c->secure;
    if (x->open) {
        take(x, data);
        return;
    }
    if (buf_append(&x->raw, data) != 0) {
        http_connection_close(c);
        return;
    }
    if (buf_len(&x->raw) >= RAW_HIGH)
        stream_pause(&c->stream);
    want_turn(x);
}
