/* A regular file's content, up to a limit.
 *
 * With a size known from stat, chunks are asked for side by side, PATH_READ_WINDOW at most, and
 * each is put where it belongs. Where the first window covers all that is wanted, the close goes
 * out right behind the reads; a read that then comes short (the file shrank, or lies in /sys, or
 * the server gives less than it said) is gone on with over a second open, one piece after the
 * other. Without the early close, a short answer is asked on for the rest. An end of file earlier
 * than stat said cuts the result there. A size of 0 may be a lie (/proc): then it is read piece by
 * piece until its end or the limit. What one read brings is asked for together with the open, where
 * the client allows it (sftp_ahead.c).
 *
 * Lines come block by block (file_lines.c): each is read like a file of its own, and the handle
 * stays open until the last. Whether the file changed is asked right behind the reads. */
#include "path_get.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST (64u * 1024u)

static void on_read(struct sftp_request *request, const struct sftp_reply *reply);
static void on_after(struct sftp_request *request, const struct sftp_reply *reply);

/* 0, or an error; without another read in flight, the operation ends with it. */
static int ask(struct path_get *g, struct file_read_slot *slot)
{
    struct sftp *s = visit_sftp(&g->visit);
    int error = s ? sftp_read(s, &slot->request, &g->handle, g->file.base + slot->offset, slot->len,
                              on_read)
                  : SCOUT_E_CONNECTION_LOST;
    if (error == SCOUT_E_LIMIT && g->file.in_flight > 0)
        return error; /* others fill the connection: the reads in flight go on from here */
    if (error) {
        visit_fail(&g->visit, error, "The file could not be read further");
        return error;
    }
    g->file.in_flight++;
    pool_flush(&g->visit.use);
    return 0;
}

/* Makes room for `size` bytes in all. */
static bool make_room(struct path_get *g, uint64_t size)
{
    struct file_read *r = &g->file;
    if (size <= r->room)
        return true;
    uint64_t room = r->room ? r->room * 2 : ROOM_FIRST;
    if (!r->one_by_one || room < size)
        room = size;
    if (r->one_by_one && !visit_hold_more(&g->visit, room))
        return false;
    uint8_t *data = realloc(r->data, room);
    if (!data) {
        visit_fail(&g->visit, SCOUT_E_NOMEM, "No memory for the file's content");
        return false;
    }
    r->data = data;
    r->room = room;
    return true;
}

static uint64_t limit_of(const struct file_read *r)
{
    return r->want < r->end ? r->want : r->end;
}

/* All is there; whether the file changed may not be known yet. */
void file_read_finish(struct path_get *g)
{
    struct sftp *s = visit_sftp(&g->visit);
    struct path_result *out = &g->result;
    if (g->watch && !g->file.after_known && g->handle_open) {
        int error =
            s ? sftp_fstat(s, &g->file.after, &g->handle, on_after) : SCOUT_E_CONNECTION_LOST;
        if (error)
            visit_fail_start(&g->visit, error);
        else
            pool_flush(&g->visit.use);
        return;
    }
    bool grew = out->attrs_after.size != out->attrs.size;
    bool touched = out->attrs_after.mtime != out->attrs.mtime && out->attrs.size > 0;
    out->changed = g->file.after_known && (grew || touched);
    visit_finish(&g->visit);
}

/* What is wanted of `len` bytes that were read, and what stands around it. */
static void tell_part(struct path_get *g, uint64_t len)
{
    struct file_read *r = &g->file;
    struct path_result *out = &g->result;
    uint64_t lead = len < r->lead ? len : r->lead, most = r->keep - r->lead - r->trail;
    uint64_t text = len - lead > most ? most : len - lead;
    bool more = text < len - lead || (r->base + len < out->attrs.size && len == r->want);
    bool wanted = g->range.part == PATH_HEAD || g->range.count > g->size_max;
    out->truncated = more && wanted;
    out->at_end = !more;
    out->text = slice_of(r->data + lead, text);
    out->text_at = r->base + r->lead;
    out->first_line = out->text_at == 0;
    if (out->text_at == 0)
        out->head = slice_of(r->data, text < PATH_HEAD_MAX ? text : PATH_HEAD_MAX);
    if (g->around) {
        out->before = slice_of(r->data, lead);
        out->after = slice_of(r->data + lead + text, len - lead - text);
    }
}

static void complete(struct path_get *g)
{
    struct file_read *r = &g->file;
    uint64_t len = limit_of(r);
    if (r->by_line && r->lines.ended) {
        file_lines_complete(g);
        return;
    }
    if (r->by_line) {
        file_lines_take(g, len);
        return;
    }
    tell_part(g, len);
    file_read_finish(g);
}

