/* The parts of one path_get. Private to the layer. */
#ifndef SCOUT_FLEET_PATH_GET_PRIVATE_H
#define SCOUT_FLEET_PATH_GET_PRIVATE_H

#include "scout/fleet/path_get.h"
#include "scout/fleet/target.h"

struct file_read_slot {
    struct sftp_request request;
    struct path_get *get;
    uint64_t offset;
    uint32_t len;
};

/* Reading a regular file: see file_read.c. */
struct file_read {
    struct file_read_slot slots[PATH_READ_WINDOW];
    uint8_t *data;
    uint64_t room;  /* allocated */
    uint64_t want;  /* bytes to read at most */
    uint64_t asked; /* bytes that were asked for */
    uint64_t end;   /* where the file ended, as far as is known */
    uint32_t in_flight;
    bool size_unknown; /* stat said 0: /proc and its like; read one after the other */
};

struct dir_read_slot {
    struct sftp_request request;
    struct path_get *get;
};

/* Reading a directory: see dir_read.c. Names are offsets into `bytes` until the end. */
struct dir_read {
    struct dir_read_slot slots[PATH_LIST_WINDOW];
    struct path_entry *entries;
    size_t count, room;
    struct buf bytes;
    uint32_t in_flight;
    bool ended, truncated;
};

struct path_get {
    struct fleet *fleet;
    path_get_fn *fn;
    void *context;
    uint64_t size_max, deadline_ns, started_ns;
    char path[TARGET_PATH_MAX + 1];  /* as the host gets it */
    char shown[TARGET_PATH_MAX + 1]; /* as the caller wrote it */
    const char *host_name;
    struct pool_use use;
    struct io_timer timer;
    struct io_task task;         /* delivers the result */
    struct sftp_request request; /* stat, open */
    struct sftp_handle handle;
    bool handle_open, finished;
    struct path_result result;
    struct file_read file;
    struct dir_read dir;
};

/* Ends the operation: the result (or g->result.failure) is delivered by the task. */
void path_get_finish(struct path_get *g);
/* Ends it with the failure of a reply. `what` names the step: "read", "list". */
void path_get_fail_reply(struct path_get *g, const char *what, const struct sftp_reply *reply);
void path_get_fail(struct path_get *g, int error, const char *text);

/* Each starts after the handle is open, and ends in one of the above. */
void file_read_start(struct path_get *g);
void file_read_forget(struct path_get *g, struct sftp *s);
void dir_read_start(struct path_get *g);
void dir_read_forget(struct path_get *g, struct sftp *s);

#endif
