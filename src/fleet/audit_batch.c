/* Records on their way to the file.
 *
 *     gathering --job--> writing --done--> in the file        (one job at a time: group commit)
 *
 * What is recorded while a job runs gathers for the next one. A record that somebody waits for
 * sends it off at the end of the pass, and the job then waits for the disk; looks and ends go when
 * AUDIT_WRITE bytes have gathered, or after AUDIT_LAZY_MS.
 *
 *     available --a write failed--> failing --a gap record could be written--> available
 *
 * While failing, every AUDIT_RETRY_MS one record, the gap, is tried. */
#include "audit_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void audit_tell(struct list *waits, int error)
{
    for (struct list *node; (node = list_shift(waits));) {
        struct audit_wait *wait = CONTAINER_OF(node, struct audit_wait, node);
        wait->fn(wait, error);
    }
}

static void run_batch(struct io_job *job)
{
    struct batch *b = CONTAINER_OF(job, struct batch, job);
    struct audit *a = CONTAINER_OF(b, struct audit, batch);
    b->error = audit_file_append(&a->file, buf_peek(&b->bodies), b->sync, b->time, &b->written);
}

static void on_batch_done(struct io_job *job);

static void log_end(struct audit *a, const char *event)
{
    char seq[24];
    snprintf(seq, sizeof seq, "%llu", (unsigned long long)a->file.seq);
    log_event(a->log, LOG_INFO, event, "path", a->file.path, "seq", seq, "hash", a->file.last,
              NULL);
}

/* What was found at the start is told when the loop runs: before, the log has no clock. */
static void announce(struct audit *a)
{
    a->announced = true;
    log_end(a, "audit_opened");
    if (a->file.tail_broken)
        log_event(a->log, LOG_ERROR, "audit_broken", "path", a->file.path, "reason",
                  "its last records are no chain: see scout audit verify", NULL);
}

void audit_start_batch(struct audit *a)
{
    struct batch *b = &a->batch;
    if (a->running)
        return;
    if (!a->announced)
        announce(a);
    if (a->failing) { /* one record says whether it works again */
        if (audit_line_gap(&a->gathering, audit_now_text(a), a->lost, a->lost_since) != 0)
            return audit_wake_in(a, AUDIT_RETRY_MS);
        audit_gathered(a);
        a->gaps = a->gap_end = 1;
        a->gap = a->lost;
        a->lost = 0;
        a->wants_sync = true;
    }
    if (a->gathered == 0)
        return;
    struct buf empty = b->bodies;
    b->bodies = a->gathering;
    a->gathering = empty;
    list_splice(&b->waits, &a->waits);
    b->records = a->gathered;
    b->gaps = a->gaps;
    b->gap_end = a->gap_end;
    b->gap = a->gap;
    b->sync = a->wants_sync;
    snprintf(b->time, sizeof b->time, "%s", audit_now_text(a));
    a->gathered = a->gaps = a->gap_end = 0;
    a->gap = 0;
    a->wants_sync = false;
    a->running = true;
    io_timer_stop(a->io, &a->timer);
    a->stats.writes++;
    a->stats.syncs += b->sync;
    io_job_start(a->io, &b->job, run_batch, on_batch_done);
}

/* Of `records`, so many are in the file: the others are lost, but for gap records, whose counts are
 * to be told anew. */
static void lose_rest(struct audit *a, uint32_t records, uint32_t written, uint32_t gaps,
                      uint32_t gap_end, uint64_t gap)
{
    bool told = written >= gap_end;
    uint32_t rest = records - written;
    a->lost += told ? 0 : gap;
    audit_lose(a, rest - (told || rest < gaps ? 0 : gaps));
}

static void log_failure(struct audit *a, int error)
{
    log_event(a->log, LOG_ERROR, "audit_unavailable", "path", a->file.path, "reason",
              strerror(-error), "effect", "nothing that changes a host is done until it works",
              NULL);
}

static void on_failed(struct audit *a)
{
    const struct batch *b = &a->batch;
    if (!a->failing)
        log_failure(a, b->error);
    a->failing = true;
    if (a->lost == 0)
        snprintf(a->lost_since, sizeof a->lost_since, "%s", audit_now_text(a));
    lose_rest(a, b->records, b->written, b->gaps, b->gap_end, b->gap);
    lose_rest(a, a->gathered, 0, a->gaps, a->gap_end, a->gap);
    buf_clear(&a->gathering);
    a->gathered = a->gaps = a->gap_end = 0;
    a->gap = 0;
    a->wants_sync = false;
    list_splice(&a->refused, &a->waits);
    if (!a->closing)
        audit_wake_in(a, AUDIT_RETRY_MS);
}

static void on_written(struct audit *a)
{
    char count[24];
    if (!a->failing)
        return;
    a->failing = false;
    snprintf(count, sizeof count, "%llu", (unsigned long long)a->batch.gap);
    log_event(a->log, LOG_WARN, "audit_available", "path", a->file.path, "records_lost", count,
              NULL);
}

static void log_changes(struct audit *a)
{
    if (a->file.changed)
        log_event(a->log, LOG_ERROR, "audit_changed", "path", a->file.path, "reason",
                  "somebody else wrote to it, cut it or moved it", NULL);
    if (a->file.kept_whole && !a->kept_told)
        log_event(a->log, LOG_WARN, "audit_kept_whole", "path", a->file.path, "reason",
                  "it is large and could not be renamed: it grows on", NULL);
    a->kept_told = a->file.kept_whole;
    a->file.changed = a->file.kept_whole = false;
}

static void end(struct audit *a)
{
    void (*on_closed)(void *context) = a->on_closed;
    void *context = a->closed_context;
    log_end(a, "audit_closed");
    audit_free(a);
    on_closed(context);
}

static void on_batch_done(struct io_job *job)
{
    struct batch *b = CONTAINER_OF(job, struct batch, job);
    struct audit *a = CONTAINER_OF(b, struct audit, batch);
    bool last = a->closing && a->gathered == 0;
    a->running = false;
    log_changes(a);
    if (b->error)
        on_failed(a);
    else
        on_written(a);
    buf_clear(&b->bodies);
    audit_tell(&b->waits, b->error ? SCOUT_E_AUDIT : 0);
    audit_tell(&a->refused, SCOUT_E_AUDIT);
    if (a->running) /* who was told has closed the audit meanwhile */
        return;
    if (last || (a->closing && a->failing))
        end(a);
    else if (a->wants_sync || a->closing || buf_len(&a->gathering) >= AUDIT_WRITE)
        audit_start_batch(a);
    else if (a->gathered > 0)
        audit_wake_in(a, AUDIT_LAZY_MS);
}
