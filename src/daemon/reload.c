/* One reading at a time: the parsers of the files are not made for two. */
#include "reload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void compare_places(struct reload *r)
{
    struct sandbox *needed = r->sandbox ? malloc(sizeof *needed) : NULL;
    r->outside[0] = '\0';
    if (!needed)
        return;
    sandbox_collect(needed, r->source, &r->configuration);
    const char *place = sandbox_lacks(r->sandbox, needed);
    if (place)
        snprintf(r->outside, sizeof r->outside, "%s", place);
    free(needed);
}

/* What is out of reach since the start looks like a file's own rights. */
static void tell_reach(const struct reload *r, struct failure *why)
{
    const struct failure own = *why;
    if (r->sandbox && strstr(own.text, strerror(EACCES)))
        failure_set(why, own.error,
                    "%s, or it lies outside of what the daemon may read since its start: then "
                    "start it anew",
                    own.text);
}

static void on_run(struct io_job *job)
{
    struct reload *r = CONTAINER_OF(job, struct reload, job);
    r->failure.error = configuration_load(&r->configuration, r->source, &r->failure);
    if (r->failure.error)
        tell_reach(r, &r->failure);
    else
        compare_places(r);
}

static void on_done(struct io_job *job)
{
    struct reload *r = CONTAINER_OF(job, struct reload, job);
    r->active = false;
    r->on_read(r, &r->configuration, &r->failure);
    configuration_free(&r->configuration);
    if (r->again)
        reload_start(r);
}

void reload_init(struct reload *r, struct io *io, const struct configuration_source *source,
                 const struct sandbox *sandbox,
                 void (*on_read)(struct reload *, struct configuration *, const struct failure *))
{
    *r = (struct reload){.io = io, .source = source, .sandbox = sandbox, .on_read = on_read};
}

void reload_start(struct reload *r)
{
    r->again = r->active;
    if (r->active)
        return;
    r->active = true;
    io_job_start(r->io, &r->job, on_run, on_done);
}
