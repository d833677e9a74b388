/* A directory's entries over SFTP, sorted by name.
 *
 * READDIR requests go out in batches until one answers end of file; the others of its batch then do
 * the same. The first batch is two, all that a small directory needs in one round trip; each one
 * more is twice as large, up to PATH_LIST_WINDOW. Entries beyond the limits are left out (which
 * ones is the server's order), the result says so, and the rest of the directory is not read. */
#include "path_get.h"

#include "dir_links.h"
#include "longname.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_FIRST 2

struct dir_read_slot {
    struct sftp_request request;
    struct path_get *get;
};

struct dir_read {
    struct dir_read_slot slots[PATH_LIST_WINDOW];
    struct dir_links links;
    struct entry_list list;
    struct sftp_request above; /* stat of `..`, where the server does not list it */
    struct path_get *get;
    uint32_t batch, in_flight;
    bool ended, has_self, has_above, links_done;
};

static void on_names(struct sftp_request *request, const struct sftp_reply *reply);

static bool ask(struct path_get *g, struct dir_read_slot *slot)
{
    struct sftp *s = visit_sftp(&g->visit);
    if (s && g->dir->in_flight > 0 && sftp_in_flight(s) >= VISIT_CROWDED)
        return false; /* others fill the connection: the batch is smaller */
    slot->get = g;
    int error = s ? sftp_readdir(s, &slot->request, &g->handle, on_names) : SCOUT_E_CONNECTION_LOST;
    if (error == SCOUT_E_LIMIT && g->dir->in_flight > 0)
        return false; /* others fill the connection: the batch is smaller */
    if (error) {
        visit_fail(&g->visit, error, "The directory could not be read further");
        return false;
    }
    g->dir->in_flight++;
    pool_flush(&g->visit.use);
    return true;
}

static void ask_batch(struct path_get *g)
{
    for (size_t i = 0; i < g->dir->batch && ask(g, &g->dir->slots[i]); i++)
        ;
}

/* When the last answer is there. */
static void finish(struct path_get *g)
{
    struct entry_list *l = &g->dir->list;
    if (!g->dir->links_done || g->dir->above.id != 0)
        return;
    entry_list_finish(l);
    g->result.entries = l->entries;
    g->result.entry_count = l->count;
    visit_finish(&g->visit);
}

static void on_links(struct path_get *g)
{
    g->dir->links_done = true;
    finish(g);
}

static void on_above(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct dir_read *d = CONTAINER_OF(request, struct dir_read, above);
    struct path_entry above = {.name = slice_str(".."), .attrs = reply->attrs};
    if (reply->error == SCOUT_E_CONNECTION_LOST) {
        visit_fail_reply(&d->get->visit, "list", reply);
        return;
    }
    if (!reply->error)
        (void)entry_list_add(&d->list, &above);
    finish(d->get);
}

/* What some servers leave out: the directory itself, which is known, and the one above it. */
static void add_dots(struct path_get *g)
{
    struct dir_read *d = g->dir;
    struct path_entry self = {.name = slice_str("."), .attrs = g->result.attrs};
    char path[SFTP_PATH_MAX];
    const char *folder = g->real_path ? g->real_path : g->visit.path;
    if (!d->has_self)
        (void)entry_list_add(&d->list, &self);
    if (d->has_above || snprintf(path, sizeof path, "%s/..", folder) >= (int)sizeof path)
        return;
    d->get = g;
    /* It is left out when it cannot be asked for. */
    if (sftp_stat(visit_sftp(&g->visit), &d->above, path, on_above) == 0)
        pool_flush(&g->visit.use);
}

/* All names are there, as far as they are wanted. */
static void complete(struct path_get *g)
{
    sftp_close(visit_sftp(&g->visit), &g->handle); /* goes out with the requests that follow */
    g->handle_open = false;
    add_dots(g);
    dir_links_start(&g->dir->links, g, &g->dir->list, on_links);
}

static void forget_names(struct dir_read *d, struct sftp *s)
{
    for (size_t i = 0; i < PATH_LIST_WINDOW; i++)
        sftp_forget(s, &d->slots[i].request);
    d->in_flight = 0;
}

/* What no directory can have, a hostile server can still say: it would be another path. */
static bool is_name(struct slice name)
{
    return name.len > 0 && !memchr(name.data, '/', name.len) && !memchr(name.data, '\0', name.len);
}

static bool add(struct path_get *g, const struct sftp_name *name)
{
    if (!is_name(name->filename))
        return true;
    struct path_entry entry = {.name = name->filename, .attrs = name->attrs};
    g->dir->has_self = g->dir->has_self || slice_is(name->filename, ".");
    g->dir->has_above = g->dir->has_above || slice_is(name->filename, "..");
    longname_parse(name->longname, &entry);
    return entry_list_add(&g->dir->list, &entry);
}

static void on_names(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct path_get *g = CONTAINER_OF(request, struct dir_read_slot, request)->get;
    struct dir_read *d = g->dir;
    d->in_flight--;
    if (reply->error) {
        visit_fail_reply(&g->visit, "list", reply);
        return;
    }
    struct slice names = reply->names;
    struct sftp_name name;
    while (!g->result.truncated && sftp_next_name(&names, &name))
        g->result.truncated = !add(g, &name);
    if (!visit_hold_more(&g->visit, entry_list_size(&d->list)))
        return;
    if (g->result.truncated) {
        forget_names(d, visit_sftp(&g->visit));
        complete(g);
        return;
    }
    d->ended = d->ended || reply->eof;
    if (d->in_flight > 0)
        return;
    if (d->ended) {
        complete(g);
        return;
    }
    d->batch = d->batch * 2 < PATH_LIST_WINDOW ? d->batch * 2 : PATH_LIST_WINDOW;
    ask_batch(g);
}

void dir_read_start(struct path_get *g)
{
    g->dir = calloc(1, sizeof *g->dir);
    if (!g->dir) {
        visit_fail(&g->visit, SCOUT_E_NOMEM, "No memory to list the directory");
        return;
    }
    entry_list_init(&g->dir->list);
    g->dir->batch = BATCH_FIRST;
    ask_batch(g);
}

void dir_read_forget(struct path_get *g, struct sftp *s)
{
    if (!g->dir)
        return;
    forget_names(g->dir, s);
    sftp_forget(s, &g->dir->above);
    dir_links_forget(&g->dir->links, s);
}

void dir_read_free(struct path_get *g)
{
    if (g->dir)
        entry_list_fini(&g->dir->list);
    free(g->dir);
    g->dir = NULL;
}
