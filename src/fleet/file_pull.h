/* The parts of one file_pull: file_pull.c has its life and its begin, pull_read.c the reading over
 * SFTP, pull_shell.c all of it on a host without. Private to the layer. */
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

struct pull_shell;

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
    uint32_t head, tail;      /* of the ring; they only grow */
    uint32_t in_flight;       /* requests */
    uint32_t window;          /* bytes asked for or kept */
    bool handing;             /* bytes are being handed on */
    struct pull_shell *shell; /* NULL: over SFTP */
    struct pull_slot slots[PULL_SLOTS];
    char shown[];
};

void pull_fail_changed(struct file_pull *p);

#define PULL_DIRECTORY    "is a directory: only regular files can be copied"
#define PULL_NO_FILE      "is no regular file: a device, a FIFO or a socket cannot be copied"
#define PULL_NO_REAL_PATH "cannot be copied: the host does not tell where it really is"
#define PULL_NO_SIZE      "has no size of its own, as in /proc: it cannot be copied, only read"

/* It is open, and so is it told; from now on nothing is repeated. */
void pull_opened(struct file_pull *p, const struct sftp_attrs *attrs);

/* Hands on what is wanted and asks for more; ends in the visit's end. */
void pull_go_on(struct file_pull *p);

/* The host offers no SFTP: the same by its shell. The look is the visit's command, which feeds. */
void pull_shell_start(struct file_pull *p);
int pull_shell_feed(struct file_pull *p, struct slice data);
void pull_shell_fed(struct file_pull *p, int status);
void pull_shell_go(struct file_pull *p, uint64_t offset);
void pull_shell_go_on(struct file_pull *p);
void pull_shell_abandon(struct file_pull *p);
void pull_shell_free(struct file_pull *p);

#endif
