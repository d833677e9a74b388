/* One look at a time. What was read of a path that is not watched any more is dropped; a file that
 * cannot be used is told of once, and its keys of before stay. */
#include "jwks_watch.h"

#include "scout/base/time.h"
#include <string.h>
#include <sys/stat.h>

static void on_timer(struct io_timer *timer);

static void wait_again(struct jwks_watch *w)
{
    if (w->path[0])
        io_timer_start(w->io, &w->timer, io_now(w->io) + JWKS_WATCH_MS * NS_PER_MS, on_timer);
}

static void on_run(struct io_job *job)
{
    struct jwks_watch *w = CONTAINER_OF(job, struct jwks_watch, job);
    w->found = NULL;
    w->changed = jwks_is_old(&w->seen, w->looked_at);
    if (!w->changed)
        return;
    jwks_stamp_of(&w->seen, w->looked_at);
    if (jwks_load(&w->found, w->looked_at, &w->failure) != 0)
        w->found = NULL;
}

static void on_done(struct io_job *job)
{
    struct jwks_watch *w = CONTAINER_OF(job, struct jwks_watch, job);
    bool wanted = w->changed && strcmp(w->path, w->looked_at) == 0;
    w->active = false;
    if (wanted) {
        w->stamp = w->found ? w->found->stamp : w->seen;
        w->on_change(w->context, w->found, &w->failure);
    } else {
        jwks_unref(w->found);
    }
    w->found = NULL;
    wait_again(w);
}

static void on_timer(struct io_timer *timer)
{
    struct jwks_watch *w = CONTAINER_OF(timer, struct jwks_watch, timer);
    strcpy(w->looked_at, w->path);
    w->seen = w->stamp;
    w->active = true;
    io_job_start(w->io, &w->job, on_run, on_done);
}

void jwks_watch_init(struct jwks_watch *w, struct io *io,
                     void (*on_change)(void *, struct jwks *, const struct failure *),
                     void *context)
{
    *w = (struct jwks_watch){.io = io, .on_change = on_change, .context = context};
    io_timer_init(&w->timer);
}

void jwks_watch_set(struct jwks_watch *w, const char *path, const struct jwks *keys)
{
    strcpy(w->path, keys ? path : "");
    if (keys)
        w->stamp = keys->stamp;
    io_timer_stop(w->io, &w->timer);
    if (!w->active)
        wait_again(w);
}

void jwks_watch_stop(struct jwks_watch *w)
{
    w->path[0] = '\0';
    io_timer_stop(w->io, &w->timer);
}
