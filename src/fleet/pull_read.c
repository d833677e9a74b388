/* The reading of a file of a host, once it is open.
 *
 * The requests in flight are a ring: `head` is the one whose bytes come next, `tail` the next to be
 * used. An answer whose turn it is, and which is wanted, is handed on from where it lies in the
 * packet; what comes early, or is not wanted yet, is kept in its place of the ring. Both together
 * have FILE_PULL_WINDOW bytes at most. A read that comes short is asked on for the rest.
 *
 * At the end fstat has to say what it said at the begin, and nothing may be behind that. */
#include "file_pull.h"

#include <stdlib.h>
#include <string.h>

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
        visit_fail_shown(&p->visit, SCOUT_E_NOT_A_FILE, PULL_NO_SIZE);
    else if (!reply->eof)
        pull_fail_changed(p);
    else
        checked(p);
}

static void on_checked(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct file_pull *p = CONTAINER_OF(request, struct file_pull, request);
    if (reply->error)
        visit_fail_reply(&p->visit, "read", reply);
    else if (reply->attrs.size != p->attrs.size || reply->attrs.mtime != p->attrs.mtime)
        pull_fail_changed(p);
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

void pull_go_on(struct file_pull *p)
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
        pull_fail_changed(p); /* it ends earlier than it did */
        return;
    }
    visit_moved(&p->visit, p->in_flight > 0);
    take(p, slot, reply->data);
    if (!p->visit.finished)
        pull_go_on(p);
}
