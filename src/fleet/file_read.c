/* A regular file's content, up to a limit.
 *
 * With a size known from stat, chunks are asked for side by side, PATH_READ_WINDOW at most, and
 * each is put where it belongs; a short answer is asked on for the rest; an end of file earlier
 * than stat said (the file shrank, or lies in /sys) cuts the result there. A size of 0 may be a lie
 * (/proc): then it is read piece by piece until its end or the limit. */
#include "path_get.h"

#include <stdlib.h>
#include <string.h>

static void on_read(struct sftp_request *request, const struct sftp_reply *reply);

static int ask(struct path_get *g, struct file_read_slot *slot)
{
    struct sftp *s = pool_sftp(&g->use);
    int error = s ? sftp_read(s, &slot->request, &g->handle, slot->offset, slot->len, on_read)
                  : SCOUT_E_CONNECTION_LOST;
    if (error) {
        path_get_fail(g, error, "The file could not be read further");
        return error;
    }
    g->file.in_flight++;
    pool_flush(&g->use);
    return 0;
}

/* Makes room for `size` bytes in all. */
static bool make_room(struct path_get *g, uint64_t size)
{
    struct file_read *r = &g->file;
    if (size <= r->room)
        return true;
    uint64_t room = r->room ? r->room * 2 : PATH_READ_CHUNK * 2;
    if (!r->size_unknown || room < size)
        room = size;
    uint8_t *data = realloc(r->data, room);
    if (!data) {
        path_get_fail(g, SCOUT_E_NOMEM, "No memory for the file's content");
        return false;
    }
    r->data = data;
    r->room = room;
    return true;
}

static void complete(struct path_get *g)
{
    struct file_read *r = &g->file;
    uint64_t len = r->end < r->want ? r->end : r->want;
    if (len > g->size_max) {
        len = g->size_max;
        g->result.truncated = true;
    } else if (len < r->want) {
        g->result.truncated = false; /* it ended earlier than stat said */
    }
    g->result.text = slice_of(r->data, len);
    path_get_finish(g);
}

/* Asks for the next chunk in `slot`. Returns whether there was one. */
static bool ask_next(struct path_get *g, struct file_read_slot *slot)
{
    struct file_read *r = &g->file;
    uint64_t limit = r->want < r->end ? r->want : r->end;
    if (r->asked >= limit)
        return false;
    uint64_t left = limit - r->asked;
    slot->get = g;
    slot->offset = r->asked;
    slot->len = left < PATH_READ_CHUNK ? (uint32_t)left : PATH_READ_CHUNK;
    if (r->size_unknown && !make_room(g, slot->offset + slot->len))
        return false;
    r->asked += slot->len;
    return ask(g, slot) == 0;
}

static void read_on(struct path_get *g, struct file_read_slot *slot, size_t got)
{
    struct file_read *r = &g->file;
    if (got < slot->len && r->size_unknown) {
        r->asked = slot->offset + got; /* a short piece is usual here: go on from its end */
    } else if (got < slot->len) {
        slot->offset += got;
        slot->len -= (uint32_t)got;
        ask(g, slot);
        return;
    }
    ask_next(g, slot);
}

static void on_read(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct file_read_slot *slot = CONTAINER_OF(request, struct file_read_slot, request);
    struct path_get *g = slot->get;
    struct file_read *r = &g->file;
    r->in_flight--;
    if (reply->error) {
        path_get_fail_reply(g, "read", reply);
        return;
    }
    if (reply->eof) {
        if (slot->offset < r->end)
            r->end = slot->offset;
    } else if (reply->data.len > slot->len) {
        path_get_fail(g, SCOUT_E_SFTP_PROTOCOL, "The SFTP server sent more than was asked for");
        return;
    } else {
        memcpy(r->data + slot->offset, reply->data.data, reply->data.len);
        read_on(g, slot, reply->data.len);
    }
    if (r->in_flight == 0 && !g->finished)
        complete(g);
}

void file_read_start(struct path_get *g)
{
    struct file_read *r = &g->file;
    uint64_t size = g->result.attrs.flags & SFTP_ATTR_SIZE ? g->result.attrs.size : 0;
    r->size_unknown = size == 0;
    r->end = UINT64_MAX;
    /* One byte more than the limit tells whether something is missing. */
    r->want = r->size_unknown ? g->size_max + 1 : size < g->size_max ? size : g->size_max;
    g->result.truncated = size > g->size_max;
    if (!r->size_unknown && !make_room(g, r->want))
        return;
    size_t window = r->size_unknown ? 1 : PATH_READ_WINDOW;
    for (size_t i = 0; i < window && ask_next(g, &r->slots[i]); i++)
        ;
    if (r->in_flight == 0 && !g->finished)
        complete(g);
}

void file_read_forget(struct path_get *g, struct sftp *s)
{
    for (size_t i = 0; i < PATH_READ_WINDOW; i++)
        if (g->file.slots[i].request.id)
            sftp_forget(s, &g->file.slots[i].request);
}
