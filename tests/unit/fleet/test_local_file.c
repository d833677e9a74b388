/* Files of the transfer directory, on a real file system: what is read and written, and that
 * nothing outside is reached and nothing is left behind. */
#include "local_dir.h"
#include "scout/fleet/local_file.h"
#include "scout/io/sim.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC_SHA256   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

struct rig {
    struct io *io;
    char base[64], root[80];
    struct local_pull *pull;
    struct local_put *put;
    unsigned ended, settled, written;
    struct failure failure;
    struct file_put_result result;
    uint64_t offset;
    char hash[SHA256_HEX_SIZE];
    uint8_t *bytes; /* to be written; or what was read */
    size_t len, given, room;
    bool hold; /* neither go nor place */
};

static void run(struct rig *r)
{
    while (io_run_once(r->io, 0) || io_jobs_active(r->io) > 0)
        ;
}

static const char *in_root(const struct rig *r, const char *name)
{
    static char path[2][160];
    static unsigned turn;
    char *out = path[turn++ % 2];
    snprintf(out, sizeof path[0], "%s/%s", r->root, name);
    return out;
}

static void make(const struct rig *r, const char *name, const void *bytes, size_t len)
{
    FILE *f = fopen(in_root(r, name), "we");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    fclose(f);
}

static unsigned file_count(const struct rig *r)
{
    unsigned count = 0;
    DIR *d = opendir(r->root);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));)
        count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return count;
}

static void expect_error(const struct rig *r, int error, const char *fragment)
{
    assert_int_equal(r->failure.error, error);
    if (!strstr(r->failure.text, fragment))
        fail_msg("'%s' is not in: %s", fragment, r->failure.text);
}

static int setup(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    assert_int_equal(io_sim_open(&r->io, 7, NULL), 0);
    snprintf(r->base, sizeof r->base, "/tmp/scout-local-XXXXXX");
    assert_non_null(mkdtemp(r->base));
    snprintf(r->root, sizeof r->root, "%s/transfer/1000", r->base);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", r->base);
    free(r->bytes);
    io_free(r->io);
    assert_int_equal(system(command), 0);
    free(r);
    return 0;
}

/* ---- reading ---- */

static void on_opened(void *context, const struct file_source_info *info)
{
    struct rig *r = context;
    free(r->bytes);
    r->bytes = malloc(info->attrs.size + 1);
    assert_non_null(r->bytes);
    r->len = 0;
    if (!r->hold)
        local_pull_go(r->pull, r->offset);
}

static size_t pull_room(void *context)
{
    const struct rig *r = context;
    return r->room;
}

static void on_data(void *context, struct slice data)
{
    struct rig *r = context;
    memcpy(r->bytes + r->len, data.data, data.len);
    r->len += data.len;
}

static void on_pulled(void *context, const struct failure *failure, uint64_t connected_ns)
{
    struct rig *r = context;
    (void)connected_ns;
    r->ended++;
    r->failure = *failure;
    snprintf(r->hash, sizeof r->hash, "%s", local_pull_hash(r->pull));
}

static const struct file_source_events pull_events = {
    .on_opened = on_opened, .room = pull_room, .on_data = on_data, .on_end = on_pulled};

static void pull(struct rig *r, const char *path, bool hash)
{
    const struct local_pull_request request = {.root = r->root, .path = path, .hash = hash};
    r->ended = 0;
    r->room = r->room ? r->room : SIZE_MAX;
    r->pull = local_pull_start(r->io, &request, &pull_events, r);
    assert_non_null(r->pull);
    run(r);
}

/* ---- writing ---- */

static void on_settled(void *context, const struct file_put_target *target)
{
    struct rig *r = context;
    (void)target;
    r->settled++;
    if (!r->hold)
        local_put_go(r->put);
}

static void on_room(void *context)
{
    struct rig *r = context;
    size_t room;
    if (r->given == 0)
        r->given = local_put_offset(r->put);
    while (r->given < r->len && (room = local_put_room(r->put)) > 0) {
        size_t len = r->len - r->given < room ? r->len - r->given : room;
        len = len < 100000 ? len : 100000;
        local_put_write(r->put, slice_of(r->bytes + r->given, len));
        r->given += len;
    }
    if (r->given == r->len)
        local_put_end(r->put);
}

static void on_written(void *context, const char *temp)
{
    struct rig *r = context;
    (void)temp;
    r->written++;
    snprintf(r->hash, sizeof r->hash, "%s", local_put_hash(r->put));
    if (!r->hold)
        local_put_place(r->put);
}

static void on_put(void *context, const struct file_put_result *result)
{
    struct rig *r = context;
    r->ended++;
    r->result = *result;
    r->failure = result->failure;
    r->put = NULL;
}

