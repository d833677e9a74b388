/* What stands around lines that were read. Mostly the block has it in which they ended; what it
 * does not have is read once more, both sides at a time, while the handle is open. A server that
 * gives less than was asked for is believed: it is no part of the answer. */
#include "path_get.h"

#include <stdlib.h>
#include <string.h>

struct around_side {
    struct sftp_request request;
    struct path_get *get;
    size_t len; /* that came */
};

struct file_around {
    struct around_side before, after;
    uint8_t bytes[]; /* twice as many as are wanted of one side */
};

static void take(struct around_side *side, uint8_t *to, const struct sftp_reply *reply)
{
    struct path_get *g = side->get;
    const struct file_around *a = g->file.around;
    if (reply->error) {
        visit_fail_reply(&g->visit, "read", reply);
        return;
    }
    side->len = reply->eof ? 0 : reply->data.len;
    if (side->len)
        memcpy(to, reply->data.data, side->len);
    if (a->before.request.id == 0 && a->after.request.id == 0)
        file_lines_complete(g);
}

static void on_before(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct around_side *side = CONTAINER_OF(request, struct around_side, request);
    take(side, side->get->file.around->bytes, reply);
}

static void on_after(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct around_side *side = CONTAINER_OF(request, struct around_side, request);
    take(side, side->get->file.around->bytes + side->get->around, reply);
}

static void ask(struct path_get *g, uint64_t before, uint64_t before_len, uint64_t after)
{
    struct sftp *s = visit_sftp(&g->visit);
    struct file_around *a = calloc(1, sizeof *a + 2 * (size_t)g->around);
    int error = !a ? SCOUT_E_NOMEM : s && g->handle_open ? 0 : SCOUT_E_CONNECTION_LOST;
    g->file.around = a;
    if (a)
        a->before.get = a->after.get = g;
    if (!error && before_len)
        error =
            sftp_read(s, &a->before.request, &g->handle, before, (uint32_t)before_len, on_before);
    if (!error && after)
        error = sftp_read(s, &a->after.request, &g->handle, after, g->around, on_after);
    if (error)
        visit_fail_start(&g->visit, error);
    else
        pool_flush(&g->visit.use);
}

/* What the last block has of that part of the file; false: not all of it. */
static bool from_block(const struct path_get *g, uint64_t at, uint64_t len, struct slice *out)
{
    const struct file_read *r = &g->file;
    uint64_t block = r->want < r->end ? r->want : r->end;
    if (at < r->base || at + len > r->base + block)
        return false;
    *out = slice_of(r->data + (at - r->base), len);
    return true;
}

bool file_around_take(struct path_get *g)
{
    struct path_result *out = &g->result;
    const struct file_around *a = g->file.around;
    if (a) {
        if (a->before.len)
            out->before = slice_of(a->bytes, a->before.len);
        if (a->after.len)
            out->after = slice_of(a->bytes + g->around, a->after.len);
        return true;
    }
    uint64_t lead = out->text_at < g->around ? out->text_at : g->around;
    uint64_t end = out->text_at + out->text.len, trail = out->at_end ? 0 : g->around;
    uint64_t size = out->attrs.flags & SFTP_ATTR_SIZE ? out->attrs.size : 0;
    if (size > 0 && trail > size - end)
        trail = size > end ? size - end : 0;
    bool has_before = lead == 0 || from_block(g, out->text_at - lead, lead, &out->before);
    bool has_after = trail == 0 || from_block(g, end, trail, &out->after);
    if (has_before && has_after)
        return true;
    ask(g, out->text_at - lead, has_before ? 0 : lead, has_after ? 0 : end);
    return false;
}

void file_around_forget(struct path_get *g, struct sftp *s)
{
    struct file_around *a = g->file.around;
    if (!a)
        return;
    sftp_forget(s, &a->before.request);
    sftp_forget(s, &a->after.request);
}
