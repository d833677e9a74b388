/* A file of a host, read in order with many requests in flight. Its connection, its deadline and
 * its end are a visit's (visit.c).
 *
 *   stat, realpath --permit--> open --> fstat --on_opened, go--> reads --all of them--> fstat -->
 * end
 *
 * The requests in flight are a ring: `head` is the one whose bytes come next, `tail` the next to be
 * used. An answer whose turn it is, and which is wanted, is handed on from where it lies in the
 * packet; what comes early, or is not wanted yet, is kept in its place of the ring. Both together
 * have FILE_PULL_WINDOW bytes at most. A read that comes short is asked on for the rest.
 *
 * A visit begins once again after a lost connection; this one only until it was opened. */
#include "scout/fleet/file_source.h"

#include "visit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PULL_SLOTS 64             /* places of the ring: a power of two */
#define PULL_CHUNK (255u * 1024u) /* bytes of one read at most */

struct pull_slot {
    struct sftp_request request;
    struct file_pull *pull;
    uint64_t offset;
    uint32_t len, got; /* of the read; of them have come */
    uint32_t taken;    /* of them are handed on */
    uint8_t *kept;     /* NULL: nothing had to be kept */
};

struct file_pull {
    struct visit visit;
    const struct file_source_events *events;
    void *context;
    uint64_t idle_ns;
    struct sftp_request request, real_request; /* stat, open, fstat; realpath */
    struct sftp_request behind_request;        /* a read at the end */
    bool stat_known, opened, going, ending;
    char *real_path;
    struct sftp_handle handle;
    bool handle_open;
    struct sftp_attrs attrs; /* as it was opened */
    uint64_t size, asked;
    uint32_t head, tail; /* of the ring; they only grow */
    uint32_t in_flight;  /* requests */
    uint32_t window;     /* bytes asked for or kept */
    bool handing;        /* bytes are being handed on */
    struct pull_slot slots[PULL_SLOTS];
    char shown[];
};

static struct file_pull *pull_of(struct visit *v)
{
    return CONTAINER_OF(v, struct file_pull, visit);
}

static void fail(struct file_pull *p, int error, const char *text)
{
    struct failure why;
    failure_set(&why, error, "%.400s %s", p->shown, text);
    why.stage = NULL;
    visit_fail_as(&p->visit, &why);
}

static void fail_changed(struct file_pull *p)
{
    fail(p, SCOUT_E_CHANGED, "changed while it was read: nothing of it was kept; try again");
}

/* ---- the end ---- */

/* Both answers have to be right, in whatever order they come. */
static void checked(struct file_pull *p)
{
    if (p->request.id == 0 && p->behind_request.id == 0)
        visit_finish(&p->visit);
}

/* What is behind its end: nothing, unless it has grown, or is made up while it is read. */
static void on_behind(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct file_pull *p = CONTAINER_OF(request, struct file_pull, behind_request);
    if (reply->error)
        visit_fail_reply(&p->visit, "read", reply);
    else if (!reply->eof && p->size == 0)
        fail(p, SCOUT_E_NOT_A_FILE,
             "has no size of its own, as in /proc: it cannot be copied, only read");
    else if (!reply->eof)
        fail_changed(p);
    else
        checked(p);
}

static void on_checked(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct file_pull *p = CONTAINER_OF(request, struct file_pull, request);
    if (reply->error)
        visit_fail_reply(&p->visit, "read", reply);
    else if (reply->attrs.size != p->attrs.size || reply->attrs.mtime != p->attrs.mtime)
        fail_changed(p);
    else
        checked(p);
}

/* Everything is handed on: is it still what it was? */
static void check(struct file_pull *p)
{
    struct sftp *s = visit_sftp(&p->visit);
    p->ending = true;
    int error = s ? sftp_read(s, &p->behind_request, &p->handle, p->size, 1, on_behind)
                  : SCOUT_E_CONNECTION_LOST;
    if (!error)
        error = sftp_fstat(s, &p->request, &p->handle, on_checked);
    if (error) {
        visit_fail_start(&p->visit, error);
        return;
    }
    visit_moved(&p->visit, true);
    pool_flush(&p->visit.use);
}