/* Whether others fill the connection: then one read at a time is enough. */
static bool is_crowded(const struct path_get *g)
{
    const struct sftp *s = visit_sftp(&g->visit);
    return g->file.in_flight > 0 && s && sftp_in_flight(s) >= VISIT_CROWDED;
}

/* Asks for the next chunk in `slot`. Returns whether there was one. */
static bool ask_next(struct path_get *g, struct file_read_slot *slot)
{
    struct file_read *r = &g->file;
    uint64_t limit = limit_of(r);
    if (r->asked >= limit || is_crowded(g))
        return false;
    uint64_t left = limit - r->asked;
    slot->get = g;
    slot->offset = r->asked;
    slot->len = left < r->chunk ? (uint32_t)left : r->chunk;
    if (r->one_by_one && r->room > slot->offset && r->room - slot->offset < slot->len)
        slot->len = (uint32_t)(r->room - slot->offset); /* the end is likely near */
    if (r->one_by_one && !make_room(g, slot->offset + slot->len))
        return false;
    int error = ask(g, slot);
    if (!error)
        r->asked += slot->len;
    return error == 0;
}

/* What a slot that got `got` bytes does next. */
static void read_on(struct path_get *g, struct file_read_slot *slot, size_t got)
{
    struct file_read *r = &g->file;
    if (got < slot->len && !g->handle_open) {
        if (slot->offset + got < r->cut)
            r->cut = slot->offset + got;
        return;
    }
    if (got < slot->len && !r->one_by_one) {
        slot->offset += got;
        slot->len -= (uint32_t)got;
        if (ask(g, slot) == SCOUT_E_LIMIT && !g->visit.finished)
            visit_fail(&g->visit, SCOUT_E_LIMIT, "The file could not be read further");
        return;
    }
    if (got < slot->len)
        r->asked = slot->offset + got; /* a short piece is usual here: go on from its end */
    if (g->handle_open)
        ask_next(g, slot);
}

/* All that was asked for is answered. */
void file_read_settle(struct path_get *g)
{
    struct file_read *r = &g->file;
    if (r->in_flight > 0 || r->head.id != 0 || r->after.id != 0 || g->visit.finished)
        return;
    if (r->cut < limit_of(r)) {
        r->reopened = true;
        r->after_known = false; /* it was asked before the rest is read */
        path_look_open(g);      /* comes back to file_read_start */
    } else {
        complete(g);
    }
}

static void on_after(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct path_get *g = CONTAINER_OF(request, struct path_get, file.after);
    if (reply->error) {
        visit_fail_reply(&g->visit, "stat", reply);
        return;
    }
    g->result.attrs_after = reply->attrs;
    g->file.after_known = true;
    file_read_settle(g);
}

static void tell(struct path_get *g)
{
    const struct file_read *r = &g->file;
    if (!g->progress || !r->window)
        return;
    if (!r->by_line)
        g->progress(g->context, r->got, r->want);
    else if (g->range.part == PATH_LINES)
        g->progress(g->context, r->base + r->got, g->result.attrs.size);
}

static void on_read(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct file_read_slot *slot = CONTAINER_OF(request, struct file_read_slot, request);
    struct path_get *g = slot->get;
    struct file_read *r = &g->file;
    r->in_flight--;
    if (reply->error) {
        visit_fail_reply(&g->visit, "read", reply);
        return;
    }
    if (reply->eof) {
        if (slot->offset < r->end)
            r->end = slot->offset;
    } else {
        /* The client takes no more than was asked for. */
        memcpy(r->data + slot->offset, reply->data.data, reply->data.len);
        r->got += reply->data.len;
        tell(g);
        read_on(g, slot, reply->data.len);
    }
    file_read_settle(g);
}

/* The slots of a file that takes more reads than one; false without memory. */
static bool make_window(struct path_get *g)
{
    struct file_read *r = &g->file;
    if (!r->one_by_one && r->want > r->chunk && !r->window) {
        r->window = calloc(PATH_READ_WINDOW, sizeof *r->window);
        if (!r->window) {
            visit_fail(&g->visit, SCOUT_E_NOMEM, "No memory to read the file");
            return false;
        }
    }
    return true;
}

