/* The parts of one path_get. Private to the layer. */
#ifndef SCOUT_FLEET_PATH_GET_PRIVATE_H
#define SCOUT_FLEET_PATH_GET_PRIVATE_H

#include "scout/fleet/path_get.h"

/* So many requests in flight on a connection leave room for nobody to read ahead: the other half
 * is for those who have none in flight yet. */
#define PATH_CROWDED (SFTP_IN_FLIGHT_MAX / 2)

struct file_read_slot {
    struct sftp_request request;
    struct path_get *get;
    uint64_t offset;
    uint32_t len;
};

/* Reading a regular file: see file_read.c. Zeroed before each start. */
struct file_read {
    struct file_read_slot first;
    struct file_read_slot *window; /* of more reads than one: PATH_READ_WINDOW slots; else NULL */
    uint8_t *data;
    uint64_t room;  /* allocated */
    uint64_t want;  /* bytes to read at most */
    uint64_t asked; /* bytes that were asked for */
    uint64_t end;   /* where the file ended, as far as is known */
    uint64_t cut;   /* where a read came short after the handle was closed */
    uint32_t chunk; /* bytes of one read */
    uint32_t in_flight;
    bool one_by_one; /* each read begins where the last one ended */
    bool reopened;
};

struct dir_read;  /* see dir_read.c */
struct exec_read; /* see exec_read.c */

struct path_get {
    struct fleet *fleet;
    const struct ssh_host *host; /* the fleet's */
    path_get_fn *fn;
    void *context;
    uint64_t size_max, deadline_ns, started_ns;
    const char *path; /* as the host gets it: a part of `shown`, or "." */
    struct pool_use use;
    struct io_timer timer;
    struct io_task task;              /* delivers the result, or tries again */
    struct sftp_request request;      /* stat, then open */
    struct sftp_request real_request; /* realpath */
    struct sftp_handle handle;
    bool handle_open;
    bool finished; /* nothing of it is on the connection any more; the task goes on with it */
    bool retried;
    bool stat_known;
    char *real_path;
    struct path_result result;
    struct file_read file;
    struct dir_read *dir;
    struct exec_read *exec;
    char shown[]; /* as the caller wrote it */
};

/* Ends the operation: the result (or g->result.failure) is delivered by the task. */
void path_get_finish(struct path_get *g);

/* Each ends it with a failure, or, when the connection was lost, begins once again. `what` names
 * the step: "read", "list". */
void path_get_fail_reply(struct path_get *g, const char *what, const struct sftp_reply *reply);
void path_get_fail(struct path_get *g, int error, const char *text);
void path_get_fail_as(struct path_get *g, const struct failure *why);
void path_get_fail_path(struct path_get *g, int error); /* NOT_FOUND, PERMISSION */
/* What has this mode (0: not known) is neither a regular file nor a directory. */
void path_get_refuse(struct path_get *g, uint32_t mode);

/* Remembers the real path; false without memory. One that is too long or has a NUL counts as not
 * told. */
bool path_get_set_real(struct path_get *g, struct slice path);

/* The SFTP side: stat and realpath, then open, then one of the readers. */
void path_look_start(struct path_get *g);
void path_look_open(struct path_get *g);
void path_look_forget(struct path_get *g, struct sftp *s);

/* Each starts after the handle is open, and ends in one of the above. */
void file_read_start(struct path_get *g);
void file_read_forget(struct path_get *g, struct sftp *s);
void file_read_free(struct path_get *g);
void dir_read_start(struct path_get *g);
void dir_read_forget(struct path_get *g, struct sftp *s);
void dir_read_free(struct path_get *g);

/* The host offers no SFTP: the same through its shell. The use is given back. */
void exec_read_start(struct path_get *g);
/* The stage that it is in, static. */
const char *exec_read_stage(const struct path_get *g);
void exec_read_free(struct path_get *g);

#endif
