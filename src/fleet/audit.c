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
 * While failing, nothing gathers: begins are refused, all else is counted as lost, and every
 * AUDIT_RETRY_MS one record, the gap, is tried. The buffer is shared out, so that looks alone
 * cannot fill it: looks take no more than AUDIT_LOOKS_MAX of it, begins AUDIT_BEGINS_MAX, and ends
 * have what is left. A record that finds no room is lost in the same sense, and the next one that
 * does is preceded by the gap. */
#include "scout/fleet/audit.h"

#include "audit_file.h"
#include "audit_line.h"
#include "scout/base/time.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define AUDIT_BUFFER_MAX (16u * 1024u * 1024u) /* bytes that wait for the file */
#define AUDIT_LOOKS_MAX  (AUDIT_BUFFER_MAX / 2)
#define AUDIT_BEGINS_MAX (AUDIT_BUFFER_MAX / 4 * 3)
#define AUDIT_WRITE      (64u * 1024u) /* so many are worth a write */
#define AUDIT_LAZY_MS    200
#define AUDIT_RETRY_MS   1000

/* One write: the helper thread's while it runs, with the file. */
struct batch {
    struct io_job job;
    struct buf bodies;
    struct list waits;
    uint32_t records, written;
    uint32_t gaps, gap_end; /* gap records among them, and how many there are up to the last one */
    uint64_t gap;           /* lost records that those tell of */
    bool sync;
    char time[AUDIT_TIME_LEN + 1];
    int error;
};

struct audit {
    struct io *io;
    struct log *log;
    struct audit_file file; /* the running job's */
    struct batch batch;
    bool running;
    /* What comes next. */
    struct buf gathering;
    struct list waits;
    struct list refused; /* begins that found no room, to be told at the end of the pass */
    uint32_t gathered, gaps, gap_end;
    uint64_t gap;
    bool wants_sync;
    struct io_task task;
    struct io_timer timer; /* lazy, or retry while failing */
    bool failing;
    uint64_t lost; /* and not told by a gap record that gathers or is written */
    char lost_since[AUDIT_TIME_LEN + 1];
    uint64_t calls;
    struct audit_clock clock;
    struct audit_stats stats;
    bool announced, kept_told, closing;
    void (*on_closed)(void *context);
    void *closed_context;
};

static const char *now_text(struct audit *a)
{
    return audit_time(&a->clock, io_wall_ms(a->io));
}

static void start_batch(struct audit *a);
static void tell(struct list *waits, int error);

static void on_task(struct io_task *task)
{
    struct audit *a = CONTAINER_OF(task, struct audit, task);
    if (!a->failing) /* while failing, the timer says when to try */
        start_batch(a);
    tell(&a->refused, SCOUT_E_AUDIT);
}

static void on_timer(struct io_timer *timer)
{
    start_batch(CONTAINER_OF(timer, struct audit, timer));
}

static void wake_in(struct audit *a, uint64_t ms)
{
    if (!io_timer_armed(&a->timer))
        io_timer_start(a->io, &a->timer, io_now(a->io) + ms * NS_PER_MS, on_timer);
}

/* ---- taking records up ---- */

static void lose(struct audit *a, uint64_t count)
{
    if (count == 0)
        return;
    if (a->lost == 0)
        snprintf(a->lost_since, sizeof a->lost_since, "%s", now_text(a));
    a->lost += count;
    a->stats.lost += count;
}

static void gathered(struct audit *a)
{
    a->gathered++;
    a->stats.records++;
    if (buf_len(&a->gathering) > a->stats.waiting_max)
        a->stats.waiting_max = buf_len(&a->gathering);
}

/* The count of what is missing goes before what comes next. False when it finds no room either. */
static bool tell_gap(struct audit *a)
{
    if (a->lost == 0)
        return true;
    if (audit_line_gap(&a->gathering, now_text(a), a->lost, a->lost_since) != 0)
        return false;
    gathered(a);
    a->gaps++;
    a->gap_end = a->gathered;
    a->gap += a->lost;
    a->lost = 0;
    return true;
}

/* Whether a record may gather while no more than `most` bytes do. */
static bool has_room(struct audit *a, size_t most)
{
    return !a->failing && buf_len(&a->gathering) < most && tell_gap(a);
}

uint64_t audit_number(struct audit *a)
{
    return ++a->calls;
}

void audit_wait_init(struct audit_wait *wait)
{
    list_init(&wait->node);
    wait->fn = NULL;
}

void audit_wait_cancel(struct audit_wait *wait)
{
    list_remove(&wait->node);
}

void audit_begin(struct audit *a, const struct audit_call *call, struct audit_wait *wait,
                 audit_fn *fn)
{
    bool taken = has_room(a, AUDIT_BEGINS_MAX) &&
                 audit_line_call(&a->gathering, now_text(a), AUDIT_BEGIN, call, NULL) == 0;
    assert(!a->closing);
    wait->fn = fn;
    list_append(taken ? &a->waits : &a->refused, &wait->node);
    io_defer(a->io, &a->task, on_task);
    if (taken) {
        gathered(a);
        a->wants_sync = true;
    }
}

