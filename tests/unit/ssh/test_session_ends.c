/* How a session ends: freed at every step, left by its peer at every step, fed garbage; and the
 * opposite: fed byte by byte, it works. */
#include "session_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PIECE      24 /* bytes fed for each step: a login and a command take some hundred steps */
#define STRIDE     2
#define STRIDE_END 3

struct look {
    struct sftp_request request;
    uint32_t answers;
    int error;
};

static void on_stat(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct look *l = CONTAINER_OF(request, struct look, request);
    l->answers++;
    l->error = reply->error;
}

struct story {
    struct rig r;
    struct rig_run done, running;
    struct look look;
    bool asked;
    bool over;
};

/* A login, a command that ends, one that goes on, a look at a path: as far as the steps reach. */
static void play(struct story *y, void **state, uint64_t steps_max)
{
    struct rig *r = &y->r;
    *y = (struct story){.over = false};
    rig_init(r, state, "");
    rig_add_key(r, "other");
    rig_add_key(r, "ed25519");
    r->chunk = PIECE;
    r->steps_max = steps_max;
    rig_run_init(&y->done, r);
    rig_run_init(&y->running, r);
    rig_start(r);
    if (!rig_pump_ready(r))
        return;
    rig_run_start(&y->running, "cat");
    rig_run_start(&y->done, "echo out; echo err >&2");
    assert_int_equal(exec_write(y->running.exec, slice_str("input")), 0);
    while (y->done.ends == 0 || !y->running.received) {
        if (r->steps >= r->steps_max)
            return;
        rig_pump(r, 1000);
    }
    assert_int_equal(sftp_stat(r->engine->sftp, &y->look.request, "/", on_stat), 0);
    y->asked = true;
    while (r->steps < r->steps_max && y->look.answers == 0)
        rig_pump(r, 1000);
    y->over = y->look.answers > 0;
}

static void end(struct story *y)
{
    rig_fini(&y->r);
    if (y->asked)
        assert_int_equal(y->look.answers, 1); /* answered before it was freed */
    if (y->running.exec || y->running.ends)
        assert_int_equal(y->running.ends, 1);
    rig_run_fini(&y->done);
    rig_run_fini(&y->running);
}

static void test_freed_at_every_step(void **state)
{
    struct story y;
    uint64_t k = 1;
    for (y.over = false; !y.over; k += STRIDE) {
        play(&y, state, k);
        end(&y);
    }
    assert_true(k > 20); /* there was something to go through */
}

static void test_peer_leaves_at_every_step(void **state)
{
    struct story y;
    uint64_t k = 1;
    bool broken = false;
    for (y.over = false; !y.over; k += STRIDE_END, broken = !broken) {
        play(&y, state, k);
        engine_feed_end(y.r.engine, broken ? -ECONNRESET : 0);
        for (int i = 0; i < 64 && y.r.engine->stage != ENGINE_ENDED; i++)
            engine_step(y.r.engine);
        assert_int_equal(y.r.engine->stage, ENGINE_ENDED);
        rig_assert_failure(&y.r, SCOUT_E_CONNECTION_LOST,
                           broken ? "web broke the connection during"
                                  : "web closed the connection during");
        assert_non_null(y.r.engine->failure.stage);
        end(&y);
    }
    assert_true(k > 20);
}

static void test_byte_by_byte(void **state)
{
    struct rig r;
    struct rig_run run;
    struct look look = {.answers = 0};
    rig_init(&r, state, "RekeyLimit 1M");
    rig_add_key(&r, "other");
    rig_add_key(&r, "ed25519");
    r.chunk = 1;
    rig_start(&r);
    assert_true(rig_pump_ready(&r));
    rig_run_init(&run, &r);
    rig_run(&run, "seq 1000; echo err >&2; exit 3");
    assert_int_equal(run.result.error, 0);
    assert_int_equal(run.result.status, 3);
    assert_int_equal(buf_len(&run.out[0]), 3893);
    assert_true(rig_run_is(&run, 1, "err\n"));
    assert_int_equal(sftp_stat(r.engine->sftp, &look.request, "/", on_stat), 0);
    while (look.answers == 0)
        rig_pump(&r, 1000);
    assert_int_equal(look.error, 0);
    rig_run_fini(&run);
    rig_fini(&r);
}

