/* Removing a file of a host, with OpenSSH's own SFTP server behind it: only what is as it was. */
#include "world.h"

#include "scout/fleet/file_remove.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEPS_MAX 1000

struct rig {
    struct world w;
    struct file_remove *remove;
    struct file_put_result result;
    bool forbid;
    unsigned permits, settled;
    char etag[ETAG_SIZE];
};

static int permit(void *context, const struct file_put_target *target, struct failure *why)
{
    struct rig *r = context;
    r->permits++;
    assert_true(target->exists && slice_is(target->real_path, world_path(&r->w, "f")));
    assert_string_equal(target->etag, r->etag);
    return r->forbid ? failure_set(why, SCOUT_E_POLICY, "forbidden by the test") : 0;
}

static void on_settled(void *context, const struct file_put_target *target)
{
    struct rig *r = context;
    (void)target;
    r->settled++;
}

static void on_end(void *context, const struct file_put_result *result)
{
    struct rig *r = context;
    assert_false(r->w.done);
    r->w.done = true;
    r->remove = NULL;
    r->result = *result;
}

static const struct file_put_events at_once = {.permit = permit, .on_end = on_end};
static const struct file_put_events waiting = {
    .permit = permit, .on_settled = on_settled, .on_end = on_end};

static void begin(struct rig *r, const struct file_put_events *events)
{
    const struct file_put_request request = {
        .host = &r->w.host,
        .path = world_path(&r->w, "f"),
        .principal = "",
        .deadline_ns = io_now(r->w.fleet.io) + WORLD_TIMEOUT_S * 1000000000ULL,
        .etag = r->etag,
    };
    r->w.done = false;
    r->remove = file_remove_start(&r->w.fleet, &request, events, r);
    assert_non_null(r->remove);
    assert_false(r->w.done);
}

static void end(struct rig *r)
{
    for (unsigned i = 0; i < STEPS_MAX && !r->w.done; i++)
        world_step(&r->w);
    assert_true(r->w.done);
    world_settle(&r->w);
}

static bool is_there(const struct rig *r)
{
    return access(world_path(&r->w, "f"), F_OK) == 0;
}

static void expect_error(const struct rig *r, int error, const char *fragment)
{
    assert_int_equal(r->result.failure.error, error);
    if (!strstr(r->result.failure.text, fragment))
        fail_msg("'%s' is not in: %s", fragment, r->result.failure.text);
    assert_true(is_there(r));
}

static void put_text(struct rig *r, const char *text)
{
    struct stat st;
    world_put(&r->w, "f", text, strlen(text));
    assert_int_equal(stat(world_path(&r->w, "f"), &st), 0);
    snprintf(r->etag, sizeof r->etag, "\"%llx-%zx\"", (unsigned long long)st.st_mtime,
             strlen(text));
}

static int setup(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    world_start(&r->w);
    put_text(r, "text");
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;
    world_stop(&r->w);
    free(r);
    return 0;
}

static void it_is_removed_in_three_round_trips(void **state)
{
    struct rig *r = *state;
    r->w.pool.rounds = 0;
    begin(r, &at_once);
    end(r);
    assert_int_equal(r->result.failure.error, 0);
    assert_int_equal(r->w.pool.rounds, 3);
    assert_int_equal(r->permits, 1);
    assert_false(is_there(r));
    assert_false(r->result.may_have_replaced);
}

static void what_is_forbidden_stays(void **state)
{
    struct rig *r = *state;
    r->forbid = true;
    begin(r, &at_once);
    end(r);
    expect_error(r, SCOUT_E_POLICY, "forbidden by the test");
}

static void what_has_changed_stays(void **state)
{
    struct rig *r = *state;
    begin(r, &waiting);
    for (unsigned i = 0; i < STEPS_MAX && !r->settled; i++)
        world_step(&r->w);
    world_put(&r->w, "f", "longer text", 11); /* since it was settled */
    file_remove_go(r->remove);
    end(r);
    expect_error(r, SCOUT_E_CHANGED, "has changed meanwhile");
    begin(r, &at_once);
    end(r);
    expect_error(r, SCOUT_E_CHANGED, "has changed meanwhile");
}

static void what_is_no_file_stays(void **state)
{
    struct rig *r = *state;
    assert_int_equal(unlink(world_path(&r->w, "f")), 0);
    assert_int_equal(symlink(".", world_path(&r->w, "f")), 0);
    begin(r, &at_once);
    end(r);
    expect_error(r, SCOUT_E_NOT_A_FILE, "is no regular file any more");
}

static void what_is_gone_is_told(void **state)
{
    struct rig *r = *state;
    assert_int_equal(unlink(world_path(&r->w, "f")), 0);
    begin(r, &at_once);
    end(r);
    assert_int_equal(r->result.failure.error, SCOUT_E_CHANGED);
    assert_non_null(strstr(r->result.failure.text, "is not there any more"));
}

static void a_stop_leaves_it(void **state)
{
    struct rig *r = *state;
    begin(r, &waiting);
    for (unsigned i = 0; i < STEPS_MAX && !r->settled; i++)
        world_step(&r->w);
    file_remove_stop(r->remove);
    end(r);
    expect_error(r, SCOUT_E_CANCELLED, "Cancelled");
}

/* Before it was settled once again; afterwards never, and whether it is gone is not claimed. */
static void a_lost_connection_is_told(void **state)
{
    (void)state;
    for (unsigned round = 1; round <= 3; round++) {
        struct rig *r;
        setup((void **)&r);
        r->w.pool.rounds = 0;
        r->w.pool.lose_at = round;
        r->w.pool.lose_count = 1;
        begin(r, &at_once);
        end(r);
        if (round == 1) {
            assert_int_equal(r->result.failure.error, 0);
            assert_false(is_there(r));
        } else {
            assert_int_equal(r->result.failure.error, SCOUT_E_CONNECTION_LOST);
            assert_int_equal(r->result.may_have_replaced, round == 3);
            assert_int_equal(strstr(r->result.failure.text, "may be gone nevertheless") != NULL,
                             round == 3);
        }
        teardown((void **)&r);
    }
}

static void a_host_without_sftp_is_told(void **state)
{
    struct rig *r = *state;
    r->w.pool.no_sftp = true;
    begin(r, &at_once);
    end(r);
    expect_error(r, SCOUT_E_SFTP_UNAVAILABLE, "offers no SFTP");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(it_is_removed_in_three_round_trips),
        TEST(what_is_forbidden_stays),
        TEST(what_has_changed_stays),
        TEST(what_is_no_file_stays),
        TEST(what_is_gone_is_told),
        TEST(a_stop_leaves_it),
        cmocka_unit_test(a_lost_connection_is_told),
        TEST(a_host_without_sftp_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
