/* However writing a file ends, nothing is left but what can be gone on with. */
#include "put_rig.h"

#include <stdlib.h>
#include <sys/stat.h>

/* ---- however it ends ---- */

/* A lost connection at any time: a whole new file, or none; never begun twice. */
static void a_lost_connection_leaves_nothing_behind(void **state)
{
    (void)state;
    for (unsigned before = 0; before < 2; before++) {
        for (unsigned round = 1; round <= 6; round++) {
            struct rig *r;
            setup((void **)&r);
            if (before)
                world_put(&r->w, "f", "before", 6);
            r->w.pool.lose_at = round;
            r->w.pool.lose_count = 1;
            r->w.pool.rounds = 0;
            put(r, world_path(&r->w, "f"), "after", (struct file_put_request){0});
            if (round == 1 || round > 4 + before) {
                assert_int_equal(r->result.failure.error, 0); /* once again; or it was over */
                expect_text(r, "f", "after");
            } else {
                expect_error(r, SCOUT_E_CONNECTION_LOST, "lost by the test");
                assert_false(r->result.left_behind || r->result.may_have_replaced);
                if (before)
                    expect_text(r, "f", "before");
            }
            assert_int_equal(file_count(r), before || !r->result.failure.error);
            teardown((void **)&r);
        }
    }
}

static void nothing_yet(void *context)
{
    struct rig *r = context;
    (void)file_put_room(r->put); /* there would be room, but the source is slow */
}

/* A source that has nothing at the moment: nothing is in flight that would tell of the end. */
static void a_connection_lost_while_the_source_is_slow_is_told(void **state)
{
    struct rig *r = *state;
    const struct file_put_events slow = {
        .permit = permit, .on_room = nothing_yet, .on_end = on_end};
    put_begin(r, world_path(&r->w, "f"), (struct file_put_request){.idle_ns = 60 * 1000000000ULL},
              &slow);
    for (unsigned i = 0; i < 4; i++)
        world_step(&r->w);
    assert_int_equal(file_count(r), 1);
    world_lose(&r->w);
    assert_int_equal(file_put_room(r->put), 0); /* what the source finds, when it has something */
    io_run_once(r->w.fleet.io, 1000000000);     /* a moment later */
    put_end(r);
    expect_error(r, SCOUT_E_CONNECTION_LOST, "lost by the test");
    assert_int_equal(file_count(r), 0);
}

/* Others' requests fill the output and are not taken: that is the host's silence, too. */
static void an_output_that_stays_full_ends_in_the_idle_limit(void **state)
{
    struct rig *r = *state;
    const struct file_put_events slow = {
        .permit = permit, .on_room = nothing_yet, .on_end = on_end};
    put_begin(r, world_path(&r->w, "f"), (struct file_put_request){.idle_ns = 60 * 1000000000ULL},
              &slow);
    for (unsigned i = 0; i < 4; i++)
        world_step(&r->w);
    struct buf *out = sftp_output(pool_sftp(&r->put->visit.use));
    size_t len = buf_room(out);
    uint8_t *bytes = pattern(len);
    assert_int_equal(buf_append(out, slice_of(bytes, len)), 0);
    r->w.pool.silent = true;
    assert_int_equal(file_put_room(r->put), 0);
    for (unsigned i = 0; i < 20000 && !r->w.pool.suspects; i++)
        world_step(&r->w);
    assert_int_equal(r->w.pool.suspects, 1);
    r->w.pool.silent = false; /* the new connection lives */
    put_end(r);
    expect_error(r, SCOUT_E_DEADLINE, "answered nothing for 60 s");
    assert_int_equal(file_count(r), 0);
    free(bytes);
}

/* It has nothing more, and says so before anybody has seen that the connection is gone. */
static void a_connection_lost_before_the_source_ends_is_told(void **state)
{
    struct rig *r = *state;
    const struct file_put_events slow = {
        .permit = permit, .on_room = nothing_yet, .on_end = on_end};
    put_begin(r, world_path(&r->w, "f"), (struct file_put_request){0}, &slow);
    for (unsigned i = 0; i < 4; i++)
        world_step(&r->w);
    world_lose(&r->w);
    file_put_end(r->put);
    put_end(r);
    expect_error(r, SCOUT_E_CONNECTION_LOST, "lost by the test");
    assert_int_equal(file_count(r), 0);
}

