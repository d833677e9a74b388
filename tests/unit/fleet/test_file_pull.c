/* Reading a file of a host in order, with OpenSSH's own SFTP server behind it. */
#include "world.h"

#include "scout/fleet/file_source.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEPS_MAX 20000

struct rig {
    struct world w;
    struct file_pull *pull;
    struct failure failure;
    struct file_source_info info;
    char real_path[512];
    unsigned permits, opened;
    bool forbid;
    uint64_t offset;
    size_t room, most; /* that room() says; wanted at one time at most (0: all) */
    uint8_t *got;
    size_t len;
};

static int permit(void *context, struct slice real_path, struct failure *why)
{
    struct rig *r = context;
    r->permits++;
    snprintf(r->real_path, sizeof r->real_path, "%.*s", (int)real_path.len,
             (const char *)real_path.data);
    return r->forbid ? failure_set(why, SCOUT_E_POLICY, "forbidden by the test") : 0;
}

static void on_opened(void *context, const struct file_source_info *info)
{
    struct rig *r = context;
    r->opened++;
    r->info = *info;
    r->got = malloc(info->attrs.size + 1);
    assert_non_null(r->got);
    r->room = r->most;
    file_pull_go(r->pull, r->offset);
}

static size_t room(void *context)
{
    const struct rig *r = context;
    return r->most ? r->room : SIZE_MAX;
}

static void on_data(void *context, struct slice data)
{
    struct rig *r = context;
    assert_true(data.len > 0);
    if (r->most) {
        assert_true(data.len <= r->room);
        r->room -= data.len;
    }
    assert_true(r->len + data.len <= r->info.attrs.size);
    memcpy(r->got + r->len, data.data, data.len);
    r->len += data.len;
}

static void on_end(void *context, const struct failure *failure, uint64_t connected_ns)
{
    struct rig *r = context;
    (void)connected_ns;
    assert_false(r->w.done);
    r->w.done = true;
    r->pull = NULL;
    r->failure = *failure;
}

static const struct file_source_events events = {permit, on_opened, room, on_data, on_end};

static void pull_begin(struct rig *r, const char *path)
{
    const struct file_pull_request request = {
        .host = &r->w.host,
        .path = path,
        .principal = "",
        .deadline_ns = io_now(r->w.fleet.io) + WORLD_TIMEOUT_S * 1000000000ULL,
        .idle_ns = 60 * 1000000000ULL,
    };
    free(r->got);
    r->got = NULL;
    r->len = 0;
    r->w.done = false;
    r->pull = file_pull_start(&r->w.fleet, &request, &events, r);
    assert_non_null(r->pull);
}

/* Wants more whenever nothing else goes on. */
static void pull_end(struct rig *r)
{
    for (unsigned i = 0; i < STEPS_MAX && !r->w.done; i++) {
        world_step(&r->w);
        if (r->pull && r->most && r->room == 0 && r->opened) {
            r->room = r->most;
            file_pull_resume(r->pull);
        }
    }
    assert_true(r->w.done);
    world_settle(&r->w);
}

static void expect_error(const struct rig *r, int error, const char *fragment)
{
    assert_int_equal(r->failure.error, error);
    if (!strstr(r->failure.text, fragment))
        fail_msg("'%s' is not in: %s", fragment, r->failure.text);
}

static uint8_t *make(struct rig *r, const char *name, size_t len)
{
    uint8_t *bytes = malloc(len + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 11);
    world_put(&r->w, name, bytes, len);
    return bytes;
}

static int setup(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    world_start(&r->w);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;
    free(r->got);
    world_stop(&r->w);
    free(r);
    return 0;
}

static void all_of_it_comes_in_order(void **state)
{
    struct rig *r = *state;
    const size_t sizes[] = {0, 1, 32768, 255 * 1024, 255 * 1024 + 1, 9 * 1024 * 1024 + 7};
    const size_t rooms[] = {0, 1000003, 7777777};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t *bytes = make(r, "f", sizes[i]);
        for (size_t k = 0; k < sizeof rooms / sizeof rooms[0]; k++) {
            r->opened = 0;
            r->most = rooms[k];
            pull_begin(r, world_path(&r->w, "f"));
            pull_end(r);
            assert_int_equal(r->failure.error, 0);
            assert_int_equal(r->len, sizes[i]);
            assert_memory_equal(r->got, bytes, sizes[i]);
            assert_int_equal(r->info.attrs.size, sizes[i]);
        }
        free(bytes);
    }
}

