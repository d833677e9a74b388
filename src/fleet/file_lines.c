/* Lines of a file, block by block: each is read as file_read.c reads, and line_range.c says which
 * one is next, and when all that is wanted is there. Of the last lines the file's begin is read
 * beside the first block, since it tells the encoding. */
#include "path_get.h"

#include <stdio.h>
#include <string.h>

static void read_block(struct path_get *g)
{
    uint64_t offset, len;
    line_range_next(&g->file.lines, &offset, &len);
    file_read_block(g, offset, len);
}

void file_lines_complete(struct path_get *g)
{
    const struct line_range *l = &g->file.lines;
    struct path_result *out = &g->result;
    out->text = slice_of(l->kept, l->kept_len);
    out->text_at = l->kept_at;
    out->first_line = l->want.part == PATH_LINES ? l->want.first
                      : l->lines > 0             ? l->lines - l->line_count + 1
                                                 : 0;
    out->line_total = l->at_end ? l->lines : 0;
    out->at_end = l->at_end;
    out->truncated = l->truncated;
    if (file_around_take(g))
        file_read_finish(g);
}

/* A block of lines is there. */
void file_lines_take(struct path_get *g, uint64_t len)
{
    struct file_read *r = &g->file;
    char text[160];
    if (r->base == 0 && !r->head_known) {
        r->head_len = len < PATH_HEAD_MAX ? len : PATH_HEAD_MAX;
        memcpy(r->head_bytes, r->data, r->head_len);
        r->head_known = true;
    }
    g->result.head = slice_of(r->head_bytes, r->head_len);
    line_range_head(&r->lines, g->result.head);
    int error = line_range_take(&r->lines, slice_of(r->data, len));
    snprintf(text, sizeof text,
             "The line %llu is not within the first %u MiB: ask for bytes, or for the last lines",
             (unsigned long long)r->lines.want.first, PATH_SCAN_MAX >> 20);
    if (error)
        visit_fail(&g->visit, error,
                   error == SCOUT_E_LIMIT ? text : "No memory for the file's content");
    else if (r->lines.ended)
        file_lines_complete(g);
    else
        read_block(g);
}

static void on_head(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct path_get *g = CONTAINER_OF(request, struct path_get, file.head);
    struct file_read *r = &g->file;
    if (reply->error) {
        visit_fail_reply(&g->visit, "read", reply);
        return;
    }
    r->head_len = reply->eof ? 0 : reply->data.len; /* the client takes no more than it asked for */
    if (r->head_len)
        memcpy(r->head_bytes, reply->data.data, r->head_len);
    r->head_known = true;
    file_read_settle(g);
}

/* What tells the encoding of the last lines: read beside them. */
static void ask_head(struct path_get *g)
{
    struct sftp *s = visit_sftp(&g->visit);
    int error = s ? sftp_read(s, &g->file.head, &g->handle, 0, PATH_HEAD_MAX, on_head)
                  : SCOUT_E_CONNECTION_LOST;
    if (error)
        visit_fail_start(&g->visit, error);
}

void file_lines_start(struct path_get *g)
{
    struct file_read *r = &g->file;
    uint64_t size = g->result.attrs.flags & SFTP_ATTR_SIZE ? g->result.attrs.size : 0;
    r->by_line = true;
    line_range_init(&r->lines, &g->range, g->size_max, size);
    if (g->range.part == PATH_TAIL && size > LINE_BLOCK_FIRST)
        ask_head(g);
    if (!g->visit.finished)
        read_block(g);
}
