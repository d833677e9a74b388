/* Writing a file to a host, with OpenSSH's own SFTP server behind it: what is there afterwards, and
 * that nothing else is, however it ends. */
#include "world.h"

#include "file_put.h"
#include "kept_files.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STEPS_MAX 20000

struct rig {
    struct world w;
    struct file_put *put;
    struct file_put_result result;
    char real_path[512];
    bool forbid, hold, settled_exists;
    unsigned permits, settled, written;
    uint64_t told;
    /* Contents that are asked for. */
    const uint8_t *bytes;
    size_t len, given, begun;
    bool break_source;
};

static unsigned kept;

/* Stands in for the list of what is to be removed later. */
void kept_files_add(struct fleet *f, const struct ssh_host *host, const char *principal,
                    const char *path)
{
    (void)f, (void)host;
    assert_string_equal(principal, "");
    assert_int_equal(access(path, F_OK), 0);
    kept++;
}

static int permit(void *context, const struct file_put_target *target, struct failure *why)
{
    struct rig *r = context;
    r->permits++;
    snprintf(r->real_path, sizeof r->real_path, "%.*s", (int)target->real_path.len,
             (const char *)target->real_path.data);
    return r->forbid ? failure_set(why, SCOUT_E_POLICY, "forbidden by the test") : 0;
}

static void on_settled(void *context, const struct file_put_target *target)
{
    struct rig *r = context;
    r->settled++;
    r->settled_exists = target->exists;
}

static void on_room(void *context)
{
    struct rig *r = context;
    size_t room;
    if (r->break_source && r->given > r->len / 2) {
        struct failure why;
        failure_set(&why, SCOUT_E_CHANGED, "the source changed");
        file_put_fail(r->put, &why);
        return;
    }
    while (r->given < r->len && (room = file_put_room(r->put)) > 0) {
        size_t len = r->len - r->given < room ? r->len - r->given : room;
        if (len > 100000)
            len = 100000;
        file_put_write(r->put, slice_of(r->bytes + r->given, len));
        r->given += len;
    }
    if (r->given == r->len)
        file_put_end(r->put);
}

static void on_written(void *context, const char *temp)
{
    struct rig *r = context;
    assert_int_equal(access(temp, F_OK), 0);
    r->written++;
}

static void on_progress(void *context, uint64_t done)
{
    struct rig *r = context;
    assert_true(done > r->told);
    r->told = done;
}

static void on_end(void *context, const struct file_put_result *result)
{
    struct rig *r = context;
    assert_false(r->w.done);
    r->w.done = true;
    r->put = NULL;
    r->result = *result;
}

static const struct file_put_events at_once = {
    .permit = permit, .on_room = on_room, .on_progress = on_progress, .on_end = on_end};
static const struct file_put_events waiting = {.permit = permit,
                                               .on_settled = on_settled,
                                               .on_room = on_room,
                                               .on_written = on_written,
                                               .on_progress = on_progress,
                                               .on_end = on_end};

static void put_begin(struct rig *r, const char *path, struct file_put_request request,
                      const struct file_put_events *events)
{
    r->w.done = false;
    r->told = 0;
    request.host = &r->w.host;
    request.path = path;
    request.principal = "";
    request.deadline_ns = io_now(r->w.fleet.io) + WORLD_TIMEOUT_S * 1000000000ULL;
    r->put = file_put_start(&r->w.fleet, &request, events, r);
    assert_non_null(r->put);
    assert_false(r->w.done);
}

static void put_end(struct rig *r)
{
    for (unsigned i = 0; i < STEPS_MAX && !r->w.done; i++)
        world_step(&r->w);
    assert_true(r->w.done);
    world_settle(&r->w);
}

static void put(struct rig *r, const char *path, const char *text, struct file_put_request request)
{
    request.has_contents = true;
    request.contents = slice_str(text);
    put_begin(r, path, request, &at_once);
    put_end(r);
}

static unsigned file_count(const struct rig *r)
{
    unsigned count = 0;
    DIR *d = opendir(r->w.place.dir);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));)
        count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return count;
}

