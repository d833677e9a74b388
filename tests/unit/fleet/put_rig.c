#include "put_rig.h"

#include "kept_files.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define STEPS_MAX 20000

unsigned kept;

/* Stands in for the list of what is to be removed later. */
void kept_files_add(struct fleet *f, const struct ssh_host *host, const char *principal,
                    const char *path)
{
    (void)f, (void)host;
    assert_string_equal(principal, "");
    assert_int_equal(access(path, F_OK), 0);
    kept++;
}

int permit(void *context, const struct file_put_target *target, struct failure *why)
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

void on_room(void *context)
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

void on_progress(void *context, uint64_t done)
{
    struct rig *r = context;
    assert_true(done > r->told);
    r->told = done;
}

void on_end(void *context, const struct file_put_result *result)
{
    struct rig *r = context;
    assert_false(r->w.done);
    r->w.done = true;
    r->put = NULL;
    r->result = *result;
}

const struct file_put_events at_once = {
    .permit = permit, .on_room = on_room, .on_progress = on_progress, .on_end = on_end};
const struct file_put_events waiting = {.permit = permit,
                                        .on_settled = on_settled,
                                        .on_room = on_room,
                                        .on_written = on_written,
                                        .on_progress = on_progress,
                                        .on_end = on_end};

void put_begin(struct rig *r, const char *path, struct file_put_request request,
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

void put_end(struct rig *r)
{
    for (unsigned i = 0; i < STEPS_MAX && !r->w.done; i++)
        world_step(&r->w);
    assert_true(r->w.done);
    world_settle(&r->w);
}

void put(struct rig *r, const char *path, const char *text, struct file_put_request request)
{
    request.has_contents = true;
    request.contents = slice_str(text);
    put_begin(r, path, request, &at_once);
    put_end(r);
}

unsigned file_count(const struct rig *r)
{
    unsigned count = 0;
    DIR *d = opendir(r->w.place.dir);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));)
        count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return count;
}

void expect_file(const struct rig *r, const char *name, const void *bytes, size_t len)
{
    size_t have;
    uint8_t *text = read_file(&r->w.place, name, &have);
    assert_int_equal(have, len);
    assert_memory_equal(text, bytes, len);
    free(text);
}

void expect_text(const struct rig *r, const char *name, const char *text)
{
    expect_file(r, name, text, strlen(text));
}

void expect_error(const struct rig *r, int error, const char *fragment)
{
    assert_int_equal(r->result.failure.error, error);
    if (!strstr(r->result.failure.text, fragment))
        fail_msg("'%s' is not in: %s", fragment, r->result.failure.text);
}

unsigned mode_of(const struct rig *r, const char *name)
{
    struct stat st;
    assert_int_equal(lstat(world_path(&r->w, name), &st), 0);
    return st.st_mode & 07777;
}

uint8_t *pattern(size_t len)
{
    uint8_t *bytes = malloc(len);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    return bytes;
}

int setup(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    world_start(&r->w);
    *state = r;
    return 0;
}

int teardown(void **state)
{
    struct rig *r = *state;
    world_stop(&r->w);
    free(r);
    return 0;
}
