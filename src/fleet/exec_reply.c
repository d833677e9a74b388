/* The answer of a host's shell about a path, parsed as it comes.
 *
 *   NOISE --marker--> ATTRS --line--> REAL --NUL--> VERDICT --ok--> TEXT or ENTRIES
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
    entry_list_init(&r->list);
}

void exec_reply_fini(struct exec_reply *r)
{
    buf_fini(&r->real_path);
    buf_fini(&r->line);
    buf_fini(&r->text);
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
    r->state = r->kind == EXEC_REPLY_FILE ? EXEC_REPLY_IN_TEXT : EXEC_REPLY_IN_ENTRIES;
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

/* The entry in `line`, with the newline that ends it. */
static int take_entry(struct exec_reply *r)
{
    struct sftp_attrs attrs;
    struct slice entry = buf_peek(&r->line);
    entry.len--;
    if (slice_is(entry, "end")) {
        r->complete = true;
        return 0;
    }
    take_attrs(&entry, &attrs);
    if (r->complete || entry.len < 3 || memcmp(entry.data, "./", 2) != 0)
        return SCOUT_E_PARSE;
    struct slice name = slice_skip(entry, 2);
    if (memchr(name.data, '/', name.len))
        return SCOUT_E_PARSE;
    if (!entry_list_add(&r->list, name, (struct slice){0}, &attrs)) {
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

static int feed_entries(struct exec_reply *r, struct slice *data)
{
    const uint8_t *slash = memchr(data->data, '/', data->len);
    size_t len = slash ? (size_t)(slash - data->data) : data->len;
    int error = len > 0 && !r->in_entry ? SCOUT_E_PARSE : 0;
    if (!error)
        error = buf_append(&r->line, slice_of(data->data, len));
    *data = slice_skip(*data, slash ? len + 1 : len);
    if (error || !slash)
        return error == SCOUT_E_LIMIT ? SCOUT_E_PARSE : error;
    if (r->in_entry && !line_ends(r)) /* the one in front of the name */
        return buf_append(&r->line, slice_str("/")) == 0 ? 0 : SCOUT_E_PARSE;
    if (r->in_entry)
        error = take_entry(r);
    r->in_entry = true;
    buf_clear(&r->line);
    return error;
}

int exec_reply_feed(struct exec_reply *r, struct slice data)
{
    int error = 0;
    while (!error && data.len > 0 && r->state != EXEC_REPLY_ENOUGH) {
        if (r->state == EXEC_REPLY_IN_TEXT)
            error = feed_text(r, &data);
        else if (r->state == EXEC_REPLY_IN_ENTRIES)
            error = feed_entries(r, &data);
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
    if (r->state == EXEC_REPLY_IN_ENTRIES) {
        if (r->in_entry && line_ends(r))
            error = take_entry(r);
        r->truncated = r->truncated || !r->complete;
    }
    entry_list_finish(&r->list);
    return error;
}