/* What is to be read of a file or of a block, from what stat said. */
static bool plan(struct path_get *g, uint64_t base, uint64_t count)
{
    struct file_read *r = &g->file;
    struct sftp *s = visit_sftp(&g->visit);
    uint64_t size = g->result.attrs.flags & SFTP_ATTR_SIZE ? g->result.attrs.size : 0;
    uint64_t left = size > base ? size - base : 0;
    r->base = base;
    r->keep = count;
    r->asked = r->got = 0;
    r->after_known = false;
    r->one_by_one = size == 0;
    r->end = r->cut = UINT64_MAX;
    r->chunk = s ? sftp_read_max(s) : SFTP_CHUNK;
    if (r->one_by_one && r->chunk > ROOM_FIRST)
        r->chunk = ROOM_FIRST; /* mostly it is small, and not to be counted (holdings.h) */
    /* One byte more than the limit tells whether something is missing. */
    r->want = r->one_by_one ? count + !r->by_line : left < count ? left : count;
    return (r->one_by_one || make_room(g, r->want)) && make_window(g);
}

/* Behind the reads, so that it is answered after them. */
static void ask_after(struct path_get *g)
{
    struct sftp *s = visit_sftp(&g->visit);
    if (g->watch && s && g->handle_open && g->file.after.id == 0 &&
        sftp_fstat(s, &g->file.after, &g->handle, on_after) == 0) {
        g->file.after_known = false;
        pool_flush(&g->visit.use);
    }
}

/* Asks for what was planned. */
static void begin(struct path_get *g)
{
    struct file_read *r = &g->file;
    if (r->first.request.id != 0) { /* it went out behind the open */
        r->in_flight = 1;
        r->asked = r->want;
    } else if (!r->window) {
        ask_next(g, &r->first);
    } else {
        for (size_t i = 0; i < PATH_READ_WINDOW && ask_next(g, &r->window[i]); i++)
            ;
    }
    if (g->visit.finished)
        return;
    bool all = !r->one_by_one && r->asked == r->want;
    if (all)
        ask_after(g);
    if (r->in_flight == 0) {
        file_read_settle(g);
    } else if (all && !r->by_line) {
        sftp_close(visit_sftp(&g->visit), &g->handle);
        g->handle_open = false;
    }
}

/* The part of the file that is wanted without looking for lines, with what stands around it. */
static void whole_part(struct path_get *g, uint64_t *base, uint64_t *count)
{
    const struct path_range *want = &g->range;
    bool bytes = want->part == PATH_BYTES;
    uint64_t wanted = bytes && want->count < g->size_max ? want->count : g->size_max;
    g->file.lead = !bytes ? 0 : want->first < g->around ? want->first : g->around;
    g->file.trail = g->around;
    *base = bytes ? want->first - g->file.lead : 0;
    *count = g->file.lead + wanted + g->file.trail;
}

void file_read_ahead(struct path_get *g)
{
    struct file_read *r = &g->file;
    uint64_t base, count;
    bool by_line = g->range.part == PATH_LINES || g->range.part == PATH_TAIL;
    if (by_line || r->reopened)
        return;
    whole_part(g, &base, &count);
    if (!plan(g, base, count) || r->one_by_one || r->want == 0 || r->want > r->chunk)
        return;
    r->first.get = g;
    r->first.offset = 0;
    r->first.len = (uint32_t)r->want;
    /* Refused: it is asked for when the handle is there. */
    (void)!sftp_read_ahead(visit_sftp(&g->visit), &r->first.request, &g->request, base,
                           r->first.len, on_read);
}

void file_read_block(struct path_get *g, uint64_t offset, uint64_t len)
{
    if (plan(g, offset, len))
        begin(g);
}

void file_read_start(struct path_get *g)
{
    struct file_read *r = &g->file;
    uint64_t base, count;
    if (r->reopened) {
        r->asked = r->cut;
        r->cut = UINT64_MAX;
        r->one_by_one = true;
        ask_next(g, &r->first);
    } else if (g->range.part == PATH_LINES || g->range.part == PATH_TAIL) {
        file_lines_start(g);
    } else {
        whole_part(g, &base, &count);
        file_read_block(g, base, count);
    }
}

void file_read_forget(struct path_get *g, struct sftp *s)
{
    struct file_read *r = &g->file;
    sftp_forget(s, &r->first.request);
    sftp_forget(s, &r->head);
    sftp_forget(s, &r->after);
    file_around_forget(g, s);
    for (size_t i = 0; r->window && i < PATH_READ_WINDOW; i++)
        sftp_forget(s, &r->window[i].request);
}

void file_read_free(struct path_get *g)
{
    free(g->file.data);
    free(g->file.window);
    free(g->file.around);
    line_range_fini(&g->file.lines);
    g->file = (struct file_read){0};
}
