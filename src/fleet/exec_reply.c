/* The answer of a host's shell about a path, parsed as it comes.
 *
 *   NOISE --marker--> ATTRS --line--> REAL --NUL--> VERDICT --ok--> TEXT or ENTRIES --NUL--> LINKS
 *        \--missing, denied--> ENOUGH      \--other--> ENOUGH \--denied--> ENOUGH
 *
 * What it is not: a judge of the host, which may print what it likes; it can only lie about its own
 * files, and every length has a limit. Pieces that have not come whole gather in `line`; text is
 * copied as it is. A directory's entries are taken by exec_entries.c. */
#include "exec_reply.h"

#include "exec_attrs.h"
#include "exec_entries.h"
#include "scout/base/error.h"

#define MARKER     "@scout-path 1 "
#define MARKER_LEN (sizeof MARKER - 1)

void exec_reply_init(struct exec_reply *r, uint64_t size_max)
{
    *r = (struct exec_reply){.size_max = size_max};
    buf_init(&r->real_path, SFTP_PATH_MAX);
    buf_init(&r->line, EXEC_REPLY_RECORD_MAX);
    buf_init(&r->text, size_max);
    buf_init(&r->links, PATH_ENTRY_BYTES_MAX);
    entry_list_init(&r->list);
}

void exec_reply_fini(struct exec_reply *r)
{
    buf_fini(&r->real_path);
    buf_fini(&r->line);
    buf_fini(&r->text);
    buf_fini(&r->links);
    entry_list_fini(&r->list);
}

void exec_reply_attrs(struct slice line, struct sftp_attrs *out)
{
    exec_attrs_take(&line, out);
}

/* ---- the head ---- */

static int take_marker(struct exec_reply *r, struct slice line)
{
    if (line.len != MARKER_LEN + 1 || memcmp(line.data, MARKER, MARKER_LEN) != 0)
        return 0; /* noise */
    r->state = EXEC_REPLY_IN_ATTRS;
    switch (line.data[MARKER_LEN]) {
    case 'f':
        r->kind = EXEC_REPLY_FILE;
        return 0;
    case 'd':
        r->kind = EXEC_REPLY_DIRECTORY;
        return 0;
    case 'o':
        r->kind = EXEC_REPLY_OTHER;
        return 0;
    case 'n':
        r->kind = EXEC_REPLY_MISSING;
        break;
    case 'p':
        r->kind = EXEC_REPLY_DENIED;
        break;
    default:
        return SCOUT_E_PARSE;
    }
    r->state = EXEC_REPLY_ENOUGH;
    return 0;
}

static int take_verdict(struct exec_reply *r, struct slice line)
{
    if (slice_is(line, "denied")) {
        r->kind = EXEC_REPLY_DENIED;
        r->state = EXEC_REPLY_ENOUGH;
        return 0;
    }
    bool text = r->kind == EXEC_REPLY_FILE || r->is_walk;
    r->state = text ? EXEC_REPLY_IN_TEXT : EXEC_REPLY_IN_ENTRIES;
    return slice_is(line, "ok") ? 0 : SCOUT_E_PARSE;
}

/* One whole piece of the head, without the byte that ends it. */
static int take_head(struct exec_reply *r, struct slice piece)
{
    switch (r->state) {
    case EXEC_REPLY_IN_NOISE:
        return take_marker(r, piece);
    case EXEC_REPLY_IN_ATTRS:
        exec_attrs_take(&piece, &r->attrs);
        r->state = EXEC_REPLY_IN_REAL;
        return 0;
    case EXEC_REPLY_IN_REAL:
        r->state = r->kind == EXEC_REPLY_OTHER ? EXEC_REPLY_ENOUGH : EXEC_REPLY_IN_VERDICT;
        return buf_append(&r->real_path, piece);
    default:
        return take_verdict(r, piece);
    }
}

/* Moves bytes from *data to the line up to `end`, and takes it when it is whole. */
static int feed_head(struct exec_reply *r, struct slice *data)
{
    bool noise = r->state == EXEC_REPLY_IN_NOISE, real = r->state == EXEC_REPLY_IN_REAL;
    size_t line_max = real ? SFTP_PATH_MAX : EXEC_REPLY_LINE_MAX;
    const uint8_t *end = memchr(data->data, real ? '\0' : '\n', data->len);
    size_t len = end ? (size_t)(end - data->data) : data->len;
    size_t room = line_max - buf_len(&r->line);
    r->noise += noise ? len + (end != NULL) : 0;
    if (r->noise > EXEC_REPLY_NOISE_MAX || (len > room && !noise))
        return SCOUT_E_PARSE;
    int error = buf_append(&r->line, slice_of(data->data, len < room ? len : room));
    *data = slice_skip(*data, end ? len + 1 : len);
    if (error || !end)
        return error;
    error = take_head(r, buf_peek(&r->line));
    buf_clear(&r->line);
    return error;
}

/* ---- the content ---- */

static int feed_text(struct exec_reply *r, struct slice *data)
{
    size_t room = buf_room(&r->text), len = data->len < room ? data->len : room;
    int error = buf_append(&r->text, slice_of(data->data, len));
    if (len < data->len) {
        r->truncated = true;
        r->state = EXEC_REPLY_ENOUGH;
    }
    data->len = 0;
    return error;
}

int exec_reply_feed(struct exec_reply *r, struct slice data)
{
    int error = 0;
    while (!error && data.len > 0 && r->state != EXEC_REPLY_ENOUGH) {
        if (r->state == EXEC_REPLY_IN_TEXT)
            error = feed_text(r, &data);
        else if (r->state == EXEC_REPLY_IN_ENTRIES)
            error = exec_entries_feed(r, &data);
        else if (r->state == EXEC_REPLY_IN_LINKS)
            error = exec_entries_feed_links(r, &data);
        else
            error = feed_head(r, &data);
    }
    return error ? error : r->state == EXEC_REPLY_ENOUGH;
}

int exec_reply_end(struct exec_reply *r)
{
    if (r->state < EXEC_REPLY_IN_TEXT)
        return SCOUT_E_PARSE;
    return r->kind == EXEC_REPLY_DIRECTORY && !r->is_walk ? exec_entries_end(r) : 0;
}
