/* A walk over SFTP: breadth first, up to WALK_WINDOW directories at a time.
 *
 *   stat + realpath of the root --permit--> a slot for each directory:
 *       opendir --> readdir, readdir, ... --> close --> the next directory
 *   when no directory is left: readlink for each link, where targets are wanted
 *
 * The nodes themselves are the queue: whatever was added later is deeper or equally deep. A
 * directory that cannot be read is marked and costs nothing else; only the root's failure is the
 * walk's. Where others fill the connection, fewer slots work. */
#include "path_walk.h"

#include <stdlib.h>
#include <sys/stat.h>

#define READS_FIRST    2   /* readdir in flight for one directory: all that a small one needs */
#define READS          16  /* of a large one: each batch is twice as large as the one before */
#define PROGRESS_EVERY 256 /* directories */

struct walk_slot;

struct walk_read {
    struct sftp_request request;
    struct walk_slot *slot;
};

struct walk_slot {
    struct sftp_request request; /* opendir or readlink */
    struct walk_read reads[READS];
    struct path_walk *walk;
    struct sftp_handle handle;
    uint32_t node, in_flight, batch; /* reads */
    bool busy, handle_open, ended;
};

struct walk_sftp {
    struct sftp_request stat, real;
    struct path_walk *walk;
    bool stat_known;
    uint32_t mode;
    struct buf real_path; /* of the root; then the path that is asked for */
    uint32_t next, busy;  /* node to be looked at; slots at work */
    bool links;           /* directories are done */
    uint64_t seen;
    struct walk_slot slots[WALK_WINDOW];
};

static void pump(struct path_walk *w);
static void on_opened(struct sftp_request *request, const struct sftp_reply *reply);
static void on_names(struct sftp_request *request, const struct sftp_reply *reply);
static void on_target(struct sftp_request *request, const struct sftp_reply *reply);

/* ---- one directory ---- */

static void release(struct walk_slot *slot)
{
    struct path_walk *w = slot->walk;
    if (slot->handle_open)
        sftp_close(visit_sftp(&w->visit), &slot->handle);
    slot->handle_open = slot->busy = false;
    w->sftp->busy--;
}

static void count_directory(struct path_walk *w)
{
    if (++w->result.directories % PROGRESS_EVERY == 0 && w->request.progress)
        w->request.progress(w->context, w->result.directories);
}

/* Asks for the next batch of names; fewer where others fill the connection. */
static void ask_names(struct walk_slot *slot)
{
    struct path_walk *w = slot->walk;
    struct sftp *s = visit_sftp(&w->visit);
    for (size_t i = 0; i < slot->batch; i++) {
        struct walk_read *read = &slot->reads[i];
        read->slot = slot;
        int error =
            s ? sftp_readdir(s, &read->request, &slot->handle, on_names) : SCOUT_E_CONNECTION_LOST;
        if (error == SCOUT_E_LIMIT && slot->in_flight > 0)
            break;
        if (error) {
            visit_fail_start(&w->visit, error);
            return;
        }
        slot->in_flight++;
    }
    pool_flush(&w->visit.use);
}

/* False when the walk has ended. */
static bool take_names(struct walk_slot *slot, struct slice names)
{
    struct path_walk *w = slot->walk;
    struct sftp_name name;
    while (sftp_next_name(&names, &name)) {
        if (++w->sftp->seen > WALK_SEEN_MAX)
            w->result.cut = WALK_CUT_SIZE;
        else if (path_walk_add(w, slot->node, name.filename, &name.attrs))
            continue;
        visit_finish(&w->visit);
        return false;
    }
    return true;
}

