/* Streams and listeners: what is written arrives, in order and whole, or its owner is told. */
#include "loops.h"

#include "scout/base/error.h"
#include "scout/net/listener.h"
#include "scout/net/stream.h"

#define OUT_MAX 100000

/* A stream that sends numbered bytes as its cap admits and checks those that it gets. */
struct side {
    struct stream stream;
    size_t to_send, written, got;
    unsigned ends, errors, drains, closed, data_calls;
    int error;
    bool shut, shut_when_sent, pausing;
    struct io_timer resume;
};

struct link {
    struct listener listener;
    unsigned listener_closed;
    struct io_file dialer;
    struct io_op connect;
    int connected, accepted_fd;
    struct side a, b;
};

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 13 + (i >> 8));
}

static void fill(struct side *s)
{
    uint8_t block[1000];
    while (s->written < s->to_send) {
        size_t len = s->to_send - s->written;
        if (len > sizeof block)
            len = sizeof block;
        for (size_t i = 0; i < len; i++)
            block[i] = byte_at(s->written + i);
        int error = stream_write(&s->stream, slice_of(block, len));
        if (error) {
            assert_int_equal(error, SCOUT_E_LIMIT);
            return;
        }
        s->written += len;
    }
}

static void on_resume(struct io_timer *timer)
{
    stream_resume(&CONTAINER_OF(timer, struct side, resume)->stream);
}

static void on_data(struct stream *stream, struct slice data)
{
    struct side *s = CONTAINER_OF(stream, struct side, stream);
    assert_int_equal(s->closed + s->ends + s->errors, 0);
    for (size_t i = 0; i < data.len; i++)
        if (data.data[i] != byte_at(s->got + i))
            fail_msg("byte %zu is wrong", s->got + i);
    s->got += data.len;
    s->data_calls++;
    if (!s->pausing)
        return;
    stream_pause(stream);
    if (s->data_calls % 3 == 0)
        stream_resume(stream); /* before the pause has taken effect */
    else
        io_timer_start(stream->file.io, &s->resume, io_now(stream->file.io) + 1000, on_resume);
}

static void on_end(struct stream *stream, int error)
{
    struct side *s = CONTAINER_OF(stream, struct side, stream);
    assert_int_equal(s->closed + s->errors, 0);
    if (error == 0)
        s->ends++;
    else
        s->errors++;
    s->error = error;
}

static void on_drain(struct stream *stream)
{
    struct side *s = CONTAINER_OF(stream, struct side, stream);
    assert_int_equal(s->errors + s->closed, 0);
    assert_int_equal(stream_pending(stream), 0);
    s->drains++;
    if (s->written < s->to_send) {
        fill(s);
    } else if (s->shut_when_sent && !s->shut) {
        s->shut = true;
        io_shutdown_send(&stream->file);
    }
}

static void on_closed(struct stream *stream)
{
    CONTAINER_OF(stream, struct side, stream)->closed++;
}

static const struct stream_events side_events = {on_data, on_end, on_drain, on_closed};

/* ---- a connected pair ---- */

static void on_accept(struct listener *l, int fd)
{
    struct link *k = CONTAINER_OF(l, struct link, listener);
    assert_int_equal(k->accepted_fd, -1);
    k->accepted_fd = fd;
}

static void on_listener_closed(struct listener *l)
{
    CONTAINER_OF(l, struct link, listener)->listener_closed++;
}

static const struct listener_events listener_events = {on_accept, on_listener_closed};

static void on_connect(struct io_op *op, struct io_event event)
{
    CONTAINER_OF(op, struct link, connect)->connected = event.res;
}

