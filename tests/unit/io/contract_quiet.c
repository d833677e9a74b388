/* Quiet sends: told late when all went, at once when not, and once in any case. */
#include "contract.h"

#define SIZE   (16u << 20)    /* more than a connection takes unread */
#define LONG   (5 * NS_PER_S) /* nothing that is told at once takes so long */
#define MOMENT (20 * NS_PER_MS)

static void on_timer(struct io_timer *timer)
{
    (void)timer;
}

/* A pass with nothing but the send to do; returns whether it waited to its end. */
static bool pass_waits(struct io *io, uint64_t wait_ns)
{
    struct io_timer timer;
    io_timer_init(&timer);
    io_timer_start(io, &timer, io_now(io) + wait_ns, on_timer);
    (void)io_run_once(io, 2 * wait_ns);
    bool fired = !io_timer_armed(&timer);
    io_timer_stop(io, &timer);
    return fired;
}

static uint8_t *make_bytes(void)
{
    uint8_t *bytes = malloc(SIZE);
    assert_non_null(bytes);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (uint8_t)(i * 31 + (i >> 11));
    return bytes;
}

/* Sends until the connection takes nothing more and a last send waits; returns how much went. */
static size_t fill_up(struct io *io, struct end *e, const uint8_t *bytes)
{
    size_t done = 0;
    for (;;) {
        assert_true(done < SIZE);
        end_send_quietly(e, bytes + done, SIZE - done);
        settle(io);
        if (e->sent.events == 0)
            return done;
        assert_in_range(e->sent.res, 1, SIZE - done);
        done += (size_t)e->sent.res;
    }
}

void a_quiet_send_ends_no_wait(void **state)
{
    struct io *io = *state;
    struct pair p;
    pair_open(io, &p);
    settle(io);
    end_send_quietly(&p.client, "hello", 5);
    assert_true(pass_waits(io, MOMENT)); /* the same pass sent it, waited, and told of it */
    assert_int_equal(p.client.sent.events, 1);
    assert_int_equal(p.client.sent.res, 5);
    end_recv(&p.server);
    UNTIL(io, slice_is(buf_peek(&p.server.got), "hello"));
    pair_close(&p);
}

void a_hurried_send_is_told_at_once(void **state)
{
    struct io *io = *state;
    struct pair p;
    pair_open(io, &p);
    settle(io);
    end_send_quietly(&p.client, "hello", 5);
    io_send_hurry(&p.client.send);
    assert_false(pass_waits(io, LONG));
    assert_int_equal(p.client.sent.events, 1);
    assert_int_equal(p.client.sent.res, 5);
    pair_close(&p);
}

void a_quiet_send_that_goes_short_is_told_at_once(void **state)
{
    struct io *io = *state;
    struct pair p;
    uint8_t *bytes = make_bytes();
    pair_open(io, &p);
    settle(io);
    end_send_quietly(&p.client, bytes, SIZE);
    assert_false(pass_waits(io, LONG));
    assert_int_equal(p.client.sent.events, 1);
    assert_in_range(p.client.sent.res, 1, SIZE - 1);
    pair_close(&p);
    free(bytes);
}

void a_quiet_send_to_nobody_fails_at_once(void **state)
{
    struct io *io = *state;
    struct pair p;
    pair_open(io, &p);
    io_shutdown_send(&p.client.file);
    settle(io);
    end_send_quietly(&p.client, "x", 1);
    assert_false(pass_waits(io, LONG));
    assert_int_equal(p.client.sent.events, 1);
    assert_int_equal(p.client.sent.res, -EPIPE);
    pair_close(&p);
}

void a_large_transfer_by_quiet_sends_is_intact(void **state)
{
    struct io *io = *state;
    struct pair p;
    uint8_t *bytes = make_bytes();
    pair_open(io, &p);
    size_t done = fill_up(io, &p.client, bytes);
    end_recv(&p.server);
    for (;;) {
        UNTIL(io, p.client.sent.events == 1);
        assert_in_range(p.client.sent.res, 1, SIZE - done);
        done += (size_t)p.client.sent.res;
        if (done == SIZE)
            break;
        end_send_quietly(&p.client, bytes + done, SIZE - done);
    }
    UNTIL(io, buf_len(&p.server.got) == SIZE);
    assert_memory_equal(buf_peek(&p.server.got).data, bytes, SIZE);
    pair_close(&p);
    free(bytes);
}

void a_quiet_send_is_cancelled(void **state)
{
    struct io *io = *state;
    struct pair p;
    uint8_t *bytes = make_bytes();
    pair_open(io, &p);
    settle(io);
    end_send_quietly(&p.client, "x", 1); /* before the kernel has it */
    io_cancel(&p.client.send);
    assert_false(pass_waits(io, LONG));
    UNTIL(io, p.client.sent.events == 1);
    assert_true(p.client.sent.res == 1 || p.client.sent.res == -ECANCELED);

    (void)fill_up(io, &p.client, bytes); /* while it waits for room */
    io_cancel(&p.client.send);
    UNTIL(io, p.client.sent.events == 1);
    assert_int_equal(p.client.sent.res, -ECANCELED);
    pair_close(&p);
    free(bytes);
}

void a_file_closes_over_a_quiet_send(void **state)
{
    struct io *io = *state;
    struct pair p;
    pair_open(io, &p);
    settle(io);
    end_send_quietly(&p.client, "x", 1);
    end_close(&p.client);
    assert_false(pass_waits(io, LONG));
    UNTIL(io, p.client.closed == 1);
    assert_int_equal(p.client.sent.events, 1);
    end_fini(&p.server);
    buf_fini(&p.client.got);
}

void many_quiet_sends_are_each_told(void **state)
{
    enum { COUNT = 120 };
    struct io *io = *state;
    struct pair *pairs = calloc(COUNT, sizeof *pairs);
    assert_non_null(pairs);
    for (int i = 0; i < COUNT; i++)
        pair_open(io, &pairs[i]);
    for (int i = 0; i < COUNT; i += 2)
        io_shutdown_send(&pairs[i].client.file);
    settle(io);
    for (int i = 0; i < COUNT; i++)
        end_send_quietly(&pairs[i].client, "x", 1);
    for (int i = 0; i < COUNT; i++) {
        UNTIL(io, pairs[i].client.sent.events == 1);
        assert_int_equal(pairs[i].client.sent.res, i % 2 ? 1 : -EPIPE);
    }
    for (int i = 0; i < COUNT; i++)
        pair_close(&pairs[i]);
    free(pairs);
}