static void on_names(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct walk_slot *slot = CONTAINER_OF(request, struct walk_read, request)->slot;
    struct path_walk *w = slot->walk;
    slot->in_flight--;
    if (reply->error == SCOUT_E_CONNECTION_LOST || (reply->error && slot->node == 0)) {
        visit_fail_reply(&w->visit, "list", reply);
        return;
    }
    if (reply->error)
        w->nodes.nodes[slot->node].note = WALK_UNREADABLE;
    else if (!take_names(slot, reply->names))
        return;
    slot->ended = slot->ended || reply->eof || reply->error;
    if (slot->in_flight > 0)
        return;
    if (!slot->ended) {
        slot->batch = slot->batch * 2 < READS ? slot->batch * 2 : READS;
        ask_names(slot);
    } else {
        count_directory(w);
        release(slot);
        pump(w);
    }
}

static void on_opened(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct walk_slot *slot = CONTAINER_OF(request, struct walk_slot, request);
    struct path_walk *w = slot->walk;
    if (reply->error == SCOUT_E_CONNECTION_LOST || (reply->error && slot->node == 0)) {
        visit_fail_reply(&w->visit, "list", reply);
        return;
    }
    if (reply->error || reply->eof) {
        w->nodes.nodes[slot->node].note = WALK_UNREADABLE;
        release(slot);
        pump(w);
        return;
    }
    slot->handle = reply->handle;
    slot->handle_open = true;
    slot->batch = READS_FIRST;
    ask_names(slot);
}

static void on_target(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct walk_slot *slot = CONTAINER_OF(request, struct walk_slot, request);
    struct path_walk *w = slot->walk;
    struct slice names = reply->names;
    struct sftp_name name;
    if (reply->error == SCOUT_E_CONNECTION_LOST) {
        visit_fail_reply(&w->visit, "list", reply);
        return;
    }
    if (!reply->error && sftp_next_name(&names, &name))
        walk_nodes_set_target(&w->nodes, slot->node, name.filename);
    release(slot);
    pump(w);
}

/* ---- which one is next ---- */

static bool is_due(const struct path_walk *w, const struct walk_node *node)
{
    if (w->sftp->links)
        return S_ISLNK(node->mode) && node->wanted;
    return node == w->nodes.nodes || (S_ISDIR(node->mode) && node->depth < w->request.depth);
}

/* Whether `path`, the real one of a directory, may be opened; the root was asked for already. */
static bool may_open(struct path_walk *w, uint32_t node, struct slice path)
{
    if (node == 0 || w->sftp->links || path_walk_permits(w, slice_of(path.data, path.len - 1)))
        return true;
    w->nodes.nodes[node].note = WALK_FORBIDDEN;
    return false;
}

/* 0: asked; SCOUT_E_INVALID_ARGUMENT: this one is passed over; else why nothing can be asked. */
static int ask(struct path_walk *w, struct walk_slot *slot, uint32_t node)
{
    struct walk_sftp *x = w->sftp;
    struct sftp *s = visit_sftp(&w->visit);
    int error = path_walk_real(w, node, &x->real_path);
    if (error == SCOUT_E_LIMIT)
        w->nodes.nodes[node].note = WALK_UNREADABLE; /* longer than SFTP takes */
    if (error == SCOUT_E_LIMIT || (!error && !may_open(w, node, buf_peek(&x->real_path))))
        return SCOUT_E_INVALID_ARGUMENT;
    const char *path = (const char *)buf_peek(&x->real_path).data;
    if (!error && !s)
        error = SCOUT_E_CONNECTION_LOST;
    if (!error)
        error = x->links ? sftp_readlink(s, &slot->request, path, on_target)
                         : sftp_opendir(s, &slot->request, path, on_opened);
    return error;
}

/* Gives the slot its next node. False when there is none, or no room for one. */
static bool engage(struct path_walk *w, struct walk_slot *slot)
{
    struct walk_sftp *x = w->sftp;
    const struct sftp *s = visit_sftp(&w->visit);
    if (x->busy > 0 && s && sftp_in_flight(s) >= VISIT_CROWDED)
        return false;
    for (; x->next < w->nodes.count; x->next++) {
        if (!is_due(w, &w->nodes.nodes[x->next]))
            continue;
        int error = ask(w, slot, x->next);
        if (error == SCOUT_E_INVALID_ARGUMENT)
            continue;
        if (error == SCOUT_E_LIMIT && x->busy > 0)
            return false;
        if (error) {
            visit_fail_start(&w->visit, error);
            return false;
        }
        slot->walk = w;
        slot->node = x->next++;
        slot->busy = true;
        slot->ended = false;
        x->busy++;
        return true;
    }
    return false;
}