/* ---- reading ---- */

static void on_read(struct sftp_request *request, const struct sftp_reply *reply);

static struct pull_slot *slot_at(struct file_pull *p, uint32_t index)
{
    return &p->slots[index % PULL_SLOTS];
}

/* 0, or an error: the rest of the slot could not be asked for. */
static int ask(struct file_pull *p, struct pull_slot *slot)
{
    struct sftp *s = visit_sftp(&p->visit);
    int error = s ? sftp_read(s, &slot->request, &p->handle, slot->offset + slot->got,
                              slot->len - slot->got, on_read)
                  : SCOUT_E_CONNECTION_LOST;
    if (!error && p->in_flight++ == 0)
        visit_moved(&p->visit, true);
    return error;
}

static bool may_ask(const struct file_pull *p, uint32_t len)
{
    const struct sftp *s = visit_sftp(&p->visit);
    bool crowded = p->in_flight > 0 && s && sftp_in_flight(s) >= VISIT_CROWDED;
    return p->asked < p->size && p->tail - p->head < PULL_SLOTS && !crowded &&
           p->window + len <= FILE_PULL_WINDOW;
}

static void ask_more(struct file_pull *p)
{
    struct sftp *s = visit_sftp(&p->visit);
    uint32_t chunk = s ? sftp_read_max(s) : SFTP_CHUNK;
    chunk = chunk < PULL_CHUNK ? chunk : PULL_CHUNK;
    while (!p->visit.finished && may_ask(p, chunk)) {
        struct pull_slot *slot = slot_at(p, p->tail);
        uint64_t left = p->size - p->asked;
        *slot = (struct pull_slot){
            .pull = p, .offset = p->asked, .len = left < chunk ? (uint32_t)left : chunk};
        int error = ask(p, slot);
        if (error == SCOUT_E_LIMIT && p->in_flight > 0)
            break; /* others fill the connection: those in flight go on from here */
        if (error) {
            visit_fail_start(&p->visit, error);
            return;
        }
        p->asked += slot->len;
        p->window += slot->len;
        p->tail++;
    }
    if (!p->visit.finished)
        pool_flush(&p->visit.use);
}

/* Hands on as much of `bytes`, the next ones of the slot, as is wanted. */
static size_t hand_on(struct file_pull *p, struct pull_slot *slot, struct slice bytes)
{
    size_t room = p->events->room(p->context), len = bytes.len < room ? bytes.len : room;
    if (len == 0)
        return 0;
    slot->taken += (uint32_t)len;
    p->window -= (uint32_t)len;
    p->events->on_data(p->context, slice_of(bytes.data, len));
    return len;
}

/* Keeps what came behind what was kept before; false without memory. */
static bool keep(struct file_pull *p, struct pull_slot *slot, struct slice bytes, uint32_t at)
{
    if (!slot->kept)
        slot->kept = malloc(slot->len);
    if (!slot->kept) {
        visit_fail(&p->visit, SCOUT_E_NOMEM, "No memory for the file's content");
        return false;
    }
    memcpy(slot->kept + at, bytes.data, bytes.len);
    return true;
}

/* What is kept and whose turn it is. */
static void hand_on_kept(struct file_pull *p)
{
    while (!p->visit.finished && p->head != p->tail) {
        struct pull_slot *slot = slot_at(p, p->head);
        if (slot->kept && slot->taken < slot->got)
            hand_on(p, slot, slice_of(slot->kept + slot->taken, slot->got - slot->taken));
        if (slot->taken < slot->len)
            return;
        free(slot->kept);
        slot->kept = NULL;
        p->head++;
    }
}

static void go_on(struct file_pull *p)
{
    if (p->handing)
        return;
    p->handing = true;
    hand_on_kept(p);
    if (!p->visit.finished)
        ask_more(p);
    p->handing = false;
    if (!p->visit.finished && !p->ending && p->head == p->tail && p->asked == p->size)
        check(p);
}