static void small_pieces_are_enough(void **state)
{
    struct rig *r = *state;
    uint8_t *bytes = make(r, "f", 700001);
    r->most = 997;
    pull_begin(r, world_path(&r->w, "f"));
    pull_end(r);
    assert_int_equal(r->failure.error, 0);
    assert_int_equal(r->len, 700001);
    assert_memory_equal(r->got, bytes, r->len);
    free(bytes);
}

static void it_may_begin_further_on(void **state)
{
    struct rig *r = *state;
    uint8_t *bytes = make(r, "f", 1000000);
    r->offset = 300001;
    pull_begin(r, world_path(&r->w, "f"));
    pull_end(r);
    assert_int_equal(r->len, 1000000 - 300001);
    assert_memory_equal(r->got, bytes + 300001, r->len);
    r->offset = 1000000;
    pull_begin(r, world_path(&r->w, "f"));
    pull_end(r);
    assert_int_equal(r->failure.error, 0);
    assert_int_equal(r->len, 0);
    free(bytes);
}

/* Who takes nothing makes the host wait: what is asked for has a bound. */
static void nothing_wanted_nothing_more_asked_for(void **state)
{
    struct rig *r = *state;
    uint8_t *bytes = make(r, "f", 20 * 1024 * 1024);
    memset(r->w.pool.asked, 0, sizeof r->w.pool.asked);
    r->most = 1;
    pull_begin(r, world_path(&r->w, "f"));
    for (unsigned i = 0; i < 50; i++)
        world_step(&r->w);
    assert_false(r->w.done);
    assert_int_equal(r->len, 1);
    assert_in_range(r->w.pool.asked[TYPE_READ], 10, FILE_PULL_WINDOW / (255 * 1024) + 1);
    file_pull_stop(r->pull);
    pull_end(r);
    expect_error(r, SCOUT_E_CANCELLED, "Cancelled");
    free(bytes);
}

static void one_that_changes_is_refused(void **state)
{
    struct rig *r = *state;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *bytes = make(r, "f", 9 * 1024 * 1024);
        r->most = 1024 * 1024;
        r->opened = 0;
        pull_begin(r, world_path(&r->w, "f"));
        while (!r->opened)
            world_step(&r->w);
        assert_int_equal(truncate(world_path(&r->w, "f"), i ? 1024 : 10 * 1024 * 1024), 0);
        pull_end(r);
        expect_error(r, SCOUT_E_CHANGED, "changed while it was read");
        free(bytes);
    }
}

static void only_what_is_permitted_and_regular_is_opened(void **state)
{
    struct rig *r = *state;
    free(make(r, "f", 10));
    assert_int_equal(symlink("f", world_path(&r->w, "link")), 0);
    assert_int_equal(mkfifo(world_path(&r->w, "p"), 0600), 0);
    memset(r->w.pool.asked, 0, sizeof r->w.pool.asked);
    r->forbid = true;
    pull_begin(r, world_path(&r->w, "link"));
    pull_end(r);
    expect_error(r, SCOUT_E_POLICY, "forbidden by the test");
    assert_string_equal(r->real_path, world_path(&r->w, "f"));
    pull_begin(r, world_path(&r->w, "p"));
    pull_end(r);
    expect_error(r, SCOUT_E_NOT_A_FILE, "no regular file");
    pull_begin(r, r->w.place.dir);
    pull_end(r);
    expect_error(r, SCOUT_E_NOT_A_FILE, "is a directory");
    pull_begin(r, world_path(&r->w, "nope"));
    pull_end(r);
    expect_error(r, SCOUT_E_NOT_FOUND, "Path not found");
    assert_int_equal(r->w.pool.asked[TYPE_OPEN], 0);
    assert_int_equal(r->permits, 1);
}

