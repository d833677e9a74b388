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

/* The length of the first `count` lines. */
static size_t lines_len(struct slice text, uint64_t count)
{
    size_t at = 0;
    for (; count > 0 && at < text.len; count--) {
        const uint8_t *lf = memchr(text.data + at, '\n', text.len - at);
        at = lf ? (size_t)(lf - text.data) + 1 : text.len;
    }
    return at;
}

/* Where the last `count` lines begin. */
static size_t last_lines(struct slice text, uint64_t count)
{
    size_t at = text.len;
    for (; count > 0 && at > 0; count--) {
        const uint8_t *lf = at > 1 ? memrchr(text.data, '\n', at - 1) : NULL;
        at = lf ? (size_t)(lf - text.data) + 1 : 0;
    }
    return at;
}

/* The text is `all` from `at` on, `len` bytes; the rest stands around it. */
static void tell_part(struct path_get *g, struct slice all, size_t at, size_t len)
{
    struct path_result *out = &g->result;
    size_t lead = at < g->around ? at : g->around;
    size_t left = all.len - at - len, trail = left < g->around ? left : g->around;
    out->text = slice_of(all.data + at, len);
    out->before = slice_of(all.data + at - lead, lead);
    out->after = slice_of(all.data + at + len, trail);
}

static void complete_bytes(struct path_get *g, struct slice all)
{
    struct path_result *out = &g->result;
    const struct path_range *want = &g->range;
    bool bytes = want->part == PATH_BYTES;
    uint64_t most = bytes && want->count < g->size_max ? want->count : g->size_max;
    size_t lead = !bytes ? 0 : want->first < g->around ? want->first : g->around;
    size_t at = all.len < lead ? all.len : lead;
    size_t len = all.len - at < most ? all.len - at : most;
    bool more = g->exec->truncated || at + len < all.len;
    tell_part(g, all, at, len);
    out->at_end = !more;
    out->truncated = more && (!bytes || want->count > g->size_max);
    out->text_at = bytes ? want->first : 0;
    out->first_line = out->text_at == 0;
    if (out->text_at == 0)
        out->head = slice_of(out->text.data, len < PATH_HEAD_MAX ? len : PATH_HEAD_MAX);
}

/* What stands before the lines comes first, with a NUL behind it (exec_script.c). */
static void complete_lines(struct path_get *g, struct slice all)
{
    struct path_result *out = &g->result;
    const uint8_t *nul = g->around && all.len ? memchr(all.data, '\0', all.len) : NULL;
    size_t at = nul ? (size_t)(nul - all.data) + 1 : 0;
    size_t len = lines_len(slice_skip(all, at), g->range.count);
    bool more = g->exec->truncated && at + len == all.len;
    if (len > g->size_max) {
        len = g->size_max;
        more = true;
    }
    if (more)
        len = whole_lines(slice_of(all.data + at, len), false).len;
    tell_part(g, all, at, len);
    if (nul)
        out->before = slice_of(all.data, at - 1);
    out->truncated = more;
    out->first_line = g->range.first;
    out->at_end = !more && at + len == all.len && text_count_lines(out->text) < g->range.count;
}

static void complete_tail(struct path_get *g, struct slice all)
{
    struct path_result *out = &g->result;
    size_t at = last_lines(all, g->range.count);
    bool cut = all.len == g->size_max + g->around && out->attrs.size > all.len;
    out->truncated = all.len - at > g->size_max ||
                     (cut && text_count_lines(slice_skip(all, at)) < g->range.count);
    if (all.len - at > g->size_max)
        at = all.len - g->size_max;
    if (out->truncated)
        at = all.len - whole_lines(slice_skip(all, at), true).len;
    tell_part(g, all, at, all.len - at);
    out->at_end = true;
}

/* What the bytes are of the file. The shell tells less than SFTP: not where the last lines begin,
 * nor how many lines there are. */
static void complete_file(struct path_get *g)
{
    struct slice all = buf_peek(&g->exec->text);
    if (g->range.part == PATH_LINES)
        complete_lines(g, all);
    else if (g->range.part == PATH_TAIL)
        complete_tail(g, all);
    else
        complete_bytes(g, all);
    if (g->result.first_line == 1 && g->range.part == PATH_LINES)
        g->result.head =
            slice_of(g->result.text.data,
                     g->result.text.len < PATH_HEAD_MAX ? g->result.text.len : PATH_HEAD_MAX);
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
    int error = g->exec ? exec_script_write(&command, g->visit.path, size_max, PATH_ENTRIES_MAX,
                                            &g->range, g->around)
                        : SCOUT_E_NOMEM;
    if (g->exec)
        exec_reply_init(g->exec, size_max + 2 * (uint64_t)g->around);
    visit_run_line(&g->visit, &command, error, "reads the path");
}

void exec_read_free(struct path_get *g)
{
    if (g->exec)
        exec_reply_fini(g->exec);
    free(g->exec);
    g->exec = NULL;
}
