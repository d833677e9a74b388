/* Ends before their time: cancelling and closing. Every op gets one last event, whatever happens.
 */
#include "contract.h"

void accept_is_cancelled(void **state)
{
    struct io *io = *state;
    struct listening l;
    listening_open(io, &l);
    settle(io);
    io_cancel(&l.accept);
    io_cancel(&l.accept); /* no effect */
    assert_int_equal(l.accepted.events, 0);
    UNTIL(io, l.accepted.events == 1);
    assert_int_equal(l.accepted.res, -ECANCELED);
    assert_int_equal(l.accepted.last_events, 1);
    assert_false(l.accept.armed);
    io_cancel(&l.accept); /* no effect either */
    settle(io);
    listening_close(&l);
}

void recv_is_cancelled_and_armed_again(void **state)
{
    struct io *io = *state;
    struct pair p;
    pair_open(io, &p);
    end_recv(&p.server);
    settle(io);
    io_cancel(&p.server.recv);
    UNTIL(io, p.server.received.last_events == 1);
    assert_int_equal(p.server.received.res, -ECANCELED);

    end_send(&p.client, "kept", 4);
    UNTIL(io, p.client.sent.events == 1);
    settle(io);
    assert_int_equal(buf_len(&p.server.got), 0);
    end_recv(&p.server);
    UNTIL(io, slice_is(buf_peek(&p.server.got), "kept"));
    pair_close(&p);
}

void poll_is_cancelled(void **state)
{
    struct io *io = *state;
    struct pair p;
    pair_open(io, &p);
    io_poll(&p.server.file, &p.server.other, POLLIN, on_other);
    settle(io);
    io_cancel(&p.server.other);
    UNTIL(io, p.server.others.events == 1);
    assert_int_equal(p.server.others.res, -ECANCELED);
    pair_close(&p);
}

void a_waiting_send_is_cancelled(void **state)
{
    enum { SIZE = 1 << 20 };
    struct io *io = *state;
    struct pair p;
    pair_open(io, &p);
    uint8_t *bytes = calloc(1, SIZE);
    assert_non_null(bytes);
    for (int i = 0; i < 1000 && !p.client.send.armed; i++) { /* until nothing goes any more */
        end_send(&p.client, bytes, SIZE);
        settle(io);
    }
    assert_true(p.client.send.armed);
    io_cancel(&p.client.send);
    UNTIL(io, p.client.sent.events == 1);
    assert_true(p.client.sent.res == -ECANCELED || p.client.sent.res > 0);
    free(bytes); /* the kernel has done with it */
    pair_close(&p);
}

void a_cancelled_connect_ends_once(void **state)
{
    struct io *io = *state;
    struct listening l;
    struct end e;
    listening_open(io, &l);
    end_connect(io, &e, &l);
    io_cancel(&e.other);
    UNTIL(io, e.others.events == 1);
    assert_true(e.others.res == -ECANCELED || e.others.res == 0);
    settle(io);
    assert_int_equal(e.others.events, 1);
    for (unsigned i = 0; i < l.fd_count; i++)
        io_discard(io, l.fds[i]);
    end_fini(&e);
    listening_close(&l);
}

void closing_waits_for_every_op(void **state)
{
    struct io *io = *state;
    struct pair p;
    pair_open(io, &p);
    end_recv(&p.server);
    io_poll(&p.server.file, &p.server.other, POLLIN, on_other);
    settle(io);
    assert_int_equal(p.server.file.armed_count, 2);
    end_close(&p.server);
    end_close(&p.server); /* ignored */
    assert_int_equal(p.server.closed + p.server.others.events + p.server.received.events, 0);
    UNTIL(io, p.server.closed > 0);
    assert_int_equal(p.server.received.res, -ECANCELED);
    assert_int_equal(p.server.others.res, -ECANCELED);
    settle(io);
    assert_int_equal(p.server.closed, 1);
    assert_int_equal(p.server.received.events + p.server.others.events, 2);
    end_recv(&p.client);
    UNTIL(io, p.client.received.last_events == 1);
    pair_close(&p);
}

struct suicide {
    struct end end;
    unsigned closed, calls, last_calls;
};

static void on_suicide_closed(struct io_file *f)
{
    struct suicide *s = CONTAINER_OF(CONTAINER_OF(f, struct end, file), struct suicide, end);
    s->closed++;
}

static void on_suicide(struct io_op *op, struct io_event event)
{
    struct suicide *s = CONTAINER_OF(CONTAINER_OF(op, struct end, recv), struct suicide, end);
    assert_int_equal(s->closed, 0);
    s->calls++;
    s->last_calls += !event.more;
    io_close(&s->end.file, on_suicide_closed);
    assert_int_equal(s->closed, 0); /* not within the call */
}

void a_callback_closes_its_own_file(void **state)
{
    struct io *io = *state;
    struct pair p;
    struct suicide s = {0};
    pair_open(io, &p);
    end_init(&s.end);
    io_file_adopt(io, &s.end.file, io_file_release(&p.server.file));
    io_recv(&s.end.file, &s.end.recv, on_suicide);
    end_send(&p.client, "x", 1);
    UNTIL(io, s.closed == 1 && p.client.sent.events == 1);
    assert_true(s.calls >= 2);
    assert_int_equal(s.last_calls, 1);
    end_recv(&p.client);
    UNTIL(io, p.client.received.last_events == 1);
    end_fini(&p.client);
    buf_fini(&p.server.got);
}

void no_event_comes_within_the_call(void **state)
{
    struct io *io = *state;
    struct pair p;
    pair_open(io, &p);
    end_send(&p.client, "x", 1);
    assert_int_equal(p.client.sent.events, 0);
    UNTIL(io, p.client.sent.events == 1);
    settle(io);
    end_recv(&p.server); /* its data has arrived */
    assert_int_equal(p.server.received.events, 0);
    io_poll(&p.server.file, &p.server.other, POLLOUT, on_other);
    assert_int_equal(p.server.others.events, 0);
    io_cancel(&p.server.other);
    assert_int_equal(p.server.others.events, 0);
    assert_true(p.server.other.armed);
    UNTIL(io, p.server.others.events == 1 && p.server.received.events == 1);
    end_close(&p.client);
    assert_int_equal(p.client.closed, 0);
    pair_close(&p);
}
