/* Dialing: what comes out of it, in which words, once. */
#include "loops.h"

#include "scout/net/dial.h"

struct call {
    struct dial dial;
    unsigned done, closed;
    struct failure failure;
};

struct answering {
    struct io_file file;
    struct io_op accept;
    uint16_t port;
    unsigned accepted, closed;
    struct dial *cancel; /* is cancelled when a connection comes */
};

static void on_accept(struct io_op *op, struct io_event event)
{
    struct answering *a = CONTAINER_OF(op, struct answering, accept);
    if (event.res >= 0) {
        a->accepted++;
        if (a->cancel)
            dial_cancel(a->cancel);
        io_discard(a->file.io, event.res);
    }
}

static void answering_open(struct io *io, struct answering *a)
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

static void answering_close(struct answering *a)
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

static void call_start(struct call *c, struct io *io, const char *host, uint16_t port,
                       uint64_t after_ms)
{
    *c = (struct call){0};
    io_run_once(io, 0);
    dial_start(&c->dial, io, host, port, io_now(io) + after_ms * NS_PER_MS, on_done);
    assert_int_equal(c->done, 0);
}

static void on_call_closed(struct io_file *f)
{
    CONTAINER_OF(CONTAINER_OF(f, struct dial, file), struct call, dial)->closed++;
}

static void hang_up(struct call *c)
{
    io_close(&c->dial.file, on_call_closed);
    UNTIL(c->dial.io, c->closed == 1);
}

static void a_literal_address_is_connected(void **state)
{
    struct io *io = *state;
    struct answering a;
    struct call c;
    answering_open(io, &a);
    call_start(&c, io, "127.0.0.1", a.port, 5000);
    UNTIL(io, c.done > 0 && a.accepted > 0);
    assert_int_equal(c.failure.error, 0);
    assert_true(c.dial.file.fd >= 0);
    dial_cancel(&c.dial); /* too late */
    settle(io);
    assert_int_equal(c.done, 1);
    hang_up(&c);
    answering_close(&a);
}

static void refused_is_told_in_words(void **state)
{
    struct io *io = *state;
    struct answering a;
    struct call c;
    char expected[128];
    answering_open(io, &a);
    answering_close(&a);
    call_start(&c, io, "127.0.0.1", a.port, 5000);
    UNTIL(io, c.done > 0);
    assert_int_equal(c.failure.error, SCOUT_E_CONNECT);
    assert_string_equal(c.failure.stage, "connecting");
    snprintf(expected, sizeof expected, "Cannot connect to 127.0.0.1 port %u: Connection refused",
             a.port);
    assert_string_equal(c.failure.text, expected);
    settle(io);
    assert_int_equal(c.done, 1);
}

static void cancel_ends_it_once(void **state)
{
    struct io *io = *state;
    struct answering a;
    struct call c;
    answering_open(io, &a);
    for (int passes = 0; passes < 4; passes++) { /* wherever it is on its way */
        call_start(&c, io, "127.0.0.1", a.port, 5000);
        for (int i = 0; i < passes; i++)
            io_run_once(io, 0);
        unsigned before = c.done;
        dial_cancel(&c.dial);
        dial_cancel(&c.dial);
        assert_int_equal(c.done, before);
        UNTIL(io, c.done > 0);
        settle(io);
        assert_int_equal(c.done, 1);
        if (c.failure.error == 0)
            hang_up(&c);
        else
            assert_int_equal(c.failure.error, SCOUT_E_CANCELLED);
        if (passes == 0)
            assert_int_equal(c.failure.error, SCOUT_E_CANCELLED);
    }
    answering_close(&a);
}

static void a_cancel_after_the_connect_comes_too_late(void **state)
{
    struct io *io = *state;
    struct answering a;
    struct call c;
    answering_open(io, &a);
    call_start(&c, io, "127.0.0.1", a.port, 5000);
    a.cancel = &c.dial; /* in the pass in which it connected, before on_done */
    UNTIL(io, c.done > 0 && a.accepted > 0);
    settle(io);
    assert_int_equal(c.done, 1);
    assert_int_equal(c.failure.error, 0);
    hang_up(&c);
    answering_close(&a);
}