/* What gathers goes off when it is worth a write, or when it has waited for long enough. */
static void send_off(struct audit *a, int error)
{
    if (error)
        lose(a, 1);
    else
        gathered(a);
    if (a->failing)
        return;
    if (buf_len(&a->gathering) >= AUDIT_WRITE)
        io_defer(a->io, &a->task, on_task);
    else
        wake_in(a, AUDIT_LAZY_MS);
}

void audit_end(struct audit *a, const struct audit_call *call, const struct audit_outcome *outcome,
               bool begun)
{
    enum audit_event event = begun ? AUDIT_END : AUDIT_CALL;
    int error = SCOUT_E_AUDIT;
    assert(!a->closing);
    if (has_room(a, begun ? AUDIT_BUFFER_MAX : AUDIT_LOOKS_MAX))
        error = audit_line_call(&a->gathering, now_text(a), event, call, outcome);
    send_off(a, error);
}

void audit_person(struct audit *a, const char *act, ...)
{
    int error = SCOUT_E_AUDIT;
    va_list pairs;
    assert(!a->closing);
    va_start(pairs, act);
    if (has_room(a, AUDIT_BUFFER_MAX))
        error = audit_line_person(&a->gathering, now_text(a), act, pairs);
    va_end(pairs);
    send_off(a, error);
}

/* ---- writing ---- */

static void tell(struct list *waits, int error)
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

static void start_batch(struct audit *a)
{
    struct batch *b = &a->batch;
    if (a->running)
        return;
    if (!a->announced)
        announce(a);
    if (a->failing) { /* one record says whether it works again */
        if (audit_line_gap(&a->gathering, now_text(a), a->lost, a->lost_since) != 0)
            return wake_in(a, AUDIT_RETRY_MS);
        gathered(a);
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
    snprintf(b->time, sizeof b->time, "%s", now_text(a));
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
    lose(a, rest - (told || rest < gaps ? 0 : gaps));
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
        snprintf(a->lost_since, sizeof a->lost_since, "%s", now_text(a));
    lose_rest(a, b->records, b->written, b->gaps, b->gap_end, b->gap);
    lose_rest(a, a->gathered, 0, a->gaps, a->gap_end, a->gap);
    buf_clear(&a->gathering);
    a->gathered = a->gaps = a->gap_end = 0;
    a->gap = 0;
    a->wants_sync = false;
    list_splice(&a->refused, &a->waits);
    if (!a->closing)
        wake_in(a, AUDIT_RETRY_MS);
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

static void audit_free(struct audit *a)
{
    io_task_cancel(&a->task);
    io_timer_stop(a->io, &a->timer);
    audit_file_close(&a->file);
    buf_fini(&a->gathering);
    buf_fini(&a->batch.bodies);
    free(a);
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
    tell(&b->waits, b->error ? SCOUT_E_AUDIT : 0);
    tell(&a->refused, SCOUT_E_AUDIT);
    if (a->running) /* who was told has closed the audit meanwhile */
        return;
    if (last || (a->closing && a->failing))
        end(a);
    else if (a->wants_sync || a->closing || buf_len(&a->gathering) >= AUDIT_WRITE)
        start_batch(a);
    else if (a->gathered > 0)
        wake_in(a, AUDIT_LAZY_MS);
}

/* ---- the life of it ---- */

int audit_open(struct audit **out, struct io *io, const char *path, struct log *log,
               struct failure *why)
{
    struct audit *a = calloc(1, sizeof *a);
    if (!a)
        return failure_set(why, SCOUT_E_NOMEM, "No memory for the audit log");
    a->io = io;
    a->log = log;
    list_init(&a->waits);
    list_init(&a->refused);
    list_init(&a->batch.waits);
    buf_init(&a->gathering, AUDIT_BUFFER_MAX);
    buf_init(&a->batch.bodies, AUDIT_BUFFER_MAX);
    io_task_init(&a->task);
    io_timer_init(&a->timer);
    int error = audit_file_open(&a->file, path, why);
    if (!error && audit_line_life(&a->gathering, now_text(a), "start", getpid()) != 0)
        error = failure_set(why, SCOUT_E_NOMEM, "No memory for the audit log");
    if (error) {
        audit_free(a);
        return error;
    }
    gathered(a);
    a->wants_sync = true;
    io_defer(io, &a->task, on_task);
    *out = a;
    return 0;
}

void audit_close(struct audit *a, void (*on_closed)(void *context), void *context)
{
    assert(!a->closing && list_empty(&a->waits) && list_empty(&a->refused));
    a->on_closed = on_closed;
    a->closed_context = context;
    if (has_room(a, AUDIT_BUFFER_MAX) &&
        audit_line_life(&a->gathering, now_text(a), "stop", getpid()) == 0)
        gathered(a);
    a->closing = true;
    a->wants_sync = true;
    start_batch(a);
}

void audit_stats(const struct audit *a, struct audit_stats *out)
{
    *out = a->stats;
    out->available = !a->failing;
}