static void link_open(struct io *io, struct link *k)
{
    struct sockaddr_in any = loopback(0);
    struct sockaddr_storage addr;
    socklen_t len;
    *k = (struct link){.connected = 1, .accepted_fd = -1};
    assert_int_equal(
        listener_open(&k->listener, io, (struct sockaddr *)&any, sizeof any, &listener_events), 0);
    assert_int_equal(io_file_address(&k->listener.file, &addr, &len), 0);
    assert_int_equal(io_file_socket(io, &k->dialer, AF_INET), 0);
    io_connect(&k->dialer, &k->connect, (struct sockaddr *)&addr, len, on_connect);
    UNTIL(io, k->connected <= 0 && k->accepted_fd >= 0);
    assert_int_equal(k->connected, 0);
    assert_int_equal(k->listener.accepted, 1);
    listener_close(&k->listener);
    listener_close(&k->listener);
    UNTIL(io, k->listener_closed == 1);
    stream_init_file(&k->a.stream, &k->dialer, OUT_MAX, &side_events);
    stream_init(&k->b.stream, io, k->accepted_fd, OUT_MAX, &side_events);
}

static void side_close(struct io *io, struct side *s)
{
    io_timer_stop(io, &s->resume);
    stream_close(&s->stream);
    UNTIL(io, s->closed > 0);
}

static void link_close(struct io *io, struct link *k)
{
    side_close(io, &k->a);
    side_close(io, &k->b);
    settle(io);
    assert_int_equal(k->a.closed, 1);
    assert_int_equal(k->b.closed, 1);
}

static void start(struct side *s, size_t to_send)
{
    s->to_send = to_send;
    stream_resume(&s->stream);
    fill(s);
}

/* ---- tests ---- */

static void large_transfers_go_both_ways(void **state)
{
    struct io *io = *state;
    struct link k;
    link_open(io, &k);
    start(&k.a, 2000000);
    start(&k.b, 1500000);
    UNTIL(io, k.b.got == 2000000 && k.a.got == 1500000);
    UNTIL(io, stream_pending(&k.a.stream) + stream_pending(&k.b.stream) == 0);
    assert_true(k.a.drains > 0);
    assert_int_equal(k.a.ends + k.a.errors + k.b.ends + k.b.errors, 0);
    link_close(io, &k);
}

static void pauses_lose_nothing(void **state)
{
    struct io *io = *state;
    struct link k;
    link_open(io, &k);
    k.a.pausing = k.b.pausing = true;
    start(&k.a, 600000);
    start(&k.b, 700000);
    UNTIL(io, k.b.got == 600000 && k.a.got == 700000);
    link_close(io, &k);
}

static void a_paused_stream_holds_its_peer_back(void **state)
{
    struct io *io = *state;
    struct link k;
    link_open(io, &k);
    start(&k.a, 64 << 20); /* more than any socket buffer takes; b does not read */
    settle(io);
    assert_int_equal(k.b.data_calls, 0);
    assert_true(stream_pending(&k.a.stream) > 0);
    assert_true(k.a.written < k.a.to_send);
    stream_resume(&k.b.stream);
    UNTIL(io, k.b.got > k.a.to_send / 8);
    link_close(io, &k);
}

/* The tally of two streams has what waits for both, and nothing of one that is closed. */
static void what_waits_is_counted_together(void **state)
{
    struct io *io = *state;
    struct stream_tally tally = {0};
    struct link k;
    link_open(io, &k);
    stream_count(&k.a.stream, &tally);
    stream_count(&k.b.stream, &tally);
    k.a.to_send = k.b.to_send = 64 << 20; /* nobody reads */
    fill(&k.a);
    fill(&k.b);
    settle(io);
    assert_true(stream_pending(&k.a.stream) > 0);
    assert_true(tally.bytes == stream_pending(&k.a.stream) + stream_pending(&k.b.stream));
    k.a.to_send = 0; /* no more than what is written */
    stream_resume(&k.b.stream);
    UNTIL(io, k.b.got == k.a.written);
    assert_true(tally.bytes == stream_pending(&k.b.stream));
    side_close(io, &k.b);
    assert_true(tally.bytes == 0);
    link_close(io, &k);
}

