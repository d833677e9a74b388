/* One look at a path of a host that offers no SFTP: one command of its shell, which prints all. Its
 * output is parsed as it comes. */
#include "path_get.h"

#include "exec_reply.h"
#include "exec_script.h"
#include "scout/base/text_kind.h"
#include "scout/fleet/etag.h"
#include <stdio.h>
#include <stdlib.h>

/* Of lines that were cut, the whole ones; of the last ones those at the end. */
static struct slice whole_lines(struct slice text, bool last)
{
    const uint8_t *lf = text.len == 0 ? NULL
                        : last        ? memchr(text.data, '\n', text.len)
                                      : memrchr(text.data, '\n', text.len);
    size_t end = lf ? (size_t)(lf - text.data) + 1 : text.len;
    if (last)
        return end < text.len ? slice_skip(text, end) : text;
    return slice_of(text.data, end);
}

/* What the bytes are of the file. The shell tells less than SFTP: not where the last lines begin,
 * nor how many lines there are. */
static void complete_file(struct path_get *g)
{
    struct path_result *out = &g->result;
    const struct path_range *want = &g->range;
    bool more = g->exec->truncated;
    out->text = buf_peek(&g->exec->text);
    out->at_end = !more;
    out->truncated = more;
    if (want->part == PATH_BYTES) {
        out->truncated = more && want->count > g->size_max;
        out->text_at = want->first;
    } else if (want->part == PATH_LINES) {
        out->text = more ? whole_lines(out->text, false) : out->text;
        out->first_line = want->first;
        out->at_end = !more && text_count_lines(out->text) < want->count;
    } else if (want->part == PATH_TAIL) {
        out->truncated = out->text.len == g->size_max && out->attrs.size > out->text.len &&
                         text_count_lines(out->text) < want->count;
        out->text = out->truncated ? whole_lines(out->text, true) : out->text;
        out->at_end = true;
    }
    out->first_line += want->part != PATH_LINES && want->part != PATH_TAIL && out->text_at == 0;
    if (out->first_line == 1 && out->text_at == 0)
        out->head =
            slice_of(out->text.data, out->text.len < PATH_HEAD_MAX ? out->text.len : PATH_HEAD_MAX);
}

/* What the reply is, now that it is whole. */
static void complete(struct path_get *g)
{
    struct exec_reply *r = g->exec;
    struct path_result *out = &g->result;
    uint32_t mode = r->attrs.flags & SFTP_ATTR_PERMISSIONS ? r->attrs.permissions : 0;
    out->attrs = r->attrs;
    switch (r->kind) {
    case EXEC_REPLY_MISSING:
        visit_fail_path(&g->visit, SCOUT_E_NOT_FOUND);
        return;
    case EXEC_REPLY_DENIED:
        visit_fail_path(&g->visit, SCOUT_E_PERMISSION);
        return;
    case EXEC_REPLY_FILE:
    case EXEC_REPLY_DIRECTORY:
        break;
    default:
        path_get_refuse(g, mode);
        return;
    }
    if (!path_get_set_real(g, buf_peek(&r->real_path))) {
        visit_fail(&g->visit, SCOUT_E_NOMEM, "No memory for the real path");
        return;
    }
    out->kind = r->kind == EXEC_REPLY_FILE ? PATH_FILE : PATH_DIRECTORY;
    if (out->kind == PATH_FILE)
        complete_file(g);
    out->entries = r->list.entries;
    out->entry_count = r->list.count;
    if (out->kind == PATH_DIRECTORY)
        out->truncated = r->truncated;
    if (path_get_permitted(g))
        visit_finish(&g->visit);
}

/* A file that is as it was need not come to its end. */
static bool is_known(const struct path_get *g)
{
    char etag[ETAG_SIZE];
    const struct exec_reply *r = g->exec;
    return g->etag && r->state == EXEC_REPLY_IN_TEXT &&
           strcmp(etag_format(&r->attrs, etag), g->etag) == 0;
}

int exec_read_feed(struct path_get *g, struct slice data)
{
    struct exec_reply *r = g->exec;
    int result = exec_reply_feed(r, data);
    if (!visit_hold_more(&g->visit, r->text.size + entry_list_size(&r->list)))
        return 0; /* it has ended */
    return result == 0 && is_known(g) ? 1 : result;
}

void exec_read_end(struct path_get *g, int status)
{
    if (g->exec->state >= EXEC_REPLY_IN_TEXT && status != 0) {
        char text[512];
        snprintf(text, sizeof text, "Failed to read %.256s: the host's command ended with %d",
                 g->shown, status);
        visit_fail(&g->visit, SCOUT_E_REMOTE, text);
        return;
    }
    int error = exec_reply_end(g->exec);
    if (error)
        visit_fail_output(&g->visit, error);
    else
        complete(g);
}

void exec_read_start(struct path_get *g)
{
    struct buf command;
    buf_init(&command, EXEC_COMMAND_MAX);
    g->exec = calloc(1, sizeof *g->exec);
    bool bytes = g->range.part == PATH_BYTES && g->range.count < g->size_max;
    uint64_t size_max = bytes ? g->range.count : g->size_max;
    int error =
        g->exec ? exec_script_write(&command, g->visit.path, size_max, PATH_ENTRIES_MAX, &g->range)
                : SCOUT_E_NOMEM;
    if (!error)
        error = buf_append(&command, slice_of("", 1));
    if (g->exec)
        exec_reply_init(g->exec, size_max);
    if (error)
        visit_fail(&g->visit, error, "The command that reads the path could not be made");
    else
        visit_run(&g->visit, (const char *)buf_peek(&command).data);
    buf_fini(&command);
}

void exec_read_free(struct path_get *g)
{
    if (g->exec)
        exec_reply_fini(g->exec);
    free(g->exec);
    g->exec = NULL;
}
