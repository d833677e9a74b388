/* The session against hosts that answer in unusual order, or not at all (odd_host.c). */
#include "session_rig.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#define TAKEN_MAX (1u << 20)
#define LONG      8192
#define STRIDE    16 /* a cipher's block */

static void begin(struct rig *r, void **state, const char *script)
{
    rig_init(r, state, "");
    rig_add_key(r, "ed25519");
    rig_start_odd(r, script);
    assert_true(rig_pump_ready(r));
    assert_false(r->engine->has_sftp);
}

/* The gate's purpose: libssh2 takes the answer to the later request for one to the earlier, which
 * waits first in line, and gives its channel up (its failure 671). */
static void test_answers_in_reverse(void **state)
{
    struct rig r;
    struct rig_run first, second;
    begin(&r, state, "reversed");
    rig_run_init(&first, &r);
    rig_run_init(&second, &r);
    for (int i = 0; i < 3; i++) {
        rig_run_start(&first, "first");
        rig_run_start(&second, "second");
        rig_run_wait(&second);
        rig_run_wait(&first);
        assert_int_equal(r.engine->stage, ENGINE_READY);
        assert_int_equal(first.result.error, 0);
        assert_int_equal(first.result.status, 1);
        assert_true(rig_run_is(&first, 0, "first"));
        assert_int_equal(second.result.error, 0);
        assert_int_equal(second.result.status, 2);
        assert_true(rig_run_is(&second, 0, "second"));
    }
    rig_run_fini(&first);
    rig_run_fini(&second);
    rig_fini(&r);
}

/* What the host says is fed until the session has sent as much as `len` bytes in one turn. */
static void pump_until_sent(struct rig *r, size_t len)
{
    int64_t deadline = rig_now_ms() + RIG_DEADLINE_MS;
    for (size_t sent = 0; sent < len;) {
        struct pollfd p = {r->peer.fd, POLLIN, 0};
        uint8_t bytes[4096];
        engine_step(r->engine);
        sent = buf_len(&r->engine->out);
        assert_int_equal(send(r->peer.fd, buf_peek(&r->engine->out).data, sent, MSG_NOSIGNAL),
                         sent);
        buf_consume(&r->engine->out, sent);
        if (sent >= len)
            return;
        assert_true(rig_now_ms() < deadline && poll(&p, 1, 1000) >= 0);
        ssize_t n = recv(r->peer.fd, bytes, sizeof bytes, 0);
        assert_true(n > 0 || errno == EAGAIN);
        if (n > 0)
            assert_int_equal(engine_feed(r->engine, slice_of(bytes, (size_t)n)), 0);
    }
}

/* All that the host says until it hangs up. */
static void take_all(struct rig *r, struct buf *all)
{
    int64_t deadline = rig_now_ms() + RIG_DEADLINE_MS;
    for (ssize_t n = -1; n != 0;) {
        struct pollfd p = {r->peer.fd, POLLIN, 0};
        assert_true(rig_now_ms() < deadline && poll(&p, 1, 1000) >= 0);
        uint8_t *at = buf_reserve(all, 4096);
        assert_non_null(at);
        n = recv(r->peer.fd, at, 4096, 0);
        assert_true(n >= 0 || errno == EAGAIN);
        buf_commit(all, n > 0 ? (size_t)n : 0);
    }
}

/* Starts a command of LONG bytes, so that its request is seen to go, and takes the answer. */
static void run_and_take(struct rig_run *run, struct rig *r, char *command, struct buf *all)
{
    buf_init(all, TAKEN_MAX);
    rig_run_init(run, r);
    memset(command, 'x', LONG);
    command[LONG] = '\0';
    rig_run_start(run, command);
    pump_until_sent(r, LONG);
    assert_false(run->started);
    take_all(r, all);
}

static void feed_to_the_end(struct rig *r, const struct buf *all)
{
    assert_int_equal(engine_feed(r->engine, buf_peek(all)), 0);
    engine_feed_end(r->engine, 0);
    while (engine_step(r->engine))
        ;
    assert_int_equal(r->engine->stage, ENGINE_ENDED);
}

/* What came before the end of the connection is delivered, also when all of it came in one pass:
 * the answer to the request, the output, the status and the end. */
static void test_end_in_the_same_pass(void **state)
{
    struct rig r;
    struct rig_run run;
    struct buf all;
    char command[LONG + 1];
    begin(&r, state, "last-words");
    run_and_take(&run, &r, command, &all);
    feed_to_the_end(&r, &all);
    assert_true(run.started);
    assert_true(rig_run_is(&run, 0, command));
    assert_int_equal(run.ends, 1);
    assert_int_equal(run.result.error, 0);
    assert_int_equal(run.result.status, 3);
    buf_fini(&all);
    rig_run_fini(&run);
    rig_fini(&r);
}

/* Somebody on the way changes one bit: libssh2 drops that packet and would take those behind it, so
 * that a line could be cut out of the output of a command that seems to end well. */
static void test_nothing_behind_a_bad_packet(void **state)
{
    static const char whole[] = "onetwothree";
    size_t len = STRIDE + 1;
    for (size_t at = 0; at < len; at += STRIDE) {
        struct rig r;
        struct rig_run run;
        struct buf all;
        char command[LONG + 1];
        begin(&r, state, "pieces");
        run_and_take(&run, &r, command, &all);
        len = buf_len(&all);
        all.data[all.start + at] ^= 1;
        feed_to_the_end(&r, &all);
        struct slice out = buf_peek(&run.out[0]);
        assert_true(out.len < sizeof whole && slice_equal(out, slice_of(whole, out.len)));
        assert_int_equal(run.ends, 1);
        assert_true(run.result.error == SCOUT_E_CONNECTION_LOST ||
                    (out.len == sizeof whole - 1 && run.result.status == 0));
        buf_fini(&all);
        rig_run_fini(&run);
        rig_fini(&r);
    }
}

/* A channel that is closed instead of an answer ends its command, output or not. */
static void test_closed_without_an_answer(void **state)
{
    struct rig r;
    struct rig_run run;
    begin(&r, state, "no-answer");
    rig_run_init(&run, &r);
    for (int i = 0; i < 3; i++) {
        rig_run(&run, "true");
        assert_int_equal(r.engine->stage, ENGINE_READY);
        assert_int_equal(run.result.error, SCOUT_E_EXEC_REFUSED);
        assert_false(run.started);
    }
    assert_int_equal(r.engine->channels, 1); /* the bare one */
    rig_run_fini(&run);
    rig_fini(&r);
}

/* Without SFTP, and with its channel closed behind some output: the channel is given back. */
static void test_refused_subsystem_with_output(void **state)
{
    struct rig r;
    struct rig_run run;
    int64_t deadline = rig_now_ms() + RIG_DEADLINE_MS;
    begin(&r, state, "no-subsystem");
    while (r.engine->channels > 0) {
        assert_true(rig_now_ms() < deadline);
        rig_pump(&r, 100);
    }
    rig_run_init(&run, &r);
    rig_run(&run, "echo");
    assert_int_equal(run.result.error, 0);
    assert_true(rig_run_is(&run, 0, "echo"));
    rig_run_fini(&run);
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_in_reverse),
        cmocka_unit_test(test_end_in_the_same_pass),
        cmocka_unit_test(test_nothing_behind_a_bad_packet),
        cmocka_unit_test(test_closed_without_an_answer),
        cmocka_unit_test(test_refused_subsystem_with_output),
    };
    return cmocka_run_group_tests_name("session_odd", tests, place_setup, place_teardown);
}