static void a_host_that_does_not_come_back_is_told_of(void **state)
{
    struct rig *r = *state;
    kept = 0;
    r->w.pool.rounds = 0;
    r->w.pool.lose_at = 3;
    r->w.pool.lose_count = 1;
    put_begin(r, world_path(&r->w, "f"),
              (struct file_put_request){.has_contents = true, .contents = slice_str("x")},
              &at_once);
    world_step(&r->w);
    world_step(&r->w);
    r->w.pool.refuse = true;
    put_end(r);
    expect_error(r, SCOUT_E_CONNECTION_LOST, "may be left there");
    assert_true(r->result.left_behind);
    assert_false(r->result.may_have_replaced);
    assert_int_equal(file_count(r), 1); /* it says the truth */
    assert_int_equal(kept, 1);          /* it is removed later */
}

static void a_stop_at_any_time_leaves_nothing_behind(void **state)
{
    (void)state;
    for (unsigned steps = 0; steps <= 3; steps++) {
        struct rig *r;
        setup((void **)&r);
        r->len = 10 * 1024 * 1024;
        uint8_t *bytes = pattern(r->len);
        r->bytes = bytes;
        put_begin(r, world_path(&r->w, "f"), (struct file_put_request){0}, &at_once);
        for (unsigned i = 0; i < steps; i++)
            world_step(&r->w);
        file_put_stop(r->put);
        file_put_stop(r->put); /* once is enough */
        put_end(r);
        expect_error(r, SCOUT_E_CANCELLED, "Cancelled");
        assert_int_equal(file_count(r), 0);
        teardown((void **)&r);
        free(bytes);
    }
}

static void a_source_that_breaks_leaves_nothing_behind(void **state)
{
    struct rig *r = *state;
    r->len = 10 * 1024 * 1024;
    uint8_t *bytes = pattern(r->len);
    r->bytes = bytes;
    r->break_source = true;
    put_begin(r, world_path(&r->w, "f"), (struct file_put_request){0}, &at_once);
    put_end(r);
    expect_error(r, SCOUT_E_CHANGED, "the source changed");
    assert_int_equal(file_count(r), 0);
    free(bytes);
}

/* With an idle limit there is no deadline, and a silent host ends it all the same. */
static void a_silent_host_ends_in_the_idle_limit(void **state)
{
    struct rig *r = *state;
    r->len = 10 * 1024 * 1024;
    uint8_t *bytes = pattern(r->len);
    r->bytes = bytes;
    put_begin(r, world_path(&r->w, "f"), (struct file_put_request){.idle_ns = 60 * 1000000000ULL},
              &at_once);
    for (unsigned i = 0; i < 3; i++)
        world_step(&r->w);
    uint64_t begun = io_now(r->w.fleet.io);
    r->w.pool.silent = true;
    while (!r->w.pool.suspects)
        world_step(&r->w);
    assert_true(io_now(r->w.fleet.io) >= begun + 59 * 1000000000ULL);
    r->w.pool.silent = false; /* the new connection lives */
    put_end(r);
    expect_error(r, SCOUT_E_DEADLINE, "answered nothing for 60 s");
    assert_int_equal(r->w.pool.suspects, 1);
    assert_int_equal(file_count(r), 0);
    free(bytes);
}

/* ---- going on ---- */

#define KEEP ".scout-0123456789abcdef.part"

/* Loses the connection when about half of the contents were sent. */
static void cut_off(struct rig *r, const char *path)
{
    r->given = 0;
    put_begin(r, path, (struct file_put_request){.keep_as = KEEP, .size = r->len}, &at_once);
    while (r->given < r->len * 3 / 4)
        world_step(&r->w);
    r->w.pool.rounds = 0;
    r->w.pool.lose_at = 1;
    r->w.pool.lose_count = 1;
    put_end(r);
}

/* As a source does it: from where the contents are wanted. */
static void on_room_from_offset(void *context)
{
    struct rig *r = context;
    if (r->given == 0)
        r->given = r->begun = file_put_offset(r->put);
    on_room(context);
}

