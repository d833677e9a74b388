/* What the tests of the SFTP client share: a server that is written down packet by packet, and
 * requests that remember what they were told. */
#ifndef SCOUT_TEST_SFTP_SCRIPT_H
#define SCOUT_TEST_SFTP_SCRIPT_H

#include "scout/base/error.h"
#include "scout/ssh/sftp.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

enum {
    REQUEST_INIT = 1,
    REPLY_VERSION = 2,
    REQUEST_OPEN = 3,
    REQUEST_CLOSE = 4,
    REQUEST_READ = 5,
    REQUEST_WRITE = 6,
    REQUEST_FSTAT = 8,
    REQUEST_SETSTAT = 9,
    REQUEST_FSETSTAT = 10,
    REQUEST_READDIR = 12,
    REQUEST_REMOVE = 13,
    REQUEST_MKDIR = 14,
    REQUEST_RMDIR = 15,
    REQUEST_REALPATH = 16,
    REQUEST_STAT = 17,
    REQUEST_RENAME = 18,
    REPLY_STATUS = 101,
    REPLY_HANDLE,
    REPLY_DATA,
    REPLY_NAME,
    REPLY_ATTRS,
    REQUEST_EXTENDED = 200,
    REPLY_EXTENDED = 201,
};

/* ---- packets, written ---- */

struct script {
    uint8_t bytes[65536];
    size_t len;
    size_t packet; /* where the packet that is being written begins */
};

void put_u8(struct script *s, uint8_t v);
void put_u32(struct script *s, uint32_t v);
void put_u64(struct script *s, uint64_t v);
void put_text(struct script *s, const char *text);
void packet_begin(struct script *s, uint8_t type, uint64_t id);
void packet_end(struct script *s);

void put_version(struct script *s, uint32_t version); /* offers posix-rename */
/* Offers `count` extensions, each in version "1". */
void put_version_with(struct script *s, const char *const *names, size_t count);
void put_status(struct script *s, uint64_t id, uint32_t status, const char *message);
void put_handle(struct script *s, uint64_t id, const char *handle);
void put_data(struct script *s, uint64_t id, const char *data);
void put_full_attrs(struct script *s); /* every field of version 3, extended pairs included */
void put_attrs(struct script *s, uint64_t id);
void put_names(struct script *s, uint64_t id, uint32_t count);
void put_limits(struct script *s, uint64_t id, uint64_t packet, uint64_t read, uint64_t write,
                uint64_t handles);

/* ---- the client ---- */

struct call {
    struct sftp_request request;
    unsigned replies;
    struct sftp_reply last;
    char text[2048]; /* what the reply said, borrowed parts included */
    void (*then)(struct call *c);
    struct sftp *client;
    struct call *other;
};

struct ready {
    unsigned calls;
    int error;
};

void on_ready(void *context, int error);
void on_reply(struct sftp_request *request, const struct sftp_reply *reply);

struct sftp *new_client(struct ready *ready, size_t out_max);
/* A client that is past VERSION and has written everything. */
struct sftp *ready_client(void);
int feed(struct sftp *s, const struct script *script);
void end(struct sftp *s);

/* Opens `count` handles named by their number. */
void open_handles(struct sftp *s, struct sftp_handle *handles, unsigned count);
/* Reads one CLOSE from the output: its handle into `handle`, its id back. */
uint32_t take_close(struct sftp *s, char *handle);
/* The output is exactly `expected`; it is consumed. */
void expect_output(struct sftp *s, const struct script *expected);

#endif
