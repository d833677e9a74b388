/* Private to tools: one job and the table of them.
 *
 *     reserved --job_detach()--> going on --its call ends--> ended --JOB_KEEP_S--> gone
 *         \--its call ends: gone
 */
#ifndef SCOUT_TOOLS_JOB_H
#define SCOUT_TOOLS_JOB_H

#include "job_log.h"
#include "scout/tools/job_table.h"
#include "scout/tools/tool.h"

#define JOB_HANDLE_SIZE  27 /* "job_", 22 characters of base64url, NUL */
#define JOB_MESSAGE_SIZE 64
#define JOB_RESULT_MAX   (16u * 1024u * 1024u) /* bytes of a result as JSON */

enum job_state { JOB_RESERVED, JOB_GOES_ON, JOB_ENDED };

struct job;

/* Who wants to know when there is more to read, or no more to come. Embedded, zeroed. */
struct job_waiter {
    struct list node;
    struct job *job; /* NULL: it waits for none, or the job is gone */
    void (*fn)(struct job_waiter *w);
};

/* What it waits to be told (job_ask.c). All is empty while it waits for nothing. */
struct job_question {
    bool is_open;
    uint32_t can; /* TOOL_CAN_ of its caller */
    unsigned rounds;
    struct identity identity;
    const struct tool_registry *registry;
    uint64_t deadline_ns;
    struct buf arguments; /* raw, of the call that is begun anew */
    struct buf requests;  /* JSON, an object: the requests by their keys */
    struct buf answers;   /* JSON, members */
    struct buf state;
};

struct job {
    struct list node; /* in the table: in the order of their begins, then of their ends */
    struct job_table *jobs;
    enum job_state state;
    char handle[JOB_HANDLE_SIZE];
    char owner[IDENTITY_NAME_MAX + 1];
    struct tool_call *call; /* NULL: it has ended */
    const struct tool *tool;
    struct job_log log;
    bool speaks; /* what the work says is in the log as it comes; else its result, at the end */
    struct buf about;  /* JSON, an object: what the tool says of itself while it goes on */
    struct buf result; /* JSON, an object: of the call that has ended */
    bool is_error, was_cancelled;
    int fault; /* why there is no result; 0: there is one */
    struct job_question question;
    char host[AUDIT_HOST_MAX + 1];   /* that it is about; empty: none */
    uint64_t created_ms, changed_ms; /* wall clock, of the job and of how it stands */
    uint64_t started_ns, ended_ns, until_ns;
    uint64_t progress, progress_total; /* total 0: not known */
    char message[JOB_MESSAGE_SIZE];    /* of the progress; empty: none was told */
    struct list waiters, told;
    bool telling, gone;          /* within telling its waiters; freed meanwhile */
    struct redactor *redactor;   /* NULL: what it says is shown as it is */
    struct job_waiter detaching; /* until the call is answered */
    bool paused;                 /* its work, until what it said is clean */
    struct job_cleaner *cleaner; /* NULL: none is at work */
};

/* A place for the call, which may become a job. NULL: there is no room for another one. */
struct job *job_reserve(struct job_table *j, struct tool_call *call);
/* The call has ended and was no job. */
void job_release(struct job *job);
/* The call is a job from now on, with a handle. */
void job_begin(struct job *job);
/* Its call ends with this. */
void job_end(struct job *job, struct tool_call *call, const struct tool_result *result);
/* The job, which has no call, ends with this failure. */
void job_fail(struct job *job, const struct failure *why);
struct io *job_io(const struct job *job);
/* Whether no call may become a job any more. */
bool job_table_is_stopping(const struct job_table *j);

/* ---- job_result.c ---- */

/* Writes it; where it cannot be kept, `fault` says why and the result says that. */
void job_take_result(struct job *job, const struct tool_result *result);
/* Its first text, into the log; it is clean. */
void job_say_result(struct job *job);

/* ---- job_wait.c ---- */

/* Tells all who wait. */
void job_tell(struct job *job);
/* The job goes: a cleaning that is under way is not told to it. */
void job_leave_cleaner(struct job *job);
/* Has what came since be cleaned; the waiters are told. True: there is nothing to be cleaned. */
bool job_settle(struct job *job);
void job_wait(struct job *job, struct job_waiter *w, void (*fn)(struct job_waiter *w));
void job_wait_end(struct job_waiter *w);

/* ---- job_ask.c ---- */

void job_question_init(struct job_question *q);
void job_question_fini(struct job_question *q);
/* The call has ended with questions. False: they cannot be asked. */
bool job_ask(struct job *job, const struct tool_call *call, const struct tool_questions *questions);
/* The member "inputRequests": what is not answered. */
void job_write_questions(struct json_writer *w, const struct job *job);

/* ---- tool_detach.c ---- */

/* For calls that are a job from their begin. */
void job_on_done(struct tool_call *call, const struct tool_result *result);
void job_on_progress(struct tool_call *call, uint64_t done, uint64_t total, const char *message);

/* ---- job_read.c ---- */

#define JOB_PREFIX     "job_"
#define JOB_WAIT_MAX_S 40 /* that a reader may ask to wait */

/* Of a call of the tool `output` whose handle begins with JOB_PREFIX. */
void job_read_start(struct tool_call *call, const struct cJSON *args);
void job_read_cancel(struct tool_call *call);

/* ---- job_page.c ---- */

/* What of a job is shown at a time. */
struct job_page {
    const struct job *job;
    uint64_t from, to; /* offsets of its log */
    uint64_t lost;     /* bytes in front that are not kept any more */
    uint64_t now_ns;
};

/* From `offset` on, `size` characters at most. */
void job_page_make(struct job_page *p, const struct job *job, uint64_t offset, size_t size);
void job_page_write(struct json_writer *w, const void *context);

#endif