static void expect_file(const struct rig *r, const char *name, const void *bytes, size_t len)
{
    size_t have;
    uint8_t *text = read_file(&r->w.place, name, &have);
    assert_int_equal(have, len);
    assert_memory_equal(text, bytes, len);
    free(text);
}

static void expect_text(const struct rig *r, const char *name, const char *text)
{
    expect_file(r, name, text, strlen(text));
}

static void expect_error(const struct rig *r, int error, const char *fragment)
{
    assert_int_equal(r->result.failure.error, error);
    if (!strstr(r->result.failure.text, fragment))
        fail_msg("'%s' is not in: %s", fragment, r->result.failure.text);
}

static unsigned mode_of(const struct rig *r, const char *name)
{
    struct stat st;
    assert_int_equal(lstat(world_path(&r->w, name), &st), 0);
    return st.st_mode & 07777;
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
    world_stop(&r->w);
    free(r);
    return 0;
}

/* ---- what is there afterwards ---- */

static void a_new_file_takes_four_round_trips(void **state)
{
    struct rig *r = *state;
    r->w.pool.rounds = 0;
    put(r, world_path(&r->w, "f"), "hello\n", (struct file_put_request){0});
    assert_int_equal(r->result.failure.error, 0);
    assert_int_equal(r->w.pool.rounds, 4);
    expect_text(r, "f", "hello\n");
    assert_int_equal(mode_of(r, "f"), FILE_PUT_MODE);
    assert_int_equal(file_count(r), 1);
    assert_true(r->result.created && r->result.synced && r->result.owner_kept);
    assert_int_equal(r->result.attrs.size, 6);
    char etag[ETAG_SIZE];
    struct stat st;
    assert_int_equal(stat(world_path(&r->w, "f"), &st), 0);
    snprintf(etag, sizeof etag, "\"%llx-6\"", (unsigned long long)st.st_mtime);
    assert_string_equal(r->result.etag, etag);
    assert_string_equal(r->real_path, world_path(&r->w, "f"));
}

static void an_empty_file_is_written(void **state)
{
    struct rig *r = *state;
    put(r, world_path(&r->w, "f"), "", (struct file_put_request){.has_mode = true, .mode = 04750});
    assert_int_equal(r->result.failure.error, 0);
    expect_text(r, "f", "");
    assert_int_equal(mode_of(r, "f"), 0750); /* no setuid */
}

static void a_replaced_file_keeps_its_mode_but_not_setuid(void **state)
{
    struct rig *r = *state;
    world_put(&r->w, "f", "before", 6);
    assert_int_equal(chmod(world_path(&r->w, "f"), 04751), 0);
    put(r, world_path(&r->w, "f"), "after", (struct file_put_request){0});
    assert_int_equal(r->result.failure.error, 0);
    expect_text(r, "f", "after");
    assert_int_equal(mode_of(r, "f"), 0751);
    assert_false(r->result.created);
    assert_int_equal(file_count(r), 1);
}

/* Four writes within a second, in the round trips of one that is not. */
static void no_etag_comes_twice(void **state)
{
    struct rig *r = *state;
    char seen[4][ETAG_SIZE];
    struct stat st;
    world_put(&r->w, "f", "0", 1);
    for (unsigned i = 0; i < 4; i++) {
        r->w.pool.rounds = 0;
        put(r, world_path(&r->w, "f"), i % 2 ? "a" : "b", (struct file_put_request){0});
        assert_int_equal(r->result.failure.error, 0);
        assert_int_equal(r->w.pool.rounds, 5);
        strcpy(seen[i], r->result.etag);
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(seen[i], seen[j]);
    }
    assert_int_equal(stat(world_path(&r->w, "f"), &st), 0);
    assert_in_range(st.st_mtime, time(NULL), time(NULL) + 4);
    /* The time of a wrong clock is not gone on from. */
    const struct timespec far[2] = {{.tv_sec = time(NULL) + 10000}, {.tv_sec = time(NULL) + 10000}};
    assert_int_equal(utimensat(AT_FDCWD, world_path(&r->w, "f"), far, 0), 0);
    put(r, world_path(&r->w, "f"), "c", (struct file_put_request){0});
    assert_int_equal(stat(world_path(&r->w, "f"), &st), 0);
    assert_in_range(st.st_mtime, time(NULL) - 5, time(NULL));
}

