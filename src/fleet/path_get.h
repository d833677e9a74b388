/* The parts of one path_get. Private to the layer. */
#ifndef SCOUT_FLEET_PATH_GET_PRIVATE_H
#define SCOUT_FLEET_PATH_GET_PRIVATE_H

#include "line_range.h"
#include "visit.h"

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
    uint64_t base;  /* where in the file the data begins; all others are counted from there */
    uint64_t room;  /* allocated */
    uint64_t want;  /* bytes to read at most */
    uint64_t keep;  /* bytes of them to be told; what is beyond says that there is more */
    uint64_t lead;  /* bytes of these that stand before what is wanted... */
    uint64_t trail; /* ...and behind */
    uint64_t asked; /* bytes that were asked for */
    uint64_t got;   /* bytes that came */
    uint64_t end;   /* where the file ended, as far as is known */
    uint64_t cut;   /* where a read came short after the handle was closed */
    uint32_t chunk; /* bytes of one read */
    uint32_t in_flight;
    bool one_by_one; /* each read begins where the last one ended */
    bool reopened;
    /* Lines are looked for block by block (line_range.h). */
    bool by_line;
    struct line_range lines;
    struct sftp_request head; /* the file's first bytes, for its last lines */
    bool head_known;
    uint8_t head_bytes[PATH_HEAD_MAX];
    size_t head_len;
    struct file_around *around; /* of lines, what a block does not have (file_around.c) */
    /* Whether it changed. */
    struct sftp_request after;
    bool after_known;
};

struct file_around;
struct dir_read; /* see dir_read.c */
struct exec_reply;

struct path_get {
    struct visit visit;
    path_get_fn *fn;
    path_permit_fn *permit;
    path_progress_fn *progress;
    void *context;
    uint64_t size_max;
    struct path_range range;
    uint32_t around;
    const char *etag; /* the caller's; NULL: none */
    bool watch;
    struct sftp_request request;      /* stat, then open */
    struct sftp_request real_request; /* realpath */
    struct sftp_handle handle;
    bool handle_open;
    bool stat_known;
    char *real_path; /* NUL behind it */
    struct path_result result;
    struct file_read file;
    struct dir_read *dir;
    struct exec_reply *exec; /* NULL: over SFTP */
    char shown[];            /* as the caller wrote it */
};

/* What has this mode (0: not known) is neither a regular file nor a directory: a failure. */
void path_get_refuse(struct path_get *g, uint32_t mode);

/* Remembers the real path; false without memory. One that is too long or has a NUL counts as not
 * told. */
bool path_get_set_real(struct path_get *g, struct slice path);

/* Whether kind and real path, which are known now, are permitted and of interest; otherwise it has
 * failed, or ended with a file that is as it was. */
bool path_get_permitted(struct path_get *g);

/* The SFTP side: stat and realpath, then open, then one of the readers. */
void path_look_start(struct path_get *g);
void path_look_open(struct path_get *g);
void path_look_forget(struct path_get *g, struct sftp *s);

/* The open of the file was just started: where one read is enough, and the client can tell which
 * handle comes, asks for it at once. */
void file_read_ahead(struct path_get *g);
/* Each starts after the handle is open, and ends in one of the above. */
void file_read_start(struct path_get *g);
/* Reads that part of the file into the data, and completes it. */
void file_read_block(struct path_get *g, uint64_t offset, uint64_t len);
/* Goes on when all that was asked for is answered. */
void file_read_settle(struct path_get *g);
/* The result is there but for whether the file changed. */
void file_read_finish(struct path_get *g);
void file_read_forget(struct path_get *g, struct sftp *s);
void file_read_free(struct path_get *g);
/* Lines (file_lines.c): begins; takes a block of so many bytes; all of them are there. */
void file_lines_start(struct path_get *g);
void file_lines_take(struct path_get *g, uint64_t len);
void file_lines_complete(struct path_get *g);
/* What stands around the lines that are told (file_around.c): false: it has to be read first, and
 * the file is completed once more then. */
bool file_around_take(struct path_get *g);
void file_around_forget(struct path_get *g, struct sftp *s);
void dir_read_start(struct path_get *g);
void dir_read_forget(struct path_get *g, struct sftp *s);
void dir_read_free(struct path_get *g);

/* The host offers no SFTP: the same through its shell. */
void exec_read_start(struct path_get *g);
int exec_read_feed(struct path_get *g, struct slice data);
void exec_read_end(struct path_get *g, int status);
void exec_read_free(struct path_get *g);

#endif
