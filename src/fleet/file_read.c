/* A regular file's content, up to a limit.
 *
 * With a size known from stat, chunks are asked for side by side, PATH_READ_WINDOW at most, and
 * each is put where it belongs. Where the first window covers all that is wanted, the close goes
 * out right behind the reads; a read that then comes short (the file shrank, or lies in /sys, or
 * the server gives less than it said) is gone on with over a second open, one piece after the
 * other. Without the early close, a short answer is asked on for the rest. An end of file earlier
 * than stat said cuts the result there. A size of 0 may be a lie (/proc): then it is read piece by
 * piece until its end or the limit. */
#include "path_get.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST (64u * 1024u)

static void on_read(struct sftp_request *request, const struct sftp_reply *reply);

/* 0, or an error; without another read in flight, the operation ends with it. */
static int ask(struct path_get *g, struct file_read_slot *slot)
{
    struct sftp *s = visit_sftp(&g->visit);
    int error = s ? sftp_read(s, &slot->request, &g->handle, slot->offset, slot->len, on_read)
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

static void complete(struct path_get *g)
{
    struct file_read *r = &g->file;
    uint64_t len = limit_of(r);
    if (len > g->size_max) {
        len = g->size_max;
        g->result.truncated = true;
    } else if (len < r->want) {
        g->result.truncated = false; /* it ended earlier than stat said */
    }
    g->result.text = slice_of(r->data, len);
    visit_finish(&g->visit);
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
static void settle(struct path_get *g)
{
    struct file_read *r = &g->file;
    if (r->cut < limit_of(r)) {
        r->reopened = true;
        path_look_open(g); /* comes back to file_read_start */
    } else {
        complete(g);
    }
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
        if (g->progress && r->window)
            g->progress(g->context, r->got, r->want);
        read_on(g, slot, reply->data.len);
    }
    if (r->in_flight == 0 && !g->visit.finished)
        settle(g);
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

/* What is to be read, from what stat said. */
static bool plan(struct path_get *g)
{
    struct file_read *r = &g->file;
    struct sftp *s = visit_sftp(&g->visit);
    uint64_t size = g->result.attrs.flags & SFTP_ATTR_SIZE ? g->result.attrs.size : 0;
    r->one_by_one = size == 0;
    r->end = r->cut = UINT64_MAX;
    r->chunk = s ? sftp_read_max(s) : SFTP_CHUNK;
    /* One byte more than the limit tells whether something is missing. */
    r->want = r->one_by_one ? g->size_max + 1 : size < g->size_max ? size : g->size_max;
    g->result.truncated = size > g->size_max;
    return (r->one_by_one || make_room(g, r->want)) && make_window(g);
}

void file_read_start(struct path_get *g)
{
    struct file_read *r = &g->file;
    if (r->reopened) {
        r->asked = r->cut;
        r->cut = UINT64_MAX;
        r->one_by_one = true;
        ask_next(g, &r->first);
        return;
    }
    if (!plan(g))
        return;
    if (!r->window) {
        ask_next(g, &r->first);
    } else {
        for (size_t i = 0; i < PATH_READ_WINDOW && ask_next(g, &r->window[i]); i++)
            ;
    }
    if (g->visit.finished)
        return;
    if (r->in_flight == 0) {
        complete(g);
    } else if (!r->one_by_one && r->asked == r->want) {
        sftp_close(visit_sftp(&g->visit), &g->handle);
        g->handle_open = false;
    }
}

void file_read_forget(struct path_get *g, struct sftp *s)
{
    struct file_read *r = &g->file;
    sftp_forget(s, &r->first.request);
    for (size_t i = 0; r->window && i < PATH_READ_WINDOW; i++)
        sftp_forget(s, &r->window[i].request);
}

void file_read_free(struct path_get *g)
{
    free(g->file.data);
    free(g->file.window);
    g->file = (struct file_read){0};
}
