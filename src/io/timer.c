/* Timers and deferred tasks: what the loop runs without any event.
 *
 * Timers lie in a heap; the first one bounds how long a pass waits. A timer is out of the heap when
 * its callback runs, so that the callback may start it again, or free it. One that is started again
 * with a time that has passed fires within the bound of the same pass or in the next. */
#include "loop.h"

#include <assert.h>

void io_timer_init(struct io_timer *t)
{
    *t = (struct io_timer){0};
}

void io_timer_start(struct io *io, struct io_timer *t, uint64_t due_ns, io_timer_fn *fn)
{
    io_timer_stop(io, t);
    t->fn = fn;
    heap_insert(&io->timers, &t->node, due_ns);
}

void io_timer_stop(struct io *io, struct io_timer *t)
{
    if (heap_linked(&t->node))
        heap_remove(&io->timers, &t->node);
}

bool io_timer_armed(const struct io_timer *t)
{
    return heap_linked(&t->node);
}

bool io_timers_run(struct io *io)
{
    uint32_t count = 0;
    for (; count < IO_TIMERS_PER_PASS; count++) {
        struct heap_node *first = heap_first(&io->timers);
        if (!first || first->key > io->now_ns)
            break;
        struct io_timer *t = CONTAINER_OF(first, struct io_timer, node);
        heap_remove(&io->timers, first);
        io->stats.timers++;
        t->fn(t);
    }
    return count > 0;
}

/* ---- tasks ---- */

void io_task_init(struct io_task *t)
{
    *t = (struct io_task){0};
    list_init(&t->node);
}

static void defer(struct list *list, struct io_task *t, io_task_fn *fn, bool late)
{
    t->fn = fn;
    t->late = late;
    list_append(list, &t->node);
}

void io_defer(struct io *io, struct io_task *t, io_task_fn *fn)
{
    assert(t->node.next); /* io_task_init was called */
    if (list_linked(&t->node) && !t->late)
        return;
    list_remove(&t->node);
    defer(&io->tasks, t, fn, false);
}

void io_defer_late(struct io *io, struct io_task *t, io_task_fn *fn)
{
    assert(t->node.next);
    if (!list_linked(&t->node))
        defer(&io->late, t, fn, true);
}

void io_task_cancel(struct io_task *t)
{
    if (t->node.next && list_linked(&t->node))
        list_remove(&t->node);
}

static bool run_all(struct list *tasks)
{
    bool any = false;
    for (struct list *n = list_shift(tasks); n; n = list_shift(tasks)) {
        struct io_task *t = CONTAINER_OF(n, struct io_task, node);
        any = true;
        t->fn(t);
    }
    return any;
}

bool io_tasks_run(struct io *io)
{
    bool any = false;
    for (unsigned round = 0; round < IO_TASK_ROUNDS && !list_empty(&io->tasks); round++) {
        if (round > 0 && io->started)
            break; /* what a host is asked does not wait for the answers of others to be written */
        struct list tasks;
        list_init(&tasks);
        list_splice(&tasks, &io->tasks); /* what a task defers waits for the next round */
        any = run_all(&tasks) || any;
    }
    return any;
}

bool io_late_run(struct list *late)
{
    return run_all(late);
}