/* Sets free slots to work; ends the walk when there is no more. */
static void pump(struct path_walk *w)
{
    struct walk_sftp *x = w->sftp;
    if (w->visit.finished)
        return;
    if (w->result.directories + x->busy >= WALK_DIRECTORIES_MAX && !x->links) {
        w->result.cut = WALK_CUT_SIZE;
        visit_finish(&w->visit);
        return;
    }
    for (size_t i = 0; i < WALK_WINDOW && !w->visit.finished; i++)
        if (!x->slots[i].busy && !engage(w, &x->slots[i]))
            break;
    if (w->visit.finished)
        return;
    pool_flush(&w->visit.use);
    if (x->busy > 0)
        return;
    if (!x->links && w->request.targets) {
        x->links = true;
        x->next = 0;
        pump(w);
    } else {
        visit_finish(&w->visit);
    }
}

/* ---- the root ---- */

static void step(struct path_walk *w)
{
    struct walk_sftp *x = w->sftp;
    if (!x->stat_known || x->real.id != 0)
        return;
    if (path_walk_enter(w, buf_peek(&x->real_path), x->mode))
        pump(w);
}

static void on_stat(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct walk_sftp *x = CONTAINER_OF(request, struct walk_sftp, stat);
    if (reply->error || reply->eof) {
        visit_fail_reply(&x->walk->visit, "stat", reply);
        return;
    }
    x->mode = reply->attrs.flags & SFTP_ATTR_PERMISSIONS ? reply->attrs.permissions : 0;
    x->stat_known = true;
    step(x->walk);
}

static void on_real(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct walk_sftp *x = CONTAINER_OF(request, struct walk_sftp, real);
    struct slice names = reply->names;
    struct sftp_name name;
    if (reply->error == SCOUT_E_CONNECTION_LOST) {
        visit_fail_reply(&x->walk->visit, "stat", reply);
        return;
    }
    if (!reply->error && sftp_next_name(&names, &name) &&
        buf_append(&x->real_path, name.filename) != 0)
        buf_clear(&x->real_path); /* too long: as if it was not told */
    step(x->walk);
}

void walk_sftp_start(struct path_walk *w)
{
    struct sftp *s = visit_sftp(&w->visit);
    w->sftp = calloc(1, sizeof *w->sftp);
    if (!w->sftp || walk_nodes_init(&w->nodes) != 0) {
        visit_fail(&w->visit, SCOUT_E_NOMEM, "No memory to walk the directory");
        return;
    }
    buf_init(&w->sftp->real_path, SFTP_PATH_MAX);
    w->sftp->walk = w;
    int error = s ? sftp_stat(s, &w->sftp->stat, w->visit.path, on_stat) : SCOUT_E_CONNECTION_LOST;
    if (!error)
        error = sftp_realpath(s, &w->sftp->real, w->visit.path, on_real);
    if (error)
        visit_fail_start(&w->visit, error);
    else
        pool_flush(&w->visit.use);
}

void walk_sftp_take_back(struct path_walk *w, struct sftp *s)
{
    struct walk_sftp *x = w->sftp;
    if (!x)
        return;
    sftp_forget(s, &x->stat);
    sftp_forget(s, &x->real);
    for (size_t i = 0; i < WALK_WINDOW; i++) {
        struct walk_slot *slot = &x->slots[i];
        sftp_forget(s, &slot->request);
        for (size_t k = 0; k < READS; k++)
            sftp_forget(s, &slot->reads[k].request);
        if (slot->handle_open)
            sftp_close(s, &slot->handle);
        slot->handle_open = false;
    }
}

void walk_sftp_free(struct path_walk *w)
{
    if (w->sftp)
        buf_fini(&w->sftp->real_path);
    free(w->sftp);
    w->sftp = NULL;
}