static void the_owner_is_kept_where_that_may_be(void **state)
{
    struct rig *r = *state;
    struct stat st;
    if (getuid() != 0)
        skip();
    world_put(&r->w, "f", "before", 6);
    assert_int_equal(chown(world_path(&r->w, "f"), 12345, 23456), 0);
    assert_int_equal(chmod(world_path(&r->w, "f"), 0664), 0);
    put(r, world_path(&r->w, "f"), "after", (struct file_put_request){0});
    assert_int_equal(r->result.failure.error, 0);
    assert_true(r->result.owner_kept);
    assert_int_equal(stat(world_path(&r->w, "f"), &st), 0);
    assert_int_equal(st.st_uid, 12345);
    assert_int_equal(st.st_gid, 23456);
    assert_int_equal(st.st_mode & 07777, 0664);
}

/* Who is in the writer's group must not get what the old group had. */
static void a_group_that_cannot_be_kept_gets_no_more_than_others(void **state)
{
    struct rig *r = *state;
    struct stat st;
    if (getuid() != 0)
        skip();
    world_put(&r->w, "f", "before", 6);
    assert_int_equal(chown(world_path(&r->w, "f"), 12345, 23456), 0);
    assert_int_equal(chmod(world_path(&r->w, "f"), 0664), 0);
    assert_int_equal(chmod(r->w.place.dir, 0777), 0);
    r->w.pool.uid = 65534;
    r->w.pool.lose_at = 1; /* the next connection is that user's */
    r->w.pool.lose_count = 1;
    r->w.pool.rounds = 0;
    put(r, world_path(&r->w, "f"), "after", (struct file_put_request){0});
    assert_int_equal(r->result.failure.error, 0);
    assert_false(r->result.owner_kept);
    assert_int_equal(stat(world_path(&r->w, "f"), &st), 0);
    assert_int_equal(st.st_uid, 65534);
    assert_int_equal(st.st_mode & 07777, 0644);
}

