/* What the tests of file_put share: one put of contents, over a world whose SFTP server is
 * OpenSSH's. */
#ifndef TESTS_UNIT_FLEET_PUT_RIG_H
#define TESTS_UNIT_FLEET_PUT_RIG_H

#include "world.h"

#include "file_put.h"
#include <unistd.h>

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

extern unsigned kept; /* files that kept_files.c would remove later */
int permit(void *context, const struct file_put_target *target, struct failure *why);
void on_room(void *context);
void on_progress(void *context, uint64_t done);
void on_end(void *context, const struct file_put_result *result);
extern const struct file_put_events at_once;
extern const struct file_put_events waiting;
void put_begin(struct rig *r, const char *path, struct file_put_request request,
               const struct file_put_events *events);
void put_end(struct rig *r);
void put(struct rig *r, const char *path, const char *text, struct file_put_request request);
unsigned file_count(const struct rig *r);
void expect_file(const struct rig *r, const char *name, const void *bytes, size_t len);
void expect_text(const struct rig *r, const char *name, const char *text);
void expect_error(const struct rig *r, int error, const char *fragment);
unsigned mode_of(const struct rig *r, const char *name);
uint8_t *pattern(size_t len);
int setup(void **state);
int teardown(void **state);

#endif
