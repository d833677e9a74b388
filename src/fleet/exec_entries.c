/* The entries of a directory, and the targets of its links, as a host's shell prints them.
 *
 * An entry begins with the slash that begins a line: names hold none, so a newline within a name
 * ends nothing. A NUL ends the list; what follows are names and targets, each with its NUL. */
#include "exec_entries.h"

#include "exec_attrs.h"
#include "scout/base/error.h"

/* What stands before the next colon; *s shrinks by both. False without a colon. */
static bool take_field(struct slice *s, struct slice *out)
{
    const uint8_t *colon = s->len ? memchr(s->data, ':', s->len) : NULL;
    if (!colon)
        return false;
    *out = slice_of(s->data, (size_t)(colon - s->data));
    *s = slice_skip(*s, out->len + 1);
    return true;
}

static struct slice known_name(struct slice s)
{
    return slice_is(s, "UNKNOWN") ? slice_of("", 0) : s;
}

/* Attributes, links and owners in front of " ./name". */
static bool parse_entry(struct slice line, struct path_entry *e)
{
    struct slice count;
    *e = (struct path_entry){0};
    exec_attrs_take(&line, &e->attrs);
    if (!take_field(&line, &count) || !take_field(&line, &e->owner) ||
        !take_field(&line, &e->group) || line.len < 4 || memcmp(line.data, " ./", 3) != 0)
        return false;
    if (!exec_attrs_take_number(&count, 10, UINT32_MAX, &e->link_count))
        e->link_count = 0;
    e->owner = known_name(e->owner);
    e->group = known_name(e->group);
    e->name = slice_skip(line, 3);
    return !memchr(e->name.data, '/', e->name.len);
}

/* The entry in `line`, with the newline that ends it. */
static int take_entry(struct exec_reply *r)
{
    struct path_entry e;
    struct slice line = buf_peek(&r->line);
    line.len--;
    if (slice_is(line, "end")) {
        r->complete = true;
        return 0;
    }
    if (r->complete || !parse_entry(line, &e))
        return SCOUT_E_PARSE;
    if (!entry_list_add(&r->list, &e)) {
        r->truncated = true;
        r->state = EXEC_REPLY_ENOUGH;
    }
    return 0;
}

static bool line_ends(const struct exec_reply *r)
{
    struct slice line = buf_peek(&r->line);
    return line.len > 0 && line.data[line.len - 1] == '\n';
}

/* The slash or the NUL, or NULL. */
static const uint8_t *find_stop(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] == '/' || s.data[i] == '\0')
            return s.data + i;
    return NULL;
}

/* Behind the last entry. */
static int end_list(struct exec_reply *r)
{
    int error = r->in_entry && line_ends(r) ? take_entry(r) : r->in_entry ? SCOUT_E_PARSE : 0;
    buf_clear(&r->line);
    if (!error && r->state == EXEC_REPLY_IN_ENTRIES)
        r->state = r->complete ? EXEC_REPLY_IN_LINKS : EXEC_REPLY_ENOUGH;
    return error;
}

int exec_entries_feed(struct exec_reply *r, struct slice *data)
{
    const uint8_t *stop = find_stop(*data);
    size_t len = stop ? (size_t)(stop - data->data) : data->len;
    int error = len > 0 && !r->in_entry ? SCOUT_E_PARSE : 0;
    if (!error)
        error = buf_append(&r->line, slice_of(data->data, len));
    *data = slice_skip(*data, stop ? len + 1 : len);
    if (error || !stop)
        return error == SCOUT_E_LIMIT ? SCOUT_E_PARSE : error;
    if (*stop == '\0')
        return end_list(r);
    if (r->in_entry && !line_ends(r)) /* the one in front of the name */
        return buf_append(&r->line, slice_str("/")) == 0 ? 0 : SCOUT_E_PARSE;
    if (r->in_entry)
        error = take_entry(r);
    r->in_entry = true;
    buf_clear(&r->line);
    return error;
}

/* ---- links ---- */

/* More than there is room for is left out. */
int exec_entries_feed_links(struct exec_reply *r, struct slice *data)
{
    size_t room = buf_room(&r->links), len = data->len < room ? data->len : room;
    int error = buf_append(&r->links, slice_of(data->data, len));
    if (len < data->len)
        r->state = EXEC_REPLY_ENOUGH;
    data->len = 0;
    return error;
}

/* The text before the next NUL; false when it did not come whole. */
static bool take_text(struct slice *s, struct slice *out)
{
    const uint8_t *nul = s->len ? memchr(s->data, '\0', s->len) : NULL;
    if (!nul)
        return false;
    *out = slice_of(s->data, (size_t)(nul - s->data));
    *s = slice_skip(*s, out->len + 1);
    return true;
}

static void apply_links(struct exec_reply *r)
{
    struct slice links = buf_peek(&r->links), name, target;
    while (take_text(&links, &name) && take_text(&links, &target)) {
        struct path_entry *e = entry_list_find(&r->list, name);
        if (e && target.len <= SFTP_PATH_MAX)
            e->target = target;
    }
}

int exec_entries_end(struct exec_reply *r)
{
    int error = 0;
    if (r->state == EXEC_REPLY_IN_ENTRIES && r->in_entry && line_ends(r))
        error = take_entry(r);
    r->truncated = r->truncated || !r->complete;
    entry_list_finish(&r->list);
    apply_links(r);
    return error;
}