static void a_links_target_is_written_and_the_link_stays(void **state)
{
    struct rig *r = *state;
    world_put(&r->w, "f", "before", 6);
    assert_int_equal(symlink("f", world_path(&r->w, "link")), 0);
    put(r, world_path(&r->w, "link"), "after", (struct file_put_request){0});
    assert_int_equal(r->result.failure.error, 0);
    expect_text(r, "f", "after");
    assert_string_equal(r->real_path, world_path(&r->w, "f")); /* what was permitted */
    struct stat st;
    assert_int_equal(lstat(world_path(&r->w, "link"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
}

static void a_link_to_nothing_makes_its_target(void **state)
{
    struct rig *r = *state;
    assert_int_equal(symlink("new", world_path(&r->w, "link")), 0);
    put(r, world_path(&r->w, "link"), "text", (struct file_put_request){0});
    assert_int_equal(r->result.failure.error, 0);
    expect_text(r, "new", "text");
    assert_int_equal(file_count(r), 2);
}

static uint8_t *pattern(size_t len)
{
    uint8_t *bytes = malloc(len);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    return bytes;
}

static void large_contents_are_asked_for_as_there_is_room(void **state)
{
    struct rig *r = *state;
    r->len = 10 * 1024 * 1024 + 1;
    uint8_t *bytes = pattern(r->len);
    r->bytes = bytes;
    put_begin(r, world_path(&r->w, "f"), (struct file_put_request){0}, &at_once);
    put_end(r);
    assert_int_equal(r->result.failure.error, 0);
    expect_file(r, "f", bytes, r->len);
    assert_int_equal(r->told, r->len);
    assert_int_equal(r->result.attrs.size, r->len);
    free(bytes);
}

/* ---- what is refused ---- */

static void a_file_that_must_not_be_there_is_not_overwritten(void **state)
{
    struct rig *r = *state;
    const struct file_put_request absent = {.condition = FILE_PUT_ABSENT};
    put(r, world_path(&r->w, "f"), "one", absent);
    assert_int_equal(r->result.failure.error, 0);
    put(r, world_path(&r->w, "f"), "two", absent);
    expect_error(r, SCOUT_E_EXISTS, "is there already");
    expect_text(r, "f", "one");
    assert_int_equal(r->permits, 1); /* nobody is asked about what cannot be */
}

static void an_etag_has_to_fit(void **state)
{
    struct rig *r = *state;
    put(r, world_path(&r->w, "f"), "one", (struct file_put_request){0});
    char etag[ETAG_SIZE];
    memcpy(etag, r->result.etag, sizeof etag);
    put(r, world_path(&r->w, "f"), "two and more",
        (struct file_put_request){.condition = FILE_PUT_ETAG, .etag = etag});
    assert_int_equal(r->result.failure.error, 0);
    put(r, world_path(&r->w, "f"), "three",
        (struct file_put_request){.condition = FILE_PUT_ETAG, .etag = etag});
    expect_error(r, SCOUT_E_CHANGED, "read it again");
    put(r, world_path(&r->w, "g"), "three",
        (struct file_put_request){.condition = FILE_PUT_ETAG, .etag = etag});
    expect_error(r, SCOUT_E_CHANGED, "is not there any more");
    expect_text(r, "f", "two and more");
    assert_int_equal(file_count(r), 1);
}

/* What happens between the begin and the rename counts, too. */
static void what_changes_meanwhile_is_not_overwritten(void **state)
{
    struct rig *r = *state;
    const struct {
        struct file_put_request request;
        bool before;
        int error;
    } cases[] = {
        {{.condition = FILE_PUT_ABSENT}, false, SCOUT_E_EXISTS},
        {{.condition = FILE_PUT_ETAG}, true, SCOUT_E_CHANGED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct file_put_request request = cases[i].request;
        char etag[ETAG_SIZE];
        unlink(world_path(&r->w, "f"));
        if (cases[i].before) {
            put(r, world_path(&r->w, "f"), "one", (struct file_put_request){0});
            memcpy(etag, r->result.etag, sizeof etag);
            request.etag = etag;
        }
        request.has_contents = true;
        request.contents = slice_str("two");
        r->settled = r->written = 0;
        put_begin(r, world_path(&r->w, "f"), request, &waiting);
        while (!r->settled)
            world_step(&r->w);
        assert_int_equal(r->settled_exists, cases[i].before);
        for (unsigned step = 0; step < 3; step++)
            world_step(&r->w);
        assert_int_equal(file_count(r), cases[i].before); /* nothing before it may go on */
        file_put_go(r->put);
        while (!r->written)
            world_step(&r->w);
        assert_int_equal(file_count(r), 1 + cases[i].before);
        world_put(&r->w, "f", "of others", 9);
        file_put_place(r->put);
        put_end(r);
        expect_error(r, cases[i].error, "");
        expect_text(r, "f", "of others");
        assert_int_equal(file_count(r), 1);
    }
}

static void only_regular_files_are_written(void **state)
{
    struct rig *r = *state;
    assert_int_equal(mkdir(world_path(&r->w, "d"), 0700), 0);
    put(r, world_path(&r->w, "d"), "x", (struct file_put_request){0});
    expect_error(r, SCOUT_E_NOT_A_FILE, "is a directory");
    assert_int_equal(rmdir(world_path(&r->w, "d")), 0);
    assert_int_equal(mkfifo(world_path(&r->w, "p"), 0600), 0);
    put(r, world_path(&r->w, "p"), "x", (struct file_put_request){0});
    expect_error(r, SCOUT_E_NOT_A_FILE, "is a FIFO");
    put(r, "/dev/null", "x", (struct file_put_request){0});
    expect_error(r, SCOUT_E_NOT_A_FILE, "is a character device");
    put(r, world_path(&r->w, "no/f"), "x", (struct file_put_request){0});
    expect_error(r, SCOUT_E_NOT_FOUND, "Path not found");
    put(r, world_path(&r->w, "new/"), "x", (struct file_put_request){0});
    expect_error(r, SCOUT_E_INVALID_ARGUMENT, "does not end in the name of a file");
    assert_int_equal(r->permits, 0);
    assert_int_equal(file_count(r), 1);
}

static void what_is_forbidden_is_not_begun(void **state)
{
    struct rig *r = *state;
    r->forbid = true;
    put(r, world_path(&r->w, "f"), "x", (struct file_put_request){0});
    expect_error(r, SCOUT_E_POLICY, "forbidden by the test");
    assert_int_equal(r->permits, 1);
    assert_int_equal(r->w.pool.asked[TYPE_OPEN], 0);
    assert_int_equal(file_count(r), 0);
}

/* ---- without SFTP ---- */

static void a_shell_writes_a_new_file(void **state)
{
    struct rig *r = *state;
    r->w.pool.no_sftp = true;
    r->len = 1024 * 1024 + 7;
    uint8_t *bytes = pattern(r->len);
    r->bytes = bytes;
    put_begin(r, world_path(&r->w, "a b'c\n"), (struct file_put_request){0}, &at_once);
    put_end(r);
    assert_int_equal(r->result.failure.error, 0);
    expect_file(r, "a b'c\n", bytes, r->len);
    assert_int_equal(mode_of(r, "a b'c\n"), FILE_PUT_MODE);
    assert_int_equal(file_count(r), 1);
    assert_true(r->result.created && r->result.owner_kept);
    assert_int_equal(r->result.attrs.size, r->len);
    assert_int_equal(r->told, r->len);
    free(bytes);
}

static void a_shell_keeps_what_sftp_keeps(void **state)
{
    struct rig *r = *state;
    struct stat st;
    r->w.pool.no_sftp = true;
    world_put(&r->w, "f", "before", 6);
    assert_int_equal(chmod(world_path(&r->w, "f"), 04751), 0);
    if (getuid() == 0)
        assert_int_equal(chown(world_path(&r->w, "f"), 12345, 23456), 0);
    assert_int_equal(symlink("f", world_path(&r->w, "link")), 0);
    put(r, world_path(&r->w, "link"), "after", (struct file_put_request){0});
    assert_int_equal(r->result.failure.error, 0);
    expect_text(r, "f", "after");
    assert_string_equal(r->real_path, world_path(&r->w, "f"));
    assert_int_equal(stat(world_path(&r->w, "f"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0751);
    assert_int_equal(st.st_uid, getuid() == 0 ? 12345 : getuid());
    assert_int_equal(file_count(r), 2);
    char etag[ETAG_SIZE];
    memcpy(etag, r->result.etag, sizeof etag);
    put(r, world_path(&r->w, "f"), "more of it",
        (struct file_put_request){.condition = FILE_PUT_ETAG, .etag = etag});
    assert_int_equal(r->result.failure.error, 0);
    expect_text(r, "f", "more of it");
}

static void a_shell_refuses_what_sftp_refuses(void **state)
{
    struct rig *r = *state;
    r->w.pool.no_sftp = true;
    world_put(&r->w, "f", "before", 6);
    assert_int_equal(mkfifo(world_path(&r->w, "p"), 0600), 0);
    put(r, world_path(&r->w, "f"), "x", (struct file_put_request){.condition = FILE_PUT_ABSENT});
    expect_error(r, SCOUT_E_EXISTS, "is there already");
    put(r, world_path(&r->w, "f"), "x",
        (struct file_put_request){.condition = FILE_PUT_ETAG, .etag = "\"1-6\""});
    expect_error(r, SCOUT_E_CHANGED, "read it again");
    put(r, world_path(&r->w, "p"), "x", (struct file_put_request){0});
    expect_error(r, SCOUT_E_NOT_A_FILE, "is a FIFO");
    put(r, r->w.place.dir, "x", (struct file_put_request){0});
    expect_error(r, SCOUT_E_NOT_A_FILE, "is a directory");
    put(r, world_path(&r->w, "no/f"), "x", (struct file_put_request){0});
    expect_error(r, SCOUT_E_NOT_FOUND, "Path not found");
    r->forbid = true;
    put(r, world_path(&r->w, "g"), "x", (struct file_put_request){0});
    expect_error(r, SCOUT_E_POLICY, "forbidden by the test");
    expect_text(r, "f", "before");
    assert_int_equal(file_count(r), 2);
}

static void a_shell_sees_what_changes_meanwhile(void **state)
{
    struct rig *r = *state;
    const enum file_put_condition conditions[] = {FILE_PUT_ABSENT, FILE_PUT_ETAG, FILE_PUT_ANY};
    const int errors[] = {SCOUT_E_EXISTS, SCOUT_E_CHANGED, SCOUT_E_NOT_A_FILE};
    r->w.pool.no_sftp = true;
    for (unsigned i = 0; i < 3; i++) {
        char etag[ETAG_SIZE] = "";
        struct file_put_request request = {.condition = conditions[i],
                                           .etag = etag,
                                           .has_contents = true,
                                           .contents = slice_str("two")};
        if (i == 1) {
            put(r, world_path(&r->w, "f"), "one", (struct file_put_request){0});
            memcpy(etag, r->result.etag, sizeof etag);
        }
        r->settled = r->written = 0;
        put_begin(r, world_path(&r->w, "f"), request, &waiting);
        while (!r->settled)
            world_step(&r->w);
        file_put_go(r->put);
        while (!r->written)
            world_step(&r->w);
        if (i < 2)
            world_put(&r->w, "f", "of others", 9);
        else
            assert_int_equal(mkdir(world_path(&r->w, "f"), 0700), 0);
        file_put_place(r->put);
        put_end(r);
        expect_error(r, errors[i], "");
        assert_int_equal(file_count(r), 1);
        remove(world_path(&r->w, "f"));
    }
}

static void a_stopped_shell_leaves_nothing(void **state)
{
    struct rig *r = *state;
    r->w.pool.no_sftp = true;
    r->len = 1024 * 1024;
    uint8_t *bytes = pattern(r->len);
    r->bytes = bytes;
    for (unsigned steps = 0; steps <= 6; steps++) {
        r->given = 0;
        put_begin(r, world_path(&r->w, "f"), (struct file_put_request){0}, &at_once);
        for (unsigned i = 0; i < steps && r->put; i++)
            world_step(&r->w);
        if (r->put)
            file_put_stop(r->put);
        put_end(r);
        assert_int_equal(file_count(r), r->result.failure.error ? 0 : 1);
        unlink(world_path(&r->w, "f"));
    }
    free(bytes);
}

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
        TEST(a_new_file_takes_four_round_trips),
        TEST(an_empty_file_is_written),
        TEST(a_replaced_file_keeps_its_mode_but_not_setuid),
        TEST(no_etag_comes_twice),
        TEST(the_owner_is_kept_where_that_may_be),
        TEST(a_group_that_cannot_be_kept_gets_no_more_than_others),
        TEST(a_links_target_is_written_and_the_link_stays),
        TEST(a_link_to_nothing_makes_its_target),
        TEST(large_contents_are_asked_for_as_there_is_room),
        TEST(a_file_that_must_not_be_there_is_not_overwritten),
        TEST(an_etag_has_to_fit),
        TEST(what_changes_meanwhile_is_not_overwritten),
        TEST(only_regular_files_are_written),
        TEST(what_is_forbidden_is_not_begun),
        TEST(a_shell_writes_a_new_file),
        TEST(a_shell_keeps_what_sftp_keeps),
        TEST(a_shell_refuses_what_sftp_refuses),
        TEST(a_shell_sees_what_changes_meanwhile),
        TEST(a_stopped_shell_leaves_nothing),
        cmocka_unit_test(a_lost_connection_leaves_nothing_behind),
        TEST(a_connection_lost_while_the_source_is_slow_is_told),
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
