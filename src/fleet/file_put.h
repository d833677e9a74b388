/* The parts of one file_put. Private to the layer; the stages are in file_put.c. */
#ifndef SCOUT_FLEET_FILE_PUT_PRIVATE_H
#define SCOUT_FLEET_FILE_PUT_PRIVATE_H

#include "scout/fleet/file_put.h"
#include "visit.h"

#define PUT_SLOTS      64                     /* write requests in flight */
#define PUT_SIDE       5                      /* requests of one step, side by side */
#define PUT_RESERVE    (128u * 1024u)         /* of the SFTP client's output, for others */
#define PUT_AGAIN_NS   10000000ULL            /* until a full output is looked at again */
#define PUT_CHUNK      (255u * 1024u)         /* bytes of one write at most */
#define PUT_TAIL       (32u * 1024u)          /* bytes of a kept file that are compared */
#define PUT_SYNC_EVERY (256u * 1024u * 1024u) /* bytes, after which the disk may catch up */
#define PUT_SYNC_SPEED (10u * 1024u * 1024u)  /* bytes a second that a disk takes at least */
#define PUT_NAME_CHARS 8                      /* that are random in the temporary file's name */
#define PUT_UNCHANGED  UINT32_MAX             /* chown(2): the owner stays */

enum put_stage {
    PUT_LOOKING,   /* what is there is asked for */
    PUT_SETTLED,   /* permitted; file_put_go is waited for */
    PUT_OPENING,   /* from here on the temporary file may be there */
    PUT_WRITING,   /* contents; beside them the owner */
    PUT_FINISHING, /* mode, fsync, fstat, close, and what is there now */
    PUT_WRITTEN,   /* file_put_place is waited for */
    PUT_PLACING,   /* the rename was sent */
    PUT_PLACED,
};

struct put_slot {
    struct sftp_request request;
    struct file_put *put;
    uint32_t len;
};

/* One request of several side by side, and what came of it. */
struct put_side {
    struct sftp_request request;
    struct file_put *put;
    int error;
    struct sftp_attrs attrs;
};

struct file_put {
    struct visit visit;
    struct visit cleaning; /* removes the temporary file */
    bool cleaned_once;     /* that was tried, in vain */
    const struct file_put_events *events;
    void *context;
    enum put_stage stage;
    enum file_put_condition condition;
    char etag[ETAG_SIZE];
    bool has_mode;
    uint32_t mode;
    uint64_t idle_ns;
    bool has_contents;
    struct slice contents; /* what is left of them */
    char *parent;          /* of the path as it was asked for */
    char *real_path, *temp;
    char *keep_as, *partial; /* its name and its path; NULL: nothing is kept */
    uint64_t size, kept_size, begin;
    uint8_t *tail;      /* what the kept file has from `begin` on */
    uint32_t tail_left; /* bytes of it that are still to be compared */
    bool not_kept;      /* it is of no use */
    bool keeping;       /* put_clean.c keeps it */
    struct put_side side[PUT_SIDE];
    unsigned side_waiting;
    char *real_of[2]; /* the answers to realpath, of the path and of its parent */
    struct file_put_target target;
    /* Writing. */
    struct sftp_handle handle;
    bool handle_open;
    struct put_slot slots[PUT_SLOTS];
    uint32_t in_flight; /* bytes */
    unsigned slots_used;
    uint64_t offset, arrived;
    bool ended;   /* no more contents come */
    bool pumping; /* room is being told */
    struct sftp_request sync_request;
    uint64_t synced; /* bytes that were there when that was asked for */
    struct sftp_request owner_request;
    bool owner_asked; /* the answer is waited for */
    bool owner_known; /* it was given: the next one is about the group alone */
    bool owner_kept, group_kept;
    struct io_timer again;
    struct put_shell *shell; /* NULL: over SFTP */
    char removed[64];        /* what the shell said of the removal */
    size_t removed_len;
    struct file_put_result result;
    char shown[]; /* the path as the caller wrote it */
};

/* Starts the i-th request of a step. `error` is what starting it returned; when it is one, the
 * put has failed, and false is returned. */
bool put_side_started(struct file_put *p, unsigned i, int error);
/* The request's answer is noted. True when it was the last of its step; false also when the
 * connection is lost, with which the put has failed. */
bool put_side_take(struct put_side *side, const struct sftp_reply *reply);

/* A failure of the step `what` ("write"). */
void put_fail_reply(struct file_put *p, const char *what, const struct sftp_reply *reply);
/* The connection has gone, and nothing was in flight that would have told of it. */
void put_fail_lost(struct file_put *p);

/* put_target.c: what is at the path; ends in put_settle. */
void put_target_start(struct file_put *p);
/* Whether what has these attributes (NULL: nothing is there) is as the condition wants it;
 * otherwise it has failed. */
bool put_condition_holds(struct file_put *p, const struct sftp_attrs *attrs);
/* Names the temporary file, beside the real path; false without memory. */
bool put_name_temp(struct file_put *p);

/* put_write.c: the temporary file, the contents. */
void put_open(struct file_put *p);
void put_pump(struct file_put *p);

/* The temporary file is open: contents from `begin` on. */
void put_writing(struct file_put *p);

/* put_resume.c. Asks for what is needed to go on, beside the open of the temporary file; false: it
 * has failed. When all three are answered: put_resume_decide, which ends in put_writing. */
bool put_resume_look(struct file_put *p, sftp_reply_fn *fn);
void put_resume_decide(struct file_put *p);
/* What of `data` is behind the bytes that are compared. */
struct slice put_resume_compare(struct file_put *p, struct slice data);
/* Whether what arrived is to be kept now that it has failed. */
bool put_resume_keeps(const struct file_put *p);

/* put_place.c: all is written, and the owner is settled. */
void put_finish(struct file_put *p);
/* Its mode, now that it is known whether the group is kept. */
uint32_t put_mode(const struct file_put *p);

/* put_shell.c: the same steps where there is no SFTP. */
void put_shell_start(struct file_put *p);
int put_shell_feed(struct file_put *p, struct slice data);
void put_shell_fed(struct file_put *p, int status);
void put_shell_open(struct file_put *p);
size_t put_shell_room(const struct file_put *p);
void put_shell_write(struct file_put *p, struct slice data);
void put_shell_end(struct file_put *p);
void put_shell_place(struct file_put *p);
/* Stops at the host what is under way there. */
void put_shell_abandon(struct file_put *p);
void put_shell_free(struct file_put *p);

/* put_clean.c: removes the temporary file, and tells the end. */
void put_clean_start(struct file_put *p);

/* file_put.c */
void put_settle(struct file_put *p);
void put_deliver(struct file_put *p);

#endif