static void the_end_of_one_half_leaves_the_other(void **state)
{
    struct io *io = *state;
    struct link k;
    link_open(io, &k);
    k.a.shut_when_sent = true;
    start(&k.a, 50000);
    stream_resume(&k.b.stream);
    UNTIL(io, k.b.ends == 1);
    assert_int_equal(k.b.got, 50000);
    assert_int_equal(k.b.error, 0);
    start(&k.b, 400000); /* after the peer's end */
    UNTIL(io, k.a.got == 400000);
    assert_int_equal(k.b.ends + k.b.errors, 1);
    side_close(io, &k.b);
    UNTIL(io, k.a.ends == 1);
    link_close(io, &k);
}

static void a_peer_that_is_gone_breaks_the_stream(void **state)
{
    struct io *io = *state;
    struct link k;
    link_open(io, &k);
    stream_resume(&k.a.stream);
    side_close(io, &k.b);
    UNTIL(io, k.a.ends == 1);
    for (int i = 0; i < 100 && k.a.errors == 0; i++) {
        assert_int_equal(stream_write(&k.a.stream, slice_str("x")), 0);
        settle(io);
    }
    assert_int_equal(k.a.errors, 1);
    assert_true(k.a.error < 0);
    assert_int_equal(stream_write(&k.a.stream, slice_str("x")), 0); /* goes nowhere */
    settle(io);
    assert_int_equal(k.a.errors, 1);
    assert_int_equal(k.a.ends, 1);
    link_close(io, &k);
}

static void close_with_much_unsent_ends_once(void **state)
{
    struct io *io = *state;
    struct link k;
    link_open(io, &k);
    start(&k.a, 64 << 20);
    settle(io);
    assert_true(stream_pending(&k.a.stream) > 0);
    stream_close(&k.a.stream);
    stream_close(&k.a.stream);
    assert_int_equal(k.a.closed, 0);
    UNTIL(io, k.a.closed > 0);
    settle(io);
    assert_int_equal(k.a.closed, 1);
    assert_int_equal(k.a.ends + k.a.errors, 0); /* no other event after the close */
    link_close(io, &k);
}

static void a_close_before_the_flush_sends_nothing(void **state)
{
    struct io *io = *state;
    struct link k;
    link_open(io, &k);
    stream_resume(&k.b.stream);
    assert_int_equal(stream_write(&k.a.stream, slice_str("never")), 0);
    stream_close(&k.a.stream);
    UNTIL(io, k.a.closed == 1 && k.b.ends == 1);
    assert_int_equal(k.b.got, 0);
    link_close(io, &k);
}

static void writing_over_the_cap_is_refused(void **state)
{
    struct io *io = *state;
    struct link k;
    static const uint8_t bytes[OUT_MAX + 1];
    link_open(io, &k);
    assert_int_equal(stream_write(&k.a.stream, slice_of(bytes, OUT_MAX + 1)), SCOUT_E_LIMIT);
    assert_int_equal(stream_pending(&k.a.stream), 0);
    assert_int_equal(stream_write(&k.a.stream, slice_of(bytes, OUT_MAX)), 0);
    assert_int_equal(stream_write(&k.a.stream, slice_of(bytes, 1)), SCOUT_E_LIMIT);
    assert_int_equal(stream_pending(&k.a.stream), OUT_MAX);
    stream_push(&k.a.stream); /* the kernel has those now */
    assert_int_equal(stream_write(&k.a.stream, slice_of(bytes, OUT_MAX)), 0);
    assert_int_equal(stream_pending(&k.a.stream), 2 * OUT_MAX);
    link_close(io, &k);
}

/* ---- late ---- */

#define LONG (5 * NS_PER_S) /* what is told at once does not take so long */

static void on_long(struct io_timer *timer)
{
    (void)timer;
}

