/* Which of the two kinds of each end is meant. What they do is in file_pull.c, local_pull.c,
 * file_put.c and local_put.c. */
#include "transfer_ends.h"

/* ---- the source ---- */

bool transfer_source_start(struct transfer_source *s, struct fleet *f,
                           const struct transfer_request *r,
                           const struct file_source_events *events, void *context)
{
    if (r->source.host) {
        const struct file_pull_request pull = {
            .host = r->source.host,
            .path = r->source.path,
            .principal = r->principal,
            .client = r->client,
            .deadline_ns = r->deadline_ns,
            .idle_ns = r->idle_ns,
        };
        s->pull = file_pull_start(f, &pull, events, context);
    } else {
        const struct local_pull_request pull = {
            .root = r->root, .path = r->source.path, .hash = r->hash};
        s->local = local_pull_start(fleet_io(f), &pull, events, context);
    }
    return transfer_source_is_there(s);
}

bool transfer_source_is_there(const struct transfer_source *s)
{
    return s->pull || s->local;
}

void transfer_source_go_on(struct transfer_source *s, uint64_t offset)
{
    bool first = !s->going;
    s->going = true;
    if (s->pull && first)
        file_pull_go(s->pull, offset);
    else if (s->pull)
        file_pull_resume(s->pull);
    else if (s->local && first)
        local_pull_go(s->local, offset);
    else if (s->local)
        local_pull_resume(s->local);
}

void transfer_source_stop(struct transfer_source *s)
{
    if (s->pull)
        file_pull_stop(s->pull);
    if (s->local)
        local_pull_stop(s->local);
}

void transfer_source_forget(struct transfer_source *s)
{
    s->pull = NULL;
    s->local = NULL;
}

/* ---- the sink ---- */

bool transfer_sink_start(struct transfer_sink *s, struct fleet *f, const struct transfer_request *r,
                         const struct transfer_kind *kind, const struct file_put_events *events,
                         void *context)
{
    if (r->target.host) {
        const struct file_put_request put = {
            .host = r->target.host,
            .path = r->target.path,
            .principal = r->principal,
            .client = r->client,
            .deadline_ns = r->deadline_ns,
            .idle_ns = r->idle_ns,
            .condition = r->condition,
            .etag = r->etag,
            .has_mode = true,
            .mode = kind->mode,
            .keep_as = kind->keep_as,
            .size = kind->size,
        };
        s->put = file_put_start(f, &put, events, context);
    } else {
        const struct local_put_request put = {
            .root = r->root,
            .path = r->target.path,
            .overwrite = r->condition != FILE_PUT_ABSENT,
            .mode = kind->mode,
            .hash = r->hash,
            .keep_as = kind->keep_as,
            .size = kind->size,
        };
        s->local = local_put_start(fleet_io(f), &put, events, context);
    }
    return transfer_sink_is_there(s);
}

bool transfer_sink_is_there(const struct transfer_sink *s)
{
    return s->put || s->local;
}

void transfer_sink_go(struct transfer_sink *s)
{
    if (s->put)
        file_put_go(s->put);
    if (s->local)
        local_put_go(s->local);
}

uint64_t transfer_sink_offset(const struct transfer_sink *s)
{
    return s->put ? file_put_offset(s->put) : s->local ? local_put_offset(s->local) : 0;
}

size_t transfer_sink_room(struct transfer_sink *s)
{
    return s->put ? file_put_room(s->put) : s->local ? local_put_room(s->local) : 0;
}

void transfer_sink_write(struct transfer_sink *s, struct slice data)
{
    if (s->put)
        file_put_write(s->put, data);
    else if (s->local)
        local_put_write(s->local, data);
}

void transfer_sink_end(struct transfer_sink *s)
{
    if (s->put)
        file_put_end(s->put);
    if (s->local)
        local_put_end(s->local);
}

void transfer_sink_place(struct transfer_sink *s)
{
    if (s->put)
        file_put_place(s->put);
    if (s->local)
        local_put_place(s->local);
}

void transfer_sink_fail(struct transfer_sink *s, const struct failure *why)
{
    if (s->put)
        file_put_fail(s->put, why);
    if (s->local)
        local_put_fail(s->local, why);
}

void transfer_sink_forget(struct transfer_sink *s)
{
    s->put = NULL;
    s->local = NULL;
}
