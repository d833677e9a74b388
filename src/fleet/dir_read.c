/* A directory's entries over SFTP, sorted by name.
 *
 * READDIR requests go out in batches until one answers end of file; the others of its batch then do
 * the same. The first batch is two, all that a small directory needs in one round trip; each one
 * more is twice as large, up to PATH_LIST_WINDOW. Entries beyond the limits are left out (which
 * ones is the server's order), the result says so, and the rest of the directory is not read. */
#include "path_get.h"

#include "dir_links.h"
#include "longname.h"
#include <stdlib.h>

#define BATCH_FIRST 2

struct dir_read_slot {
    struct sftp_request request;
    struct path_get *get;
};

struct dir_read {
    struct dir_read_slot slots[PATH_LIST_WINDOW];
    struct dir_links links;
    struct entry_list list;
    uint32_t batch, in_flight;
    bool ended;
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

static void finish(struct path_get *g)
{
    struct entry_list *l = &g->dir->list;
    entry_list_finish(l);
    g->result.entries = l->entries;
    g->result.entry_count = l->count;
    visit_finish(&g->visit);
}

/* All names are there, as far as they are wanted. */
static void complete(struct path_get *g)
{
    sftp_close(visit_sftp(&g->visit), &g->handle); /* goes out with the requests that follow */
    g->handle_open = false;
    dir_links_start(&g->dir->links, g, &g->dir->list, finish);
}

static void forget_names(struct dir_read *d, struct sftp *s)
{
    for (size_t i = 0; i < PATH_LIST_WINDOW; i++)
        sftp_forget(s, &d->slots[i].request);
    d->in_flight = 0;
}

static bool add(struct path_get *g, const struct sftp_name *name)
{
    struct path_entry entry = {.name = name->filename, .attrs = name->attrs};
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
    dir_links_forget(&g->dir->links, s);
}

void dir_read_free(struct path_get *g)
{
    if (g->dir)
        entry_list_fini(&g->dir->list);
    free(g->dir);
    g->dir = NULL;
}