static void a_name_too_long_is_refused(void **state)
{
    struct io *io = *state;
    struct call c;
    char name[DIAL_HOST_MAX + 2];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = 0;
    call_start(&c, io, name, 22, 5000);
    UNTIL(io, c.done > 0);
    assert_int_equal(c.failure.error, SCOUT_E_RESOLVE);
    assert_string_equal(c.failure.stage, "resolving");
}

/* A network in which nothing arrives within a minute. */
static void no_answer_meets_the_deadline(void **state)
{
    struct io *io = *state;
    struct answering a;
    struct call c;
    static const struct io_sim_faults slow = {.delay_min_ns = 60 * NS_PER_S,
                                              .delay_max_ns = 60 * NS_PER_S};
    answering_open(io, &a);
    io_sim_set_faults(io, &slow);
    call_start(&c, io, "127.0.0.1", a.port, 1500);
    uint64_t start = io_now(io);
    UNTIL(io, c.done > 0);
    assert_int_equal(io_now(io), start + 1500 * NS_PER_MS);
    assert_int_equal(c.failure.error, SCOUT_E_DEADLINE);
    assert_string_equal(c.failure.stage, "connecting");
    assert_non_null(strstr(c.failure.text, "did not answer in time"));
    settle(io);
    assert_int_equal(c.done, 1);
    answering_close(&a);
}

static void a_cancel_while_nobody_answers_ends_at_once(void **state)
{
    struct io *io = *state;
    struct answering a;
    struct call c;
    static const struct io_sim_faults slow = {.delay_min_ns = 60 * NS_PER_S};
    answering_open(io, &a);
    io_sim_set_faults(io, &slow);
    call_start(&c, io, "127.0.0.1", a.port, 30000);
    settle(io);
    assert_int_equal(c.done, 0);
    uint64_t start = io_now(io);
    dial_cancel(&c.dial);
    UNTIL(io, c.done > 0);
    assert_int_equal(io_now(io), start);
    assert_int_equal(c.failure.error, SCOUT_E_CANCELLED);
    answering_close(&a);
}

/* The rest asks the machine's resolver, which knows localhost without a network. */
static void a_name_is_resolved_by_a_helper_thread(void **state)
{
    struct io *io = *state;
    struct answering a;
    struct call c;
    answering_open(io, &a);
    call_start(&c, io, "localhost", a.port, 10000);
    UNTIL(io, c.done > 0);
    if (c.failure.error)
        fail_msg("%s", c.failure.text);
    UNTIL(io, a.accepted == 1);
    hang_up(&c);
    answering_close(&a);
}

static void a_cancel_while_resolving_ends_it_once(void **state)
{
    struct io *io = *state;
    struct call c;
    call_start(&c, io, "localhost", 1, 10000);
    dial_cancel(&c.dial);
    assert_int_equal(c.done, 0);
    UNTIL(io, c.done > 0);
    assert_int_equal(c.failure.error, SCOUT_E_CANCELLED);
    assert_string_equal(c.failure.stage, "resolving");
    settle(io);
    assert_int_equal(c.done, 1);
    /* The helper thread ends on its own; its answer belongs to nobody, and a second dial works. */
    call_start(&c, io, "localhost", 1, 10000);
    UNTIL(io, c.done > 0);
    settle(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_RING(a_literal_address_is_connected),
        ON_SIM(a_literal_address_is_connected),
        ON_RING(refused_is_told_in_words),
        ON_SIM(refused_is_told_in_words),
        ON_RING(cancel_ends_it_once),
        ON_SIM(cancel_ends_it_once),
        ON_SIM(a_cancel_after_the_connect_comes_too_late),
        ON_RING(a_name_too_long_is_refused),
        ON_SIM(a_name_too_long_is_refused),
        ON_SIM(no_answer_meets_the_deadline),
        ON_SIM(a_cancel_while_nobody_answers_ends_at_once),
        ON_RING(a_name_is_resolved_by_a_helper_thread),
        ON_RING(a_cancel_while_resolving_ends_it_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