static const struct file_put_events resuming = {
    .permit = permit, .on_room = on_room_from_offset, .on_end = on_end};

static void what_arrived_is_gone_on_with(void **state)
{
    struct rig *r = *state;
    r->len = 40 * 1024 * 1024 + 3;
    uint8_t *bytes = pattern(r->len);
    r->bytes = bytes;
    kept = 0;
    cut_off(r, world_path(&r->w, "f"));
    expect_error(r, SCOUT_E_CONNECTION_LOST, "are kept");
    assert_true(r->result.kept);
    assert_int_equal(kept, 1);
    assert_int_equal(file_count(r), 1);
    assert_int_equal(access(world_path(&r->w, "f"), F_OK), -1);
    assert_int_equal(access(world_path(&r->w, KEEP), F_OK), 0);
    r->given = 0;
    put_begin(r, world_path(&r->w, "f"), (struct file_put_request){.keep_as = KEEP, .size = r->len},
              &resuming);
    put_end(r);
    assert_int_equal(r->result.failure.error, 0);
    assert_true(r->begun > 0);
    assert_true(r->result.resumed > r->begun);
    expect_file(r, "f", bytes, r->len);
    assert_int_equal(file_count(r), 1);
    free(bytes);
}

static void what_is_kept_of_something_else_is_not_gone_on_with(void **state)
{
    struct rig *r = *state;
    r->len = 40 * 1024 * 1024;
    uint8_t *bytes = pattern(r->len);
    r->bytes = bytes;
    cut_off(r, world_path(&r->w, "f"));
    assert_true(r->result.kept);
    memset(bytes, 1, r->len);
    r->given = 0;
    put_begin(r, world_path(&r->w, "f"), (struct file_put_request){.keep_as = KEEP, .size = r->len},
              &resuming);
    put_end(r);
    expect_error(r, SCOUT_E_CHANGED, "is not the begin of this file");
    assert_int_equal(file_count(r), 0);
    free(bytes);
}

/* Under a name that somebody else may have made: neither a link, nor of another owner, nor small.
 */
static void only_ones_own_files_are_gone_on_with(void **state)
{
    struct rig *r = *state;
    r->len = 20 * 1024 * 1024;
    uint8_t *bytes = pattern(r->len);
    r->bytes = bytes;
    for (unsigned i = 0; i < 3; i++) {
        r->given = r->begun = 0;
        if (i == 0) {
            world_put(&r->w, "victim", bytes, 12 * 1024 * 1024);
            assert_int_equal(symlink("victim", world_path(&r->w, KEEP)), 0);
        } else {
            world_put(&r->w, KEEP, bytes, i == 1 ? 1000 : 12 * 1024 * 1024);
        }
        if (i == 2 && (getuid() != 0 || chown(world_path(&r->w, KEEP), 12345, 0) != 0))
            break;
        put_begin(r, world_path(&r->w, "f"),
                  (struct file_put_request){.keep_as = KEEP, .size = r->len}, &resuming);
        put_end(r);
        assert_int_equal(r->result.failure.error, 0);
        assert_int_equal(r->result.resumed, 0);
        expect_file(r, "f", bytes, r->len);
        struct stat st;
        assert_int_equal(lstat(world_path(&r->w, "f"), &st), 0);
        assert_int_equal(st.st_uid, getuid());
        assert_int_equal(unlink(world_path(&r->w, KEEP)), 0);
        unlink(world_path(&r->w, "f"));
    }
    expect_file(r, "victim", bytes, 12 * 1024 * 1024);
    free(bytes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_connection_leaves_nothing_behind),
        TEST(a_connection_lost_while_the_source_is_slow_is_told),
        TEST(an_output_that_stays_full_ends_in_the_idle_limit),
        TEST(a_connection_lost_before_the_source_ends_is_told),
        TEST(a_host_that_does_not_come_back_is_told_of),
        cmocka_unit_test(a_stop_at_any_time_leaves_nothing_behind),
        TEST(a_source_that_breaks_leaves_nothing_behind),
        TEST(a_silent_host_ends_in_the_idle_limit),
        TEST(what_arrived_is_gone_on_with),
        TEST(what_is_kept_of_something_else_is_not_gone_on_with),
        TEST(only_ones_own_files_are_gone_on_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
