/* A directory's entries, sorted by name.
 *
 * A few READDIR requests are kept in flight until one answers end of file; the others then do the
 * same. Entries beyond the limits are left out (which ones is the server's order) and the result
 * says so. Names lie in one buffer, as offsets while it may still move. */
#include "path_get.h"

#include <stdlib.h>
#include <string.h>

static void on_names(struct sftp_request *request, const struct sftp_reply *reply);

static bool ask(struct path_get *g, struct dir_read_slot *slot)
{
    struct sftp *s = pool_sftp(&g->use);
    slot->get = g;
    int error = s ? sftp_readdir(s, &slot->request, &g->handle, on_names) : SCOUT_E_CONNECTION_LOST;
    if (error) {
        path_get_fail(g, error, "The directory could not be read further");
        return false;
    }
    g->dir.in_flight++;
    pool_flush(&g->use);
    return true;
}

/* Adds one entry; false when a limit or memory does not admit it. */
static bool add(struct dir_read *d, const struct sftp_name *name)
{
    if (d->count == PATH_ENTRIES_MAX)
        return false;
    if (d->count == d->room) {
        size_t room = d->room ? d->room * 2 : 64;
        struct path_entry *entries = realloc(d->entries, room * sizeof *entries);
        if (!entries)
            return false;
        d->entries = entries;
        d->room = room;
    }
    size_t offset = buf_len(&d->bytes);
    if (buf_append(&d->bytes, name->filename) != 0 || buf_append(&d->bytes, name->longname) != 0)
        return false;
    d->entries[d->count++] = (struct path_entry){
        .name = {(const uint8_t *)(uintptr_t)offset, name->filename.len},
        .longname = {NULL, name->longname.len},
        .attrs = name->attrs,
    };
    return true;
}

static int compare_entries(const void *a, const void *b)
{
    const struct path_entry *x = a, *y = b;
    size_t len = x->name.len < y->name.len ? x->name.len : y->name.len;
    int order = len ? memcmp(x->name.data, y->name.data, len) : 0;
    return order ? order : x->name.len < y->name.len ? -1 : x->name.len > y->name.len;
}

static void complete(struct path_get *g)
{
    struct dir_read *d = &g->dir;
    struct slice bytes = buf_peek(&d->bytes);
    for (size_t i = 0; i < d->count; i++) {
        struct path_entry *e = &d->entries[i];
        e->name.data = bytes.data + (uintptr_t)e->name.data;
        e->longname.data = e->name.data + e->name.len;
    }
    if (d->count)
        qsort(d->entries, d->count, sizeof *d->entries, compare_entries);
    g->result.entries = d->entries;
    g->result.entry_count = d->count;
    g->result.truncated = d->truncated;
    path_get_finish(g);
}

static void on_names(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct dir_read_slot *slot = CONTAINER_OF(request, struct dir_read_slot, request);
    struct path_get *g = slot->get;
    struct dir_read *d = &g->dir;
    d->in_flight--;
    if (reply->error) {
        path_get_fail_reply(g, "list", reply);
        return;
    }
    struct slice names = reply->names;
    struct sftp_name name;
    while (!reply->eof && !d->truncated && sftp_next_name(&names, &name))
        d->truncated = !add(d, &name);
    d->ended = d->ended || reply->eof || d->truncated;
    if (!d->ended && !ask(g, slot))
        return;
    if (d->in_flight == 0)
        complete(g);
}

void dir_read_start(struct path_get *g)
{
    for (size_t i = 0; i < PATH_LIST_WINDOW && ask(g, &g->dir.slots[i]); i++)
        ;
}

void dir_read_forget(struct path_get *g, struct sftp *s)
{
    for (size_t i = 0; i < PATH_LIST_WINDOW; i++)
        if (g->dir.slots[i].request.id)
            sftp_forget(s, &g->dir.slots[i].request);
}
