/* Puts a regular file at a path of a host: all of it, or nothing.
 *
 *   look --condition, permit--> settled --go--> temporary file --> contents --> checked --> renamed
 *
 * The contents go to a new hidden file (mode 0600) beside the one that is meant, are brought to the
 * disk where the server can do that (fsync@openssh.com), and their size is checked; then that file
 * takes the place of the old one in one step. Until then nothing is to be seen under the name; when
 * it ends in any other way, the temporary file is removed, over a new connection where the old one
 * was lost.
 *
 * What is written is what the path leads to: where its last component is a symbolic link, the link
 * stays and its target is replaced, as an editor has it. The mode is that of the file that was
 * there (or as asked for, or 0644), never with setuid, setgid or the sticky bit; owner and group
 * are kept where the login may do that, and where the group cannot be kept, the group may do no
 * more than everybody. Access control lists, and other names of the same file (hard links), are not
 * carried over: those names keep the old contents.
 *
 * What replaces a file within the same second as that was written in gets a time one second later,
 * so that its etag is another one.
 *
 * It is never begun twice: once the temporary file was asked for, a lost connection is a failure.
 *
 * A host that offers no SFTP gets the same by commands of its shell (any POSIX sh), for which a
 * login must be able to run commands.
 *
 * Nothing is left out silently: a server that cannot replace a file in one step is told as such
 * before anything is sent. What remains: who can write to that folder of the host may change the
 * file between the last check and the rename. */
#ifndef SCOUT_FLEET_FILE_PUT_H
#define SCOUT_FLEET_FILE_PUT_H

#include "scout/fleet/etag.h"
#include "scout/fleet/fleet.h"

#define FILE_PUT_WINDOW   (4u * 1024u * 1024u) /* bytes on their way to the host's disk */
#define FILE_PUT_CLEAN_MS 5000 /* for removing the temporary file, behind a failure */
#define FILE_PUT_MODE     0644u
#define FILE_PUT_KEEP_MIN                                                                          \
    (FILE_PUT_WINDOW + 4u * 1024u * 1024u) /* less is not worth being kept                         \
                                            */

/* What has to be there, when it begins and again just before the rename. */
enum file_put_condition {
    FILE_PUT_ANY,    /* a regular file, or nothing */
    FILE_PUT_ABSENT, /* nothing */
    FILE_PUT_ETAG,   /* a file with that etag */
};

/* Borrowed for the call. */
struct file_put_target {
    struct slice real_path; /* absolute: what will be there afterwards */
    bool exists;
    struct sftp_attrs attrs; /* of the file that is there */
    char etag[ETAG_SIZE];    /* likewise; "" without one */
};

struct file_put_result {
    struct failure failure; /* error 0: the rest is meaningful */
    uint64_t connected_ns;  /* when it had its connection; 0: it never had one */
    struct slice real_path;
    struct sftp_attrs attrs; /* of the new file: size, mtime, mode, owner */
    char etag[ETAG_SIZE];
    bool created;           /* nothing was there before */
    bool synced;            /* the host says that the contents are on its disk */
    bool owner_kept;        /* owner and group are those of the file before; true when created */
    bool may_have_replaced; /* with a failure: the new file may be in its place nevertheless */
    bool left_behind;       /* with a failure, which names it: the temporary file may be there */
    uint64_t resumed;       /* bytes that an earlier attempt had brought there */
    bool kept;              /* with a failure: what arrived is kept under `keep_as` */
};

struct file_put;

struct file_put_events {
    /* The target is known and the condition holds, nothing was changed. 0, or a failure with *why,
     * which is then the result. It may be asked twice, when the connection was lost meanwhile. Not
     * to be stopped from within. NULL: everything is allowed. */
    int (*permit)(void *context, const struct file_put_target *target, struct failure *why);
    /* It was permitted, and waits for file_put_go (now or later, or file_put_stop). Once. NULL: it
     * goes on at once. */
    void (*on_settled)(void *context, const struct file_put_target *target);
    /* Contents are wanted: file_put_write and file_put_end, now or later; told again whenever there
     * is room again. Not with contents from memory. */
    void (*on_room)(void *context);
    /* All is written to the temporary file, its size was checked: file_put_place (now or later, or
     * file_put_fail) follows. `temp` is borrowed for the call. NULL: it goes on at once. */
    void (*on_written)(void *context, const char *temp);
    /* So many bytes have arrived at the host. May be NULL. It must not be stopped from within. */
    void (*on_progress)(void *context, uint64_t done);
    /* Exactly once, last, never from within a call; the file_put is gone then. Borrowed. */
    void (*on_end)(void *context, const struct file_put_result *result);
};

/* All that it points to is copied but host, principal and contents: these live until on_end. */
struct file_put_request {
    const struct ssh_host *host;
    const char *path; /* a target's */
    const char *principal;
    uint64_t client;
    uint64_t deadline_ns; /* it ends by then, but for the removal of the temporary file */
    uint64_t idle_ns;     /* not 0: from file_put_go on there is no deadline; it ends when the host
                             answers nothing for so long while something is asked of it */
    enum file_put_condition condition;
    const char *etag; /* of FILE_PUT_ETAG */
    const char
        *keep_as;      /* NULL: nothing is kept. Else the name, beside the target, under which what
                          has arrived is kept when the connection is lost or the host falls silent,
                          and from which it is gone on with: it stands for these very contents */
    uint64_t size;     /* of the contents; with keep_as */
    bool has_mode;     /* else that of the file before, or FILE_PUT_MODE */
    uint32_t mode;     /* permission bits; of them 0777 count */
    bool has_contents; /* they are in `contents`; else on_room asks for them */
    struct slice contents;
};

/* NULL without memory, or with a path that is too long. */
struct file_put *file_put_start(struct fleet *f, const struct file_put_request *request,
                                const struct file_put_events *events, void *context);
/* After on_settled: the effect may begin. */
void file_put_go(struct file_put *p);

/* Within and after the first on_room: where the contents that are wanted begin. */
uint64_t file_put_offset(const struct file_put *p);
/* How many bytes it takes now; 0 before on_room. */
size_t file_put_room(struct file_put *p);
/* `data` has at most file_put_room bytes, and goes out at once. When that fails it ends, by on_end;
 * what is written then is dropped. */
void file_put_write(struct file_put *p, struct slice data);
/* That was all. */
void file_put_end(struct file_put *p);
/* After on_written: it may take its place. */
void file_put_place(struct file_put *p);
/* The contents cannot be had, or are wrong: it ends with this failure. */
void file_put_fail(struct file_put *p, const struct failure *why);
/* It ends, with SCOUT_E_CANCELLED; on_end still follows, when nothing is left behind. */
void file_put_stop(struct file_put *p);

#endif
