/* The echo server on our loop: one io_recv per connection that stays armed, one io_send per answer.
 *
 * It is written as the daemon's own connections are: bytes of a recv event are copied, because they
 * are gone when the callback returns, and sent from the connection's buffer. Bytes that arrive
 * while a send is under way wait behind those that it sends; the send's event moves them up. The
 * loop runs with its default sizes, those of the daemon.
 *
 * A peer that ends or breaks the rule costs its connection; the loop stops after the last one. */
#include "echo.h"
#include "scout/io/io.h"

#include <stdlib.h>

struct connection {
    struct io_file file;
    struct io_op recv, send;
    struct server *server;
    size_t filled; /* bytes in `buffer` that are not sent yet */
    uint8_t buffer[ECHO_ROOM];
};

struct server {
    struct io *io;
    unsigned open;
    struct connection connections[ECHO_CONNECTIONS];
};

static void on_closed(struct io_file *file)
{
    struct connection *c = CONTAINER_OF(file, struct connection, file);
    if (--c->server->open == 0)
        io_stop(c->server->io);
}

static void on_sent(struct io_op *op, struct io_event event);

static void send_filled(struct connection *c)
{
    struct iovec part = {c->buffer, c->filled};
    io_send(&c->file, &c->send, &part, 1, on_sent);
}

static void on_sent(struct io_op *op, struct io_event event)
{
    struct connection *c = CONTAINER_OF(op, struct connection, send);
    if (c->file.closing)
        return;
    if (event.res <= 0) {
        io_close(&c->file, on_closed);
        return;
    }
    size_t sent = (size_t)event.res;
    c->filled -= sent;
    if (c->filled > 0) {
        memmove(c->buffer, c->buffer + sent, c->filled);
        send_filled(c);
    }
}

static void on_received(struct io_op *op, struct io_event event)
{
    struct connection *c = CONTAINER_OF(op, struct connection, recv);
    if (c->file.closing)
        return;
    if (event.res <= 0 || event.data.len > sizeof c->buffer - c->filled) {
        io_close(&c->file, on_closed);
        return;
    }
    memcpy(c->buffer + c->filled, event.data.data, event.data.len);
    c->filled += event.data.len;
    if (!c->send.armed)
        send_filled(c);
}

int echo_serve_ring(const int fds[ECHO_CONNECTIONS])
{
    char why[256];
    struct io_ring_config config = {0};
    struct server *s = calloc(1, sizeof *s);
    if (!s)
        return 1;
    if (io_ring_open(&s->io, &config, why, sizeof why) != 0) {
        fprintf(stderr, "bench_ring: %s\n", why);
        free(s);
        return 1;
    }
    for (; s->open < ECHO_CONNECTIONS; s->open++) {
        struct connection *c = &s->connections[s->open];
        c->server = s;
        io_op_init(&c->recv);
        io_op_init(&c->send);
        io_file_adopt(s->io, &c->file, fds[s->open]);
        io_recv(&c->file, &c->recv, on_received);
    }
    io_run(s->io);
    io_free(s->io);
    free(s);
    return 0;
}