static void take(struct file_pull *p, struct pull_slot *slot, struct slice bytes)
{
    uint32_t at = slot->got;
    slot->got += (uint32_t)bytes.len;
    if (slot == slot_at(p, p->head) && slot->taken == at) {
        p->handing = true;
        size_t len = hand_on(p, slot, bytes);
        p->handing = false;
        bytes = slice_skip(bytes, len);
        at += (uint32_t)len;
    }
    if (p->visit.finished || (bytes.len > 0 && !keep(p, slot, bytes, at)))
        return;
    int error = slot->got < slot->len ? ask(p, slot) : 0;
    if (error)
        visit_fail_start(&p->visit, error);
}

static void on_read(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct pull_slot *slot = CONTAINER_OF(request, struct pull_slot, request);
    struct file_pull *p = slot->pull;
    p->in_flight--;
    if (reply->error) {
        visit_fail_reply(&p->visit, "read", reply);
        return;
    }
    if (reply->eof) {
        fail_changed(p); /* it ends earlier than it did */
        return;
    }
    visit_moved(&p->visit, p->in_flight > 0);
    take(p, slot, reply->data);
    if (!p->visit.finished)
        go_on(p);
}

void file_pull_go(struct file_pull *p, uint64_t offset)
{
    if (!p->opened || p->going || p->visit.finished)
        return;
    p->going = true;
    p->asked = offset;
    visit_idle(&p->visit, p->idle_ns);
    go_on(p);
}

void file_pull_resume(struct file_pull *p)
{
    if (p->going && !p->visit.finished)
        go_on(p);
}

/* ---- the open ---- */

static void on_fstat(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct file_pull *p = CONTAINER_OF(request, struct file_pull, request);
    const uint32_t needed = SFTP_ATTR_SIZE | SFTP_ATTR_ACMODTIME;
    struct file_source_info info = {.real_path = slice_str(p->real_path), .attrs = reply->attrs};
    if (reply->error) {
        visit_fail_reply(&p->visit, "read", reply);
        return;
    }
    if ((reply->attrs.flags & needed) != needed) {
        fail(p, SCOUT_E_REMOTE, "cannot be copied: the host does not tell its size and time");
        return;
    }
    p->attrs = reply->attrs;
    p->size = reply->attrs.size;
    p->opened = true;
    p->visit.retried = true; /* what was told of it must not change any more */
    etag_format(&p->attrs, info.etag);
    p->events->on_opened(p->context, &info);
}

static void on_open(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct file_pull *p = CONTAINER_OF(request, struct file_pull, request);
    struct sftp *s = visit_sftp(&p->visit);
    if (reply->error) {
        visit_fail_reply(&p->visit, "read", reply);
        return;
    }
    p->handle = reply->handle;
    p->handle_open = true;
    int error = s ? sftp_fstat(s, &p->request, &p->handle, on_fstat) : SCOUT_E_CONNECTION_LOST;
    if (error)
        visit_fail_start(&p->visit, error);
    else
        pool_flush(&p->visit.use);
}

/* stat and realpath are both answered. */
static void step(struct file_pull *p)
{
    struct sftp *s = visit_sftp(&p->visit);
    struct failure why = {0};
    if (!p->stat_known || p->real_request.id != 0)
        return;
    if (!p->real_path) {
        fail(p, SCOUT_E_REMOTE, "cannot be copied: the host does not tell where it really is");
        return;
    }
    if (p->events->permit && p->events->permit(p->context, slice_str(p->real_path), &why) != 0) {
        visit_fail_as(&p->visit, &why);
        return;
    }
    int error = s ? sftp_open_read(s, &p->request, p->real_path, on_open) : SCOUT_E_CONNECTION_LOST;
    if (error)
        visit_fail_start(&p->visit, error);
    else
        pool_flush(&p->visit.use);
}

