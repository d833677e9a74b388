/* Private to tools: what a job has said, as a model gets it: clean (clean_json.h), addressed by
 * byte offsets that stay, of which the newest JOB_LOG_MAX bytes are kept.
 *
 * Text of the host comes in raw and is taken up by lines, so that nothing is cleaned in two halves:
 * a line that has not ended is shown for what it is, and a private key only when it has ended.
 * Cleaning is a step of its own, between taking the raw text out and putting the clean one in,
 * which may run on another thread. Pure. */
#ifndef SCOUT_TOOLS_JOB_LOG_H
#define SCOUT_TOOLS_JOB_LOG_H

#include "scout/base/buf.h"

#define JOB_LOG_MAX  (1024u * 1024u) /* bytes of clean text that are kept */
#define JOB_RAW_MAX  (1024u * 1024u) /* bytes that wait to be cleaned; what is over is lost */
#define JOB_RAW_HIGH (256u * 1024u)  /* from so many on they do not wait for a reader */
#define JOB_LINE_MAX (64u * 1024u)   /* bytes of a line, or of a key, that are waited for */

struct redactor;

struct job_log {
    struct buf partial[2]; /* the lines of stdout and stderr that have not ended */
    struct buf raw;        /* lines that are not clean yet */
    struct buf text;       /* the clean ones that are kept */
    struct buf line;       /* clean: of what has not ended, as it was at the last cleaning */
    uint64_t base;         /* offset of the first byte that is kept */
    uint64_t lost;         /* raw bytes for which there was no room, not told yet */
    bool has_news;         /* something came since the last cleaning began */
    bool ended;            /* nothing comes any more */
};

/* One step of cleaning. Zeroed before use. */
struct job_cleaning {
    const struct redactor *redactor; /* NULL: nothing is redacted */
    struct buf raw, line;            /* in */
    struct buf text, clean_line;     /* out */
    int error;
};

void job_log_init(struct job_log *l);
void job_log_fini(struct job_log *l);

void job_log_add(struct job_log *l, bool is_stderr, struct slice data);
/* Adds what is clean already. */
void job_log_add_clean(struct job_log *l, struct slice text);
/* Nothing more comes: what has not ended, ends. */
void job_log_end(struct job_log *l);

/* Where what is kept ends. */
uint64_t job_log_end_offset(const struct job_log *l);

/* Fills *c with what can be cleaned; then run (on any thread), then put, which frees it. */
void job_log_take(struct job_log *l, struct job_cleaning *c);
void job_cleaning_run(struct job_cleaning *c);
void job_log_put(struct job_log *l, struct job_cleaning *c);
void job_cleaning_fini(struct job_cleaning *c);

#endif