/* ---- garbage ---- */

static uint32_t seed_next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void feed_until_ended(struct rig *r, struct slice data, size_t piece)
{
    while (data.len > 0 && r->engine->stage != ENGINE_ENDED) {
        size_t n = data.len < piece ? data.len : piece;
        assert_int_equal(engine_feed(r->engine, slice_of(data.data, n)), 0);
        data = slice_skip(data, n);
        while (engine_step(r->engine))
            ;
        buf_clear(&r->engine->out);
    }
}

static void test_garbage_instead_of_a_banner(void **state)
{
    static uint8_t bytes[SSH_HANDSHAKE_BYTES_MAX + 4096];
    for (uint32_t round = 0; round < 8; round++) {
        struct rig r;
        uint32_t seed = round;
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = round == 0 ? 'x' : round == 1 ? '\n' : (uint8_t)seed_next(&seed);
        rig_init(&r, state, "");
        rig_start_alone(&r);
        feed_until_ended(&r, slice_of(bytes, sizeof bytes), 1000);
        assert_int_equal(r.engine->stage, ENGINE_ENDED);
        rig_assert_failure(&r, SCOUT_E_SSH_PROTOCOL, "web");
        rig_fini(&r);
    }
}

static void test_garbage_after_the_banner(void **state)
{
    static uint8_t bytes[4096];
    for (uint32_t round = 0; round < 40; round++) {
        struct rig r;
        uint32_t seed = round;
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)seed_next(&seed);
        if (round % 4 == 0) /* at least a length that can be */
            memcpy(bytes, "\0\0\2\0\4\24", 6);
        rig_init(&r, state, "");
        rig_start_alone(&r);
        feed_until_ended(&r, slice_str("SSH-2.0-Garbage_1.0\r\n"), 1000);
        feed_until_ended(&r, slice_of(bytes, sizeof bytes), 1 + round * 13);
        engine_feed_end(r.engine, 0);
        engine_step(r.engine);
        assert_int_equal(r.engine->stage, ENGINE_ENDED);
        assert_true(strlen(r.engine->failure.text) > 20);
        rig_fini(&r);
    }
}

/* A byte changed on the way: the session ends, what runs is told. */
static void test_garbage_in_the_session(void **state)
{
    struct story y;
    play(&y, state, 1000000);
    assert_true(y.over);
    static const uint8_t bytes[512];
    feed_until_ended(&y.r, slice_of(bytes, sizeof bytes), 512);
    assert_int_equal(y.r.engine->stage, ENGINE_ENDED);
    rig_assert_failure(&y.r, SCOUT_E_SSH_PROTOCOL, "web broke the SSH protocol during running");
    assert_int_equal(y.running.ends, 1);
    assert_int_equal(y.running.result.error, SCOUT_E_CONNECTION_LOST);
    static const struct exec_events none = {0};
    struct exec *x;
    assert_int_equal(engine_exec(y.r.engine, "true", &none, NULL, &x), SCOUT_E_CONNECTION_LOST);
    end(&y);
}

static void test_input_is_limited(void **state)
{
    static uint8_t bytes[ENGINE_IN_HIGH];
    struct rig r;
    rig_init(&r, state, "");
    rig_start_alone(&r);
    assert_true(engine_wants_input(r.engine));
    for (size_t fed = 0; fed < ENGINE_IN_MAX; fed += sizeof bytes)
        assert_int_equal(engine_feed(r.engine, slice_of(bytes, sizeof bytes)), 0);
    assert_false(engine_wants_input(r.engine));
    assert_int_equal(engine_feed(r.engine, slice_of(bytes, sizeof bytes)), SCOUT_E_LIMIT);
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_freed_at_every_step),
        cmocka_unit_test(test_peer_leaves_at_every_step),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_garbage_instead_of_a_banner),
        cmocka_unit_test(test_garbage_after_the_banner),
        cmocka_unit_test(test_garbage_in_the_session),
        cmocka_unit_test(test_input_is_limited),
    };
    return cmocka_run_group_tests_name("session_ends", tests, place_setup, place_teardown);
}
