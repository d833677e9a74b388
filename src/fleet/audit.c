/* The audit log's records: taking them up, and the life of it. How they get to the file is in
 * audit_batch.c.
 *
 * The buffer is shared out, so that looks alone cannot fill it: looks take no more than
 * AUDIT_LOOKS_MAX of it, begins AUDIT_BEGINS_MAX, and ends have what is left. A record that finds
 * no room is lost, which is counted, and the next one that does is preceded by the count (the gap).
 * While nothing can be written, nothing gathers: begins are refused, all else is counted. */
#include "audit_state.h"

#include "scout/base/time.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *audit_now_text(struct audit *a)
{
    return audit_time(&a->clock, io_wall_ms(a->io));
}

/* Late: what the pass that gathered sends is with the kernel then, and goes on while the record is
 * written, also where there is one processor for both. */
static void on_task(struct io_task *task)
{
    struct audit *a = CONTAINER_OF(task, struct audit, task);
    if (!a->failing) /* while failing, the timer says when to try */
        audit_start_batch(a);
    audit_tell(&a->refused, SCOUT_E_AUDIT);
}

static void on_timer(struct io_timer *timer)
{
    audit_start_batch(CONTAINER_OF(timer, struct audit, timer));
}

void audit_wake_in(struct audit *a, uint64_t ms)
{
    if (!io_timer_armed(&a->timer))
        io_timer_start(a->io, &a->timer, io_now(a->io) + ms * NS_PER_MS, on_timer);
}

/* ---- taking records up ---- */

void audit_lose(struct audit *a, uint64_t count)
{
    if (count == 0)
        return;
    if (a->lost == 0)
        snprintf(a->lost_since, sizeof a->lost_since, "%s", audit_now_text(a));
    a->lost += count;
    a->stats.lost += count;
}

void audit_gathered(struct audit *a)
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
    if (audit_line_gap(&a->gathering, audit_now_text(a), a->lost, a->lost_since) != 0)
        return false;
    audit_gathered(a);
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
                 audit_line_call(&a->gathering, audit_now_text(a), AUDIT_BEGIN, call, NULL) == 0;
    assert(!a->closing);
    wait->fn = fn;
    list_append(taken ? &a->waits : &a->refused, &wait->node);
    io_defer_late(a->io, &a->task, on_task);
    if (taken) {
        audit_gathered(a);
        a->wants_sync = true;
    }
}

/* What gathers goes off when it is worth a write, or when it has waited for long enough. */
static void send_off(struct audit *a, int error)
{
    if (error)
        audit_lose(a, 1);
    else
        audit_gathered(a);
    if (a->failing)
        return;
    if (buf_len(&a->gathering) >= AUDIT_WRITE)
        io_defer_late(a->io, &a->task, on_task);
    else
        audit_wake_in(a, AUDIT_LAZY_MS);
}

void audit_end(struct audit *a, const struct audit_call *call, const struct audit_outcome *outcome,
               bool begun)
{
    enum audit_event event = begun ? AUDIT_END : AUDIT_CALL;
    int error = SCOUT_E_AUDIT;
    assert(!a->closing);
    if (has_room(a, begun ? AUDIT_BUFFER_MAX : AUDIT_LOOKS_MAX))
        error = audit_line_call(&a->gathering, audit_now_text(a), event, call, outcome);
    send_off(a, error);
}

void audit_person(struct audit *a, const char *act, ...)
{
    int error = SCOUT_E_AUDIT;
    va_list pairs;
    assert(!a->closing);
    va_start(pairs, act);
    if (has_room(a, AUDIT_BUFFER_MAX))
        error = audit_line_person(&a->gathering, audit_now_text(a), act, pairs);
    va_end(pairs);
    send_off(a, error);
}

/* ---- the life of it ---- */

void audit_free(struct audit *a)
{
    io_task_cancel(&a->task);
    io_timer_stop(a->io, &a->timer);
    audit_file_close(&a->file);
    buf_fini(&a->gathering);
    buf_fini(&a->batch.bodies);
    free(a);
}

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
    if (!error && audit_line_life(&a->gathering, audit_now_text(a), "start", getpid()) != 0)
        error = failure_set(why, SCOUT_E_NOMEM, "No memory for the audit log");
    if (error) {
        audit_free(a);
        return error;
    }
    audit_gathered(a);
    a->wants_sync = true;
    io_defer_late(io, &a->task, on_task);
    *out = a;
    return 0;
}

void audit_close(struct audit *a, void (*on_closed)(void *context), void *context)
{
    assert(!a->closing && list_empty(&a->waits) && list_empty(&a->refused));
    a->on_closed = on_closed;
    a->closed_context = context;
    if (has_room(a, AUDIT_BUFFER_MAX) &&
        audit_line_life(&a->gathering, audit_now_text(a), "stop", getpid()) == 0)
        audit_gathered(a);
    a->closing = true;
    a->wants_sync = true;
    audit_start_batch(a);
}

void audit_stats(const struct audit *a, struct audit_stats *out)
{
    *out = a->stats;
    out->available = !a->failing;
}