static void on_stat(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct file_pull *p = CONTAINER_OF(request, struct file_pull, request);
    if (reply->error) {
        visit_fail_reply(&p->visit, "stat", reply);
        return;
    }
    uint32_t mode = reply->attrs.flags & SFTP_ATTR_PERMISSIONS ? reply->attrs.permissions : 0;
    if (!S_ISREG(mode)) {
        fail(p, SCOUT_E_NOT_A_FILE,
             S_ISDIR(mode) ? "is a directory: only regular files can be copied"
                           : "is no regular file: a device, a FIFO or a socket cannot be copied");
        return;
    }
    p->stat_known = true;
    step(p);
}

static void on_real(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct file_pull *p = CONTAINER_OF(request, struct file_pull, real_request);
    struct slice names = reply->names;
    struct sftp_name name;
    if (reply->error == SCOUT_E_CONNECTION_LOST) {
        visit_fail_reply(&p->visit, "stat", reply);
        return;
    }
    if (!reply->error && sftp_next_name(&names, &name) && name.filename.len > 0 &&
        name.filename.len <= SFTP_PATH_MAX && name.filename.data[0] == '/' &&
        !memchr(name.filename.data, '\0', name.filename.len))
        p->real_path = strndup((const char *)name.filename.data, name.filename.len);
    step(p);
}

/* ---- the parts of the visit ---- */

static void begin(struct visit *v)
{
    struct file_pull *p = pull_of(v);
    struct sftp *s = visit_sftp(v);
    int error = s ? sftp_stat(s, &p->request, v->path, on_stat) : SCOUT_E_CONNECTION_LOST;
    if (!error)
        error = sftp_realpath(s, &p->real_request, v->path, on_real);
    if (error)
        visit_fail_start(v, error);
    else
        pool_flush(&v->use);
}

static void begin_shell(struct visit *v)
{
    char text[320];
    snprintf(text, sizeof text, "%.128s offers no SFTP, which copying a file needs", v->host->name);
    visit_fail(v, SCOUT_E_SFTP_UNAVAILABLE, text);
}

static void take_back(struct visit *v, struct sftp *s)
{
    struct file_pull *p = pull_of(v);
    sftp_forget(s, &p->request);
    sftp_forget(s, &p->real_request);
    sftp_forget(s, &p->behind_request);
    for (unsigned i = 0; i < PULL_SLOTS; i++)
        sftp_forget(s, &p->slots[i].request);
    if (p->handle_open)
        sftp_close(s, &p->handle);
    p->handle_open = false;
}

static void free_found(struct file_pull *p)
{
    for (unsigned i = 0; i < PULL_SLOTS; i++) {
        free(p->slots[i].kept);
        p->slots[i].kept = NULL;
    }
    free(p->real_path);
    p->real_path = NULL;
}

/* Only before it was opened. */
static void reset(struct visit *v)
{
    struct file_pull *p = pull_of(v);
    free_found(p);
    p->stat_known = p->handle_open = false;
}

static void deliver(struct visit *v)
{
    struct file_pull *p = pull_of(v);
    p->events->on_end(p->context, &v->failure, v->connected_ns);
    visit_fini(v);
    free_found(p);
    free(p);
}

static const struct visit_parts parts = {
    .begin = begin,
    .begin_shell = begin_shell,
    .take_back = take_back,
    .reset = reset,
    .deliver = deliver,
};

/* ---- begin and end ---- */

struct file_pull *file_pull_start(struct fleet *f, const struct file_pull_request *request,
                                  const struct file_source_events *events, void *context)
{
    size_t path_size = strlen(request->path) + 1;
    struct file_pull *p = path_size <= SFTP_PATH_MAX ? calloc(1, sizeof *p + path_size) : NULL;
    if (!p)
        return NULL;
    p->events = events;
    p->context = context;
    p->idle_ns = request->idle_ns;
    memcpy(p->shown, request->path, path_size);
    const struct path_request visit = {
        .host = request->host,
        .path = p->shown,
        .principal = request->principal,
        .client = request->client,
        .deadline_ns = request->deadline_ns,
    };
    visit_start(&p->visit, &parts, f, &visit, p->shown);
    return p;
}

void file_pull_stop(struct file_pull *p)
{
    visit_fail(&p->visit, SCOUT_E_CANCELLED, "Cancelled");
}
