#include "dial_rig.h"

void on_accept(struct io_op *op, struct io_event event)
{
    struct answering *a = CONTAINER_OF(op, struct answering, accept);
    if (event.res >= 0) {
        a->accepted++;
        if (a->cancel)
            dial_cancel(a->cancel);
        io_discard(a->file.io, event.res);
    }
}

void answering_open(struct io *io, struct answering *a)
{
    struct sockaddr_in any = loopback(0);
    struct sockaddr_storage addr;
    socklen_t len;
    *a = (struct answering){0};
    assert_int_equal(io_file_listen(io, &a->file, (struct sockaddr *)&any, sizeof any, 8), 0);
    assert_int_equal(io_file_address(&a->file, &addr, &len), 0);
    a->port = ntohs(((struct sockaddr_in *)&addr)->sin_port);
    io_accept(&a->file, &a->accept, on_accept);
}

static void on_answering_closed(struct io_file *f)
{
    CONTAINER_OF(f, struct answering, file)->closed++;
}

void answering_close(struct answering *a)
{
    io_close(&a->file, on_answering_closed);
    UNTIL(a->file.io, a->closed == 1);
}

static void on_done(struct dial *d, const struct failure *error)
{
    struct call *c = CONTAINER_OF(d, struct call, dial);
    c->done++;
    c->failure = *error;
}

void call_start_from(struct call *c, struct io *io, const char *from, const char *host,
                     uint16_t port, int family, uint64_t after_ms)
{
    *c = (struct call){.resolver = c->resolver};
    io_run_once(io, 0);
    const struct dial_target target = {host, from, family, port};
    dial_start(&c->dial, io, c->resolver, &target, io_now(io) + after_ms * NS_PER_MS, on_done);
    assert_int_equal(c->done, 0);
}

void call_start_in(struct call *c, struct io *io, const char *host, uint16_t port, int family,
                   uint64_t after_ms)
{
    call_start_from(c, io, NULL, host, port, family, after_ms);
}

void call_start(struct call *c, struct io *io, const char *host, uint16_t port, uint64_t after_ms)
{
    call_start_in(c, io, host, port, AF_UNSPEC, after_ms);
}

static void on_call_closed(struct io_file *f)
{
    CONTAINER_OF(CONTAINER_OF(f, struct dial, file), struct call, dial)->closed++;
}

void hang_up(struct call *c)
{
    io_close(&c->dial.file, on_call_closed);
    UNTIL(c->dial.io, c->closed == 1);
}