/* Such files say that they have no bytes. */
static void what_has_no_size_of_its_own_is_refused(void **state)
{
    struct rig *r = *state;
    pull_begin(r, "/proc/self/status");
    pull_end(r);
    expect_error(r, SCOUT_E_NOT_A_FILE, "no size of its own");
}

/* A lost connection costs nothing until the file was told of; then it is told. */
static void a_lost_connection(void **state)
{
    (void)state;
    for (unsigned round = 1; round <= 5; round++) {
        struct rig *r;
        setup((void **)&r);
        uint8_t *bytes = make(r, "f", 100);
        r->w.pool.rounds = 0;
        r->w.pool.lose_at = round;
        r->w.pool.lose_count = 1;
        pull_begin(r, world_path(&r->w, "f"));
        pull_end(r);
        if (round <= 3) {
            assert_int_equal(r->failure.error, 0);
            assert_int_equal(r->w.pool.connects, 2);
            assert_memory_equal(r->got, bytes, 100);
        } else {
            expect_error(r, SCOUT_E_CONNECTION_LOST, "lost by the test");
        }
        assert_int_equal(r->opened, 1);
        free(bytes);
        teardown((void **)&r);
    }
}

/* However the packets are cut, and however little is wanted at a time. */
static void a_host_without_sftp_is_read_by_its_shell(void **state)
{
    static const char content[] = "one\0\n@scout-content\ntwo\n";
    static const unsigned pieces[] = {1, 7, 0};
    static const size_t mosts[] = {0, 5};
    (void)state;
    for (size_t i = 0; i < 12; i++) {
        struct rig r = {.offset = i % 2 ? 3 : 0, .most = mosts[i / 2 % 2]};
        world_start(&r.w);
        r.w.pool.no_sftp = true;
        r.w.pool.piece = pieces[i / 4];
        world_put(&r.w, "f", content, sizeof content - 1);
        pull_begin(&r, world_path(&r.w, "f"));
        pull_end(&r);
        if (r.failure.error)
            fail_msg("%zu: %s", i, r.failure.text);
        assert_int_equal(r.len, sizeof content - 1 - r.offset);
        assert_memory_equal(r.got, content + r.offset, r.len);
        assert_int_equal(r.info.attrs.size, sizeof content - 1);
        assert_true(r.info.etag[0] != '\0');
        free(r.got);
        world_stop(&r.w);
    }
}

static void what_a_shell_tells_of_other_things_is_refused(void **state)
{
    (void)state;
    struct rig r = {0};
    world_start(&r.w);
    r.w.pool.no_sftp = true;
    pull_begin(&r, "/proc/self/status");
    pull_end(&r);
    expect_error(&r, SCOUT_E_NOT_A_FILE, "no size of its own");
    pull_begin(&r, "/proc");
    pull_end(&r);
    expect_error(&r, SCOUT_E_NOT_A_FILE, "is a directory");
    pull_begin(&r, "/dev/null");
    pull_end(&r);
    expect_error(&r, SCOUT_E_NOT_A_FILE, "is no regular file");
    pull_begin(&r, "/nowhere");
    pull_end(&r);
    expect_error(&r, SCOUT_E_NOT_FOUND, "");
    world_put(&r.w, "f", "x", 1);
    r.forbid = true;
    pull_begin(&r, world_path(&r.w, "f"));
    pull_end(&r);
    expect_error(&r, SCOUT_E_POLICY, "forbidden");
    free(r.got);
    world_stop(&r.w);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_without_sftp_is_read_by_its_shell),
        cmocka_unit_test(what_a_shell_tells_of_other_things_is_refused),
        TEST(all_of_it_comes_in_order),
        TEST(small_pieces_are_enough),
        TEST(it_may_begin_further_on),
        TEST(nothing_wanted_nothing_more_asked_for),
        TEST(one_that_changes_is_refused),
        TEST(only_what_is_permitted_and_regular_is_opened),
        TEST(what_has_no_size_of_its_own_is_refused),
        cmocka_unit_test(a_lost_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
