/* The parts of one file_pull: file_pull.c has its life and its begin, pull_read.c the reading.
 * Private to the layer. */
#ifndef SCOUT_FLEET_FILE_PULL_PRIVATE_H
#define SCOUT_FLEET_FILE_PULL_PRIVATE_H

#include "scout/fleet/file_source.h"
#include "visit.h"

#define PULL_SLOTS 64             /* places of the ring: a power of two */
#define PULL_CHUNK (255u * 1024u) /* bytes of one read at most */

struct pull_slot {
    struct sftp_request request;
    struct file_pull *pull;
    uint64_t offset;
    uint32_t len, got; /* of the read; of them have come */
    uint32_t taken;    /* of them are handed on */
    uint8_t *kept;     /* NULL: nothing had to be kept */
};

struct file_pull {
    struct visit visit;
    const struct file_source_events *events;
    void *context;
    uint64_t idle_ns;
    struct sftp_request request, real_request; /* stat, open, fstat; realpath */
    struct sftp_request behind_request;        /* a read at the end */
    bool stat_known, opened, going, ending;
    char *real_path;
    struct sftp_handle handle;
    bool handle_open;
    struct sftp_attrs attrs; /* as it was opened */
    uint64_t size, asked;
    uint32_t head, tail; /* of the ring; they only grow */
    uint32_t in_flight;  /* requests */
    uint32_t window;     /* bytes asked for or kept */
    bool handing;        /* bytes are being handed on */
    struct pull_slot slots[PULL_SLOTS];
    char shown[];
};

/* "PATH text": it has failed. */
void pull_fail(struct file_pull *p, int error, const char *text);

/* Hands on what is wanted and asks for more; ends in the visit's end. */
void pull_go_on(struct file_pull *p);

#endif
