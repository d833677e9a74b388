/* Where the symbolic links of a directory point to: one READLINK for each, many in flight.
 *
 * It runs when the directory was read whole, before its entries are sorted. A link whose target the
 * server does not tell goes without. */
#include "dir_links.h"

#include <stdio.h>
#include <sys/stat.h>

static void on_target(struct sftp_request *request, const struct sftp_reply *reply);

static bool is_link(const struct sftp_attrs *a)
{
    return a->flags & SFTP_ATTR_PERMISSIONS && S_ISLNK(a->permissions);
}

/* "folder/name" for the server; false when it cannot be said in SFTP. */
static bool path_of(const struct dir_links *d, size_t index, char *out, size_t size)
{
    struct slice name = entry_list_name(d->list, index);
    const char *folder = d->get->real_path ? d->get->real_path : d->get->visit.path;
    size_t len = strlen(folder);
    bool slash = len > 0 && folder[len - 1] == '/';
    if (len + name.len + 2 > size || memchr(name.data, '\0', name.len))
        return false;
    int written = snprintf(out, size, "%s%s%.*s", folder, slash ? "" : "/", (int)name.len,
                           (const char *)name.data);
    return written > 0 && (size_t)written < size;
}

/* 0, or an error of the request. */
static int ask(struct dir_links *d, struct dir_link_slot *slot, size_t index)
{
    char path[SFTP_PATH_MAX];
    struct path_get *g = d->get;
    struct sftp *s = visit_sftp(&g->visit);
    if (!path_of(d, index, path, sizeof path))
        return SCOUT_E_INVALID_ARGUMENT;
    slot->links = d;
    slot->index = index;
    return s ? sftp_readlink(s, &slot->request, path, on_target) : SCOUT_E_CONNECTION_LOST;
}

/* Asks about the next link in `slot`. Returns whether there was one. */
static bool ask_next(struct dir_links *d, struct dir_link_slot *slot)
{
    struct path_get *g = d->get;
    const struct sftp *s = visit_sftp(&g->visit);
    if (d->in_flight > 0 && s && sftp_in_flight(s) >= VISIT_CROWDED)
        return false;
    for (; d->next < d->list->count; d->next++) {
        if (!is_link(&d->list->entries[d->next].attrs))
            continue;
        int error = ask(d, slot, d->next);
        if (error == SCOUT_E_LIMIT && d->in_flight > 0)
            return false; /* others fill the connection: those in flight go on from here */
        if (error == SCOUT_E_CONNECTION_LOST || error == SCOUT_E_NOMEM) {
            visit_fail(&g->visit, error, "The directory's links could not be read");
            return false;
        }
        if (error)
            continue; /* goes without */
        d->next++;
        d->in_flight++;
        pool_flush(&g->visit.use);
        return true;
    }
    return false;
}

static void on_target(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct dir_link_slot *slot = CONTAINER_OF(request, struct dir_link_slot, request);
    struct dir_links *d = slot->links;
    struct slice names = reply->names;
    struct sftp_name name;
    d->in_flight--;
    if (reply->error == SCOUT_E_CONNECTION_LOST) {
        visit_fail_reply(&d->get->visit, "list", reply);
        return;
    }
    if (!reply->error && sftp_next_name(&names, &name))
        (void)entry_list_set_target(d->list, slot->index, name.filename);
    ask_next(d, slot);
    if (d->in_flight == 0 && !d->get->visit.finished)
        d->done(d->get);
}

void dir_links_start(struct dir_links *d, struct path_get *g, struct entry_list *list,
                     void (*done)(struct path_get *g))
{
    d->get = g;
    d->list = list;
    d->done = done;
    for (size_t i = 0; i < PATH_LINK_WINDOW && ask_next(d, &d->slots[i]); i++)
        ;
    if (d->in_flight == 0 && !g->visit.finished)
        done(g);
}

void dir_links_forget(struct dir_links *d, struct sftp *s)
{
    for (size_t i = 0; i < PATH_LINK_WINDOW; i++)
        sftp_forget(s, &d->slots[i].request);
}
