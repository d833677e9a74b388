/* Two lists: who has a turn (one for each file), and who waits, in the order in which they came.
 * Both are short: changes that are under way. A turn is told by a task, since it may have come with
 * the end of somebody else's. */
#include "scout/fleet/path_lock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct path_locks {
    struct io *io;
    struct list turns, waiting;
    uint64_t ended;
};

struct path_locks *path_locks_new(struct io *io)
{
    struct path_locks *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->io = io;
    list_init(&l->turns);
    list_init(&l->waiting);
    return l;
}

void path_locks_free(struct path_locks *l)
{
    assert(!l || (list_empty(&l->turns) && list_empty(&l->waiting)));
    free(l);
}

uint64_t path_locks_ended(const struct path_locks *l)
{
    return l->ended;
}

static struct path_lock *find(struct list *head, const struct path_lock *like)
{
    for (struct list *n = head->next; n != head; n = n->next) {
        struct path_lock *lock = CONTAINER_OF(n, struct path_lock, node);
        if (strcmp(lock->path, like->path) == 0 && strcmp(lock->host, like->host) == 0)
            return lock;
    }
    return NULL;
}

static void on_turn(struct io_task *task)
{
    struct path_lock *lock = CONTAINER_OF(task, struct path_lock, task);
    lock->fn(lock, false);
}

static void on_late(struct io_timer *timer)
{
    struct path_lock *lock = CONTAINER_OF(timer, struct path_lock, timer);
    path_lock_fn *fn = lock->fn;
    path_lock_give(lock);
    fn(lock, true);
}

static void give_turn(struct path_locks *l, struct path_lock *lock)
{
    list_remove(&lock->node);
    list_append(&l->turns, &lock->node);
    lock->has_turn = true;
    io_timer_stop(l->io, &lock->timer);
    io_defer(l->io, &lock->task, on_turn);
}

bool path_lock_take(struct path_locks *l, struct path_lock *lock, const char *host,
                    const char *path, uint64_t deadline_ns, path_lock_fn *fn)
{
    assert(!lock->locks);
    *lock = (struct path_lock){.locks = l, .host = host, .path = path, .fn = fn};
    list_init(&lock->node);
    io_task_init(&lock->task);
    io_timer_init(&lock->timer);
    if (find(&l->turns, lock)) {
        list_append(&l->waiting, &lock->node);
        io_timer_start(l->io, &lock->timer, deadline_ns, on_late);
        return false;
    }
    give_turn(l, lock);
    return true;
}

void path_lock_give(struct path_lock *lock)
{
    struct path_locks *l = lock->locks;
    if (!l)
        return;
    list_remove(&lock->node);
    io_timer_stop(l->io, &lock->timer);
    io_task_cancel(&lock->task);
    lock->locks = NULL;
    if (!lock->has_turn)
        return;
    l->ended++;
    struct path_lock *next = find(&l->waiting, lock);
    if (next)
        give_turn(l, next);
}