/* Runs passes until `cond` holds; fails when that took another event than those of the streams. */
#define UNTIL_AT_ONCE(io, cond)                                                                    \
    do {                                                                                           \
        struct io_timer long_;                                                                     \
        io_timer_init(&long_);                                                                     \
        io_timer_start(io, &long_, io_now(io) + LONG, on_long);                                    \
        while (!(cond) && io_timer_armed(&long_))                                                  \
            io_run_once(io, 2 * LONG);                                                             \
        assert_true(io_timer_armed(&long_));                                                       \
        io_timer_stop(io, &long_);                                                                 \
    } while (0)

static void late_open(struct io *io, struct link *k)
{
    link_open(io, k);
    stream_drain_late(&k->a.stream);
    stream_resume(&k->a.stream);
    stream_resume(&k->b.stream);
    settle(io);
}

static void write_one(struct side *s)
{
    s->to_send++;
    fill(s);
}

static void a_late_drain_comes_with_the_next_event(void **state)
{
    struct io *io = *state;
    struct link k;
    late_open(io, &k);
    for (unsigned i = 1; i <= 3; i++) {
        write_one(&k.a);
        UNTIL_AT_ONCE(io, k.b.got == i);
        write_one(&k.b);
        UNTIL_AT_ONCE(io, k.a.got == i && k.a.drains == i);
    }
    link_close(io, &k);
}

static void what_is_written_behind_a_late_send_goes_at_once(void **state)
{
    struct io *io = *state;
    struct link k;
    late_open(io, &k);
    write_one(&k.a);
    stream_push(&k.a.stream);
    write_one(&k.a);
    UNTIL_AT_ONCE(io, k.b.got == 2);
    link_close(io, &k);
}

static void a_paused_stream_drains_at_once(void **state)
{
    struct io *io = *state;
    struct link k;
    late_open(io, &k);
    write_one(&k.a);
    stream_push(&k.a.stream);
    stream_pause(&k.a.stream); /* when the send is armed */
    UNTIL_AT_ONCE(io, k.a.drains == 1 && k.b.got == 1);
    settle(io);
    write_one(&k.a); /* before it is */
    UNTIL_AT_ONCE(io, k.a.drains == 2 && k.b.got == 2);
    link_close(io, &k);
}

static void what_answers_a_half_close_drains_at_once(void **state)
{
    struct io *io = *state;
    struct link k;
    late_open(io, &k);
    io_shutdown_send(&k.b.stream.file);
    UNTIL_AT_ONCE(io, k.a.ends == 1);
    settle(io);
    write_one(&k.a);
    UNTIL_AT_ONCE(io, k.a.drains == 1 && k.b.got == 1);
    link_close(io, &k);
}

static void a_late_stream_closes_at_once(void **state)
{
    struct io *io = *state;
    struct link k;
    late_open(io, &k);
    write_one(&k.a);
    stream_push(&k.a.stream);
    stream_close(&k.a.stream);
    UNTIL_AT_ONCE(io, k.a.closed == 1 && k.b.ends == 1);
    link_close(io, &k);
}

struct pusher {
    struct io_task task;
    struct stream *stream;
};

static void on_push(struct io_task *task)
{
    stream_push_late(CONTAINER_OF(task, struct pusher, task)->stream);
}

static void what_is_pushed_late_goes_one_pass_behind_the_rest(void **state)
{
    struct io *io = *state;
    struct link k;
    struct pusher p = {.stream = &k.a.stream};
    const uint8_t bytes[] = {byte_at(0), byte_at(1), byte_at(2)};
    link_open(io, &k);
    stream_resume(&k.b.stream);
    settle(io);
    assert_int_equal(buf_append(stream_out(&k.a.stream), slice_of(bytes, 1)), 0);
    io_task_init(&p.task);
    io_defer(io, &p.task, on_push);
    io_run_once(io, 0);
    assert_false(k.a.stream.send.armed);
    io_run_once(io, 0);
    assert_true(k.a.stream.send.armed);
    UNTIL(io, k.b.got == 1 && stream_pending(&k.a.stream) == 0);

    /* What is written meanwhile takes it along, in order. */
    assert_int_equal(buf_append(stream_out(&k.a.stream), slice_of(bytes + 1, 1)), 0);
    stream_push_late(&k.a.stream);
    assert_int_equal(stream_write(&k.a.stream, slice_of(bytes + 2, 1)), 0);
    io_run_once(io, 0);
    assert_true(k.a.stream.send.armed);
    UNTIL(io, k.b.got == 3);
    link_close(io, &k);
}

