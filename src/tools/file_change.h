/* One change of a file, as the tools write, edit and undo make it. Private to the layer. */
#ifndef SCOUT_TOOLS_FILE_CHANGE_H
#define SCOUT_TOOLS_FILE_CHANGE_H

#include "change_job.h"
#include "scout/fleet/etag.h"
#include "scout/fleet/file_remove.h"
#include "scout/fleet/holdings.h"
#include "scout/fleet/path_lock.h"
#include "scout/fleet/target.h"
#include "scout/tools/tool.h"

#define CHANGE_HOLD_FACTOR 3 /* bytes in memory for each of the content: before, after, to work */

enum change_kind { CHANGE_WRITE, CHANGE_EDIT, CHANGE_UNDO };

struct change {
    struct tool_call *call;
    enum change_kind kind;
    struct target target;
    const struct ssh_host *host;
    size_t size_max; /* bytes of the file before and after */

    /* Arguments; strings live as long as the call. */
    const char *etag;                                /* that it has to have; NULL: any */
    const char *content;                             /* of a write */
    const char *old_string, *new_string;             /* of an edit */
    const char *undo_id;                             /* of an undo; NULL: the last change */
    bool overwrite, replace_all, dry_run, sets_mode; /* to `mode` */
    uint32_t mode;

    /* Under way; of the first six at most one, but that the effect waits for undo_wait. */
    struct path_get *get;
    struct path_lock lock;
    bool job_runs;
    struct undo_wait undo_wait;
    struct file_put *put;
    struct file_remove *remove;

    struct holding holding; /* the content before and after, and room to work */

    /* What is known. */
    uint64_t turns; /* that had ended when the look began */
    bool has_turn;  /* at the file */
    bool is_old;    /* what was read may be, or was dropped */
    bool existed;   /* there is a file, with these: */
    struct sftp_attrs attrs;
    char etag_before[ETAG_SIZE];
    char real_path[SFTP_PATH_MAX + 1]; /* "": not told, or not there */
    bool may_show;                     /* the difference */
    const char *wants;                 /* of a dry run: the rule that wants a person's word */
    char undone[UNDO_ID_LEN + 1];      /* the state that is taken back */
    bool of_undo;                      /* that state was kept by an undo */
    struct change_job *job;
    bool settled;               /* all was asked for: a dry run ends here */
    char kept[UNDO_ID_LEN + 1]; /* the state before, kept or being kept; "": none */
    struct failure ending;      /* error not 0: why the put or remove is being stopped */
};

/* Makes it. The call's state is `c`, which is filled in but for what comes to be known; it ends in
 * tool_call_finish. */
void change_start(struct change *c);
/* The tools' cancel. */
void change_cancel(struct tool_call *call);
/* Before change_start: ends the call. */
void change_fail(struct change *c, const struct failure *why);

/* ---- its parts, in order; each ends the call, or goes on with the next one ---- */

/* What is there, and the turn at it (change_look.c). */
void change_look(struct change *c);
/* Whether so many bytes may be kept beside the content before; else the call has ended. */
__attribute__((warn_unused_result)) bool change_hold(struct change *c, size_t more);
/* What the caller says of it, and what it becomes (file_change.c). */
void change_work(struct change *c);
/* The change itself (change_put.c). */
void change_put(struct change *c);
/* Ends the put or the remove, and with it, later, the call. */
void change_stop(struct change *c, const struct failure *why);

/* "web1:/etc/hosts: " before what is said of the file. */
void change_fail_file(struct change *c, int error, const char *text);
void change_fail_memory(struct change *c);
/* `result` as the answer has it. */
void change_finish(struct change *c, const struct file_put_result *result);

/* ---- the answer (change_result.c) ---- */

struct change_answer {
    const struct change *c;
    const struct file_put_result *result; /* NULL: nothing was changed */
};

void change_answer_write(struct json_writer *w, const void *context);

#endif
