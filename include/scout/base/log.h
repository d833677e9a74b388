/* Structured log lines: `time level event key=value ...`, one line each (logfmt).
 *
 * Pure: a record is formatted into the log's own capped buffer; the daemon drains it through the
 * ring, so that a slow reader of stderr never stops the loop. What does not fit is counted and the
 * count is reported in the next line that does. Values are quoted and escaped where needed: text
 * from hosts or clients cannot forge a line. */
#ifndef SCOUT_BASE_LOG_H
#define SCOUT_BASE_LOG_H

#include "scout/base/buf.h"
#include "scout/base/time.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log {
    enum log_level level; /* records above it are dropped */
    uint64_t now_ms;      /* wall clock of the records, where there is no `clock` */
    uint64_t (*clock)(const void *context); /* gives it; may be NULL */
    const void *clock_context;
    struct buf out;
    uint64_t dropped;                 /* records lost since the last one written */
    void (*on_record)(struct log *l); /* told after each record; may be NULL */
    uint64_t time_ms;                 /* the last record's, and its text */
    char time[TIME_TEXT_SIZE];
};

void log_init(struct log *l, enum log_level level, size_t max);
void log_fini(struct log *l);

/* Pairs of `const char *key, const char *value`, ended by NULL. A NULL value is left out. */
__attribute__((sentinel)) void log_event(struct log *l, enum log_level level, const char *event,
                                         ...);

/* "error", "warn", "info", "debug" to a level; -1 for anything else. */
int log_level_parse(const char *name);

#endif