static void a_last_send_takes_along_what_was_pushed_late(void **state)
{
    struct io *io = *state;
    struct link k;
    const uint8_t bytes[] = {byte_at(0), byte_at(1)};
    link_open(io, &k);
    stream_resume(&k.b.stream);
    settle(io);
    assert_int_equal(buf_append(stream_out(&k.a.stream), slice_of(bytes, 1)), 0);
    stream_push_late(&k.a.stream);
    stream_send_last(&k.a.stream, slice_of(bytes + 1, 1));
    stream_close(&k.a.stream);
    UNTIL(io, k.b.got == 2 && k.b.ends == 1);
    link_close(io, &k);
}

/* ---- with faults ---- */

static void run_seed(uint64_t seed, unsigned *whole, unsigned *broken)
{
    static const struct io_sim_faults faults = {.short_send = 300,
                                                .split_recv = 300,
                                                .reset = 5,
                                                .no_buffer = 100,
                                                .delay_min_ns = 1000,
                                                .delay_max_ns = 2 * NS_PER_MS};
    struct io *io;
    struct link k;
    assert_int_equal(io_sim_open(&io, seed, NULL), 0);
    link_open(io, &k);
    io_sim_set_faults(io, &faults);
    k.a.pausing = io_sim_random(io, 2) == 0;
    k.b.pausing = io_sim_random(io, 2) == 0;
    if (io_sim_random(io, 2) == 0)
        stream_drain_late(&k.a.stream);
    k.a.shut_when_sent = k.b.shut_when_sent = true;
    start(&k.a, 1 + io_sim_random(io, 300000));
    start(&k.b, 1 + io_sim_random(io, 300000));
    UNTIL(io, (k.a.ends || k.a.errors) && (k.b.ends || k.b.errors));
    if (k.a.errors + k.b.errors == 0) {
        assert_int_equal(k.a.got, k.b.to_send);
        assert_int_equal(k.b.got, k.a.to_send);
        ++*whole;
    } else {
        ++*broken;
    }
    link_close(io, &k);
    io_free(io);
}

static void every_seed_is_whole_or_broken(void **state)
{
    (void)state;
    unsigned whole = 0, broken = 0;
    for (uint64_t seed = 0; seed < 200; seed++)
        run_seed(seed, &whole, &broken);
    assert_in_range(whole, 20, 200);
    assert_in_range(broken, 20, 200);
}

#define ON_BOTH(name) ON_RING(name), ON_SIM(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(large_transfers_go_both_ways),
        ON_BOTH(pauses_lose_nothing),
        ON_BOTH(a_paused_stream_holds_its_peer_back),
        ON_BOTH(what_waits_is_counted_together),
        ON_BOTH(the_end_of_one_half_leaves_the_other),
        ON_BOTH(a_peer_that_is_gone_breaks_the_stream),
        ON_BOTH(close_with_much_unsent_ends_once),
        ON_BOTH(a_close_before_the_flush_sends_nothing),
        ON_BOTH(writing_over_the_cap_is_refused),
        ON_BOTH(a_late_drain_comes_with_the_next_event),
        ON_BOTH(what_is_written_behind_a_late_send_goes_at_once),
        ON_BOTH(a_paused_stream_drains_at_once),
        ON_BOTH(what_answers_a_half_close_drains_at_once),
        ON_BOTH(a_late_stream_closes_at_once),
        ON_BOTH(what_is_pushed_late_goes_one_pass_behind_the_rest),
        ON_RING(a_last_send_takes_along_what_was_pushed_late),
        cmocka_unit_test(every_seed_is_whole_or_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
