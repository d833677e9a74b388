/* The answer of a host's shell about a path, parsed as it comes.
 *
 *   NOISE --marker--> ATTRS --line--> REAL --NUL--> VERDICT --ok--> TEXT or ENTRIES --NUL--> LINKS
 *        \--missing, denied--> ENOUGH      \--other--> ENOUGH \--denied--> ENOUGH
 *
 * What it is not: a judge of the host, which may print what it likes; it can only lie about its own
 * files, and every length has a limit. Pieces that have not come whole gather in `line`; text and
 * the runs between slashes of a list are copied as they are.
 *
 * An entry begins with the slash that begins a line: names hold none, so a newline within a name
 * ends nothing. */
#include "exec_reply.h"

#include "scout/base/error.h"
#include <sys/stat.h>

#define MARKER     "@scout-path 1 "
#define MARKER_LEN (sizeof MARKER - 1)
#define MODE_LEN   10 /* as ls writes it, without a sign for more rights behind it */

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

/* ---- attributes ---- */

/* The next word of *s, which shrinks by it and the blank behind it. */
static struct slice take_word(struct slice *s)
{
    const uint8_t *blank = s->len ? memchr(s->data, ' ', s->len) : NULL;
    struct slice word = slice_of(s->data, blank ? (size_t)(blank - s->data) : s->len);
    *s = slice_skip(*s, blank ? word.len + 1 : word.len);
    return word;
}

static bool take_number(struct slice *s, unsigned base, uint64_t max, uint64_t *out)
{
    struct slice word = take_word(s);
    uint64_t value = 0;
    for (size_t i = 0; i < word.len; i++) {
        uint8_t c = word.data[i];
        unsigned digit = c >= '0' && c <= '9'   ? c - (unsigned)'0'
                         : c >= 'a' && c <= 'f' ? c - (unsigned)'a' + 10
                                                : base;
        if (digit >= base || value > (max - digit) / base)
            return false;
        value = value * base + digit;
    }
    *out = value;
    return word.len > 0;
}

static uint32_t type_of_letter(uint8_t letter)
{
    static const struct {
        char letter;
        uint32_t type;
    } types[] = {{'-', S_IFREG},  {'d', S_IFDIR}, {'l', S_IFLNK}, {'p', S_IFIFO},
                 {'s', S_IFSOCK}, {'b', S_IFBLK}, {'c', S_IFCHR}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].letter == (char)letter)
            return types[i].type;
    return 0;
}

/* "drwxr-sr-t" and the like (POSIX, ls); false when it is none. */
static bool mode_of_ls(struct slice word, uint32_t *mode)
{
    uint32_t bits = type_of_letter(word.data[0]);
    if (bits == 0)
        return false;
    for (unsigned i = 0; i < 9; i++) {
        uint8_t c = word.data[i + 1];
        uint32_t special = i == 2 ? S_ISUID : i == 5 ? S_ISGID : i == 8 ? S_ISVTX : 0;
        bool set = c == (uint8_t) "rwx"[i % 3] || (special && (c == 's' || c == 't'));
        bool high = special && (c == 's' || c == 't' || c == 'S' || c == 'T');
        if (!set && !high && c != '-')
            return false;
        bits |= (set ? 0400u >> i : 0) | (high ? special : 0);
    }
    *mode = bits;
    return true;
}

static bool take_mode(struct slice *s, uint32_t *mode)
{
    uint64_t number;
    struct slice rest = *s, word = take_word(&rest);
    if (word.len >= MODE_LEN) {
        *s = rest;
        return mode_of_ls(word, mode);
    }
    if (!take_number(s, 16, UINT32_MAX, &number))
        return false;
    *mode = (uint32_t)number;
    return true;
}

/* The five words; what is no number is left out. */
static void take_attrs(struct slice *s, struct sftp_attrs *out)
{
    uint64_t size, uid, gid, mtime;
    *out = (struct sftp_attrs){0};
    if (take_mode(s, &out->permissions))
        out->flags |= SFTP_ATTR_PERMISSIONS;
    if (take_number(s, 10, UINT64_MAX, &size)) {
        out->flags |= SFTP_ATTR_SIZE;
        out->size = size;
    }
    bool has_uid = take_number(s, 10, UINT32_MAX, &uid);
    bool has_gid = take_number(s, 10, UINT32_MAX, &gid);
    if (has_uid && has_gid) {
        out->flags |= SFTP_ATTR_UIDGID;
        out->uid = (uint32_t)uid;
        out->gid = (uint32_t)gid;
    }
    if (take_number(s, 10, UINT32_MAX, &mtime)) {
        out->flags |= SFTP_ATTR_ACMODTIME;
        out->atime = out->mtime = (uint32_t)mtime;
    }
}

void exec_reply_attrs(struct slice line, struct sftp_attrs *out)
{
    take_attrs(&line, out);
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
        take_attrs(&piece, &r->attrs);
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
    take_attrs(&line, &e->attrs);
    if (!take_field(&line, &count) || !take_field(&line, &e->owner) ||
        !take_field(&line, &e->group) || line.len < 4 || memcmp(line.data, " ./", 3) != 0)
        return false;
    if (!take_number(&count, 10, UINT32_MAX, &e->link_count))
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
static int end_entries(struct exec_reply *r)
{
    int error = r->in_entry && line_ends(r) ? take_entry(r) : r->in_entry ? SCOUT_E_PARSE : 0;
    buf_clear(&r->line);
    if (!error && r->state == EXEC_REPLY_IN_ENTRIES)
        r->state = r->complete ? EXEC_REPLY_IN_LINKS : EXEC_REPLY_ENOUGH;
    return error;
}

static int feed_entries(struct exec_reply *r, struct slice *data)
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
        return end_entries(r);
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
static int feed_links(struct exec_reply *r, struct slice *data)
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

int exec_reply_feed(struct exec_reply *r, struct slice data)
{
    int error = 0;
    while (!error && data.len > 0 && r->state != EXEC_REPLY_ENOUGH) {
        if (r->state == EXEC_REPLY_IN_TEXT)
            error = feed_text(r, &data);
        else if (r->state == EXEC_REPLY_IN_ENTRIES)
            error = feed_entries(r, &data);
        else if (r->state == EXEC_REPLY_IN_LINKS)
            error = feed_links(r, &data);
        else
            error = feed_head(r, &data);
    }
    return error ? error : r->state == EXEC_REPLY_ENOUGH;
}

int exec_reply_end(struct exec_reply *r)
{
    int error = 0;
    if (r->state < EXEC_REPLY_IN_TEXT)
        return SCOUT_E_PARSE;
    if (r->state == EXEC_REPLY_IN_ENTRIES && r->in_entry && line_ends(r))
        error = take_entry(r);
    if (r->kind == EXEC_REPLY_DIRECTORY && !r->is_walk)
        r->truncated = r->truncated || !r->complete;
    entry_list_finish(&r->list);
    apply_links(r);
    return error;
}