static const struct file_put_events put_events = {
    .on_settled = on_settled, .on_room = on_room, .on_written = on_written, .on_end = on_put};

static void put_begin(struct rig *r, const char *path, struct local_put_request request)
{
    request.root = r->root;
    request.path = path;
    request.size = r->len;
    r->ended = r->settled = r->written = 0;
    r->given = 0;
    r->put = local_put_start(r->io, &request, &put_events, r);
    assert_non_null(r->put);
}

static void put(struct rig *r, const char *path, struct local_put_request request)
{
    put_begin(r, path, request);
    run(r);
    assert_int_equal(r->ended, 1);
}

static void fill(struct rig *r, size_t len)
{
    free(r->bytes);
    r->bytes = malloc(len + 1);
    assert_non_null(r->bytes);
    r->len = len;
    for (size_t i = 0; i < len; i++)
        r->bytes[i] = (uint8_t)(i * 2654435761u >> 11);
}

/* ---- tests ---- */

static void paths_inside_and_outside(void **state)
{
    struct failure why;
    (void)state;
    assert_string_equal(local_path("/r/t", "a/b", &why), "a/b");
    assert_string_equal(local_path("/r/t", "/r/t/a", &why), "a");
    assert_string_equal(local_path("/r/t", "/r/t//a", &why), "a");
    assert_null(local_path("/r/t", "/r/tt/a", &why));
    assert_null(local_path("/r/t", "/r/t", &why));
    assert_null(local_path("/r/t", "/r/t/", &why));
    assert_null(local_path("/r/t", "/etc/passwd", &why));
    assert_null(local_path("/r/t", "", &why));
    assert_null(local_path("/r/t", "~/a", &why));
}

static void what_was_written_is_read(void **state)
{
    struct rig *r = *state;
    const size_t sizes[] = {0, 1, LOCAL_BUFFER_SIZE, LOCAL_BUFFER_SIZE * 9 + 11};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char hash[SHA256_HEX_SIZE];
        fill(r, sizes[i]);
        put(r, "f", (struct local_put_request){.mode = 04640, .hash = true, .overwrite = true});
        assert_int_equal(r->failure.error, 0);
        assert_int_equal(r->result.created, i == 0);
        assert_int_equal(r->result.attrs.size, sizes[i]);
        memcpy(hash, r->hash, sizeof hash);
        uint8_t *expected = r->bytes;
        r->bytes = NULL;
        r->offset = sizes[i] / 3;
        pull(r, "f", true);
        assert_int_equal(r->ended, 1);
        assert_int_equal(r->failure.error, 0);
        assert_int_equal(r->len, sizes[i] - r->offset);
        assert_memory_equal(r->bytes, expected + r->offset, r->len);
        assert_string_equal(r->hash, hash); /* of the whole, whatever was handed on */
        free(expected);
        assert_int_equal(file_count(r), 1);
        struct stat st;
        assert_int_equal(stat(in_root(r, "f"), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0640);
    }
    r->len = 0;
    put(r, "f", (struct local_put_request){.hash = true, .overwrite = true});
    assert_string_equal(r->hash, EMPTY_SHA256);
    memcpy(r->bytes, "abc", 3);
    r->len = 3;
    put(r, "f", (struct local_put_request){.hash = true, .overwrite = true});
    assert_string_equal(r->hash, ABC_SHA256);
}

static void the_directory_is_made_for_its_owner_alone(void **state)
{
    struct rig *r = *state;
    struct stat st;
    pull(r, "nothing", false);
    expect_error(r, SCOUT_E_NOT_FOUND, "Local path not found");
    assert_int_equal(stat(r->root, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
}

static void nothing_leads_out(void **state)
{
    struct rig *r = *state;
    const char *const ways[] = {"out", "../secret", "folder/secret", "../../secret",
                                "a/../../../secret"};
    pull(r, "x", false);
    fill(r, 5);
    char secret[96];
    snprintf(secret, sizeof secret, "%s/secret", r->base);
    FILE *f = fopen(secret, "we");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(symlink(secret, in_root(r, "out")), 0);
    assert_int_equal(symlink(r->base, in_root(r, "folder")), 0);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        pull(r, ways[i], false);
        assert_true(r->failure.error == SCOUT_E_PERMISSION ||
                    r->failure.error == SCOUT_E_NOT_FOUND);
        fill(r, 5);
        put(r, ways[i], (struct local_put_request){.overwrite = true});
        assert_true(r->failure.error == SCOUT_E_PERMISSION ||
                    r->failure.error == SCOUT_E_NOT_FOUND ||
                    r->failure.error == SCOUT_E_NOT_A_FILE);
    }
    struct stat st;
    assert_int_equal(stat(secret, &st), 0);
    assert_int_equal(st.st_size, 0);
    assert_int_equal(file_count(r), 2);
    assert_int_equal(symlink("inside", in_root(r, "in")), 0);
    make(r, "inside", "text", 4);
    pull(r, "in", false);
    assert_int_equal(r->failure.error, 0);
    assert_int_equal(r->len, 4);
}

static void an_existing_file_is_kept_unless_it_may_go(void **state)
{
    struct rig *r = *state;
    fill(r, 10);
    put(r, "f", (struct local_put_request){0});
    assert_int_equal(r->failure.error, 0);
    put(r, "f", (struct local_put_request){0});
    expect_error(r, SCOUT_E_EXISTS, "nothing was overwritten");
    r->hold = true; /* it appears meanwhile */
    put_begin(r, "g", (struct local_put_request){0});
    run(r);
    local_put_go(r->put);
    run(r);
    assert_int_equal(r->written, 1);
    make(r, "g", "of others", 9);
    local_put_place(r->put);
    run(r);
    expect_error(r, SCOUT_E_EXISTS, "nothing was overwritten");
    assert_int_equal(file_count(r), 2);
}

static void no_space_is_told_and_leaves_nothing(void **state)
{
    struct rig *r = *state;
    struct rlimit before, small = {.rlim_cur = 100000, .rlim_max = RLIM_INFINITY};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    fill(r, 3000000);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    put(r, "f", (struct local_put_request){0});
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    expect_error(r, SCOUT_E_NO_SPACE, "No space is left here");
    assert_int_equal(file_count(r), 0);
}

static void a_stop_at_any_time_leaves_nothing(void **state)
{
    struct rig *r = *state;
    struct failure why;
    failure_set(&why, SCOUT_E_CANCELLED, "Cancelled");
    fill(r, LOCAL_BUFFER_SIZE * 9);
    for (unsigned steps = 0; steps < 12; steps++) {
        put_begin(r, "f", (struct local_put_request){.hash = true});
        for (unsigned i = 0; i < steps; i++)
            io_run_once(r->io, 0);
        if (r->put)
            local_put_fail(r->put, &why);
        run(r);
        assert_int_equal(r->ended, 1);
        if (r->failure.error)
            expect_error(r, SCOUT_E_CANCELLED, "Cancelled");
        assert_int_equal(file_count(r), r->failure.error ? 0 : 1);
        unlink(in_root(r, "f"));
    }
}

static void a_source_that_changes_is_refused(void **state)
{
    struct rig *r = *state;
    fill(r, 100000);
    put(r, "f", (struct local_put_request){0});
    r->hold = true;
    const struct local_pull_request request = {.root = r->root, .path = "f"};
    r->room = SIZE_MAX;
    for (unsigned i = 0; i < 2; i++) {
        r->ended = 0;
        r->pull = local_pull_start(r->io, &request, &pull_events, r);
        run(r);
        assert_int_equal(truncate(in_root(r, "f"), i ? 50 : 200000), 0);
        local_pull_go(r->pull, 0);
        run(r);
        assert_int_equal(r->ended, 1);
        expect_error(r, SCOUT_E_CHANGED, "changed while it was read");
    }
}

static void what_arrived_is_gone_on_with(void **state)
{
    struct rig *r = *state;
    const struct local_put_request keeping = {.keep_as = ".scout-k.part", .hash = true};
    struct failure why;
    fill(r, FILE_PUT_KEEP_MIN + 3000000);
    size_t whole = r->len;
    put_begin(r, "f", keeping);
    r->hold = true; /* all is written, and the network ends before it is in place */
    run(r);
    local_put_go(r->put);
    run(r);
    assert_int_equal(r->written, 1);
    char hash[SHA256_HEX_SIZE];
    memcpy(hash, r->hash, sizeof hash);
    failure_set(&why, SCOUT_E_CONNECTION_LOST, "lost");
    local_put_fail(r->put, &why);
    run(r);
    assert_true(r->result.kept);
    expect_error(r, SCOUT_E_CONNECTION_LOST, "are kept");
    r->hold = false;
    r->len = whole;
    put(r, "f", keeping);
    assert_int_equal(r->failure.error, 0);
    assert_true(r->result.resumed > 3000000);
    assert_string_equal(r->hash, hash); /* of the whole, not of what came now */
    assert_int_equal(file_count(r), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_inside_and_outside),
        TEST(what_was_written_is_read),
        TEST(the_directory_is_made_for_its_owner_alone),
        TEST(nothing_leads_out),
        TEST(an_existing_file_is_kept_unless_it_may_go),
        TEST(no_space_is_told_and_leaves_nothing),
        TEST(a_stop_at_any_time_leaves_nothing),
        TEST(a_source_that_changes_is_refused),
        TEST(what_arrived_is_gone_on_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
