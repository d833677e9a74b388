/* Sets in the C locale know bytes only, so that a character beyond ASCII is an alternative beside
 * the set, and what a negated set takes beyond ASCII is written out as UTF-8.
 *
 * In a POSIX set nothing can be escaped: `]` comes first, `[` and `-` last, and `^` not first. */
#include "search_set.h"

#include "scout/base/error.h"
#include "scout/base/utf8.h"
#include <ctype.h>

void search_set_add(struct search_set *s, uint8_t from, uint8_t to)
{
    for (unsigned c = from; c <= to && c < 128; c++)
        s->has[c] = c != 0 && c != '\n';
}

bool search_set_add_class(struct search_set *s, struct slice name)
{
    static const struct {
        const char *name;
        int (*is)(int);
    } classes[] = {{"alpha", isalpha}, {"digit", isdigit}, {"alnum", isalnum},
                   {"upper", isupper}, {"lower", islower}, {"space", isspace},
                   {"blank", isblank}, {"punct", ispunct}, {"print", isprint},
                   {"graph", isgraph}, {"cntrl", iscntrl}, {"xdigit", isxdigit}};
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (!slice_is(name, classes[i].name))
            continue;
        for (uint8_t c = 1; c < 128; c++)
            if (classes[i].is(c))
                search_set_add(s, c, c);
        return true;
    }
    return false;
}

void search_set_fold(struct search_set *s)
{
    for (int c = 'a'; c <= 'z'; c++)
        s->has[c] = s->has[c - 32] = s->has[c] || s->has[c - 32];
}

static size_t count_of(const struct search_set *s)
{
    size_t count = 0;
    for (size_t c = 1; c < 128; c++)
        count += s->has[c];
    return count;
}

/* The letters and digits, as ranges where three and more follow each other. */
static int put_words(const struct search_set *s, struct buf *out)
{
    int error = 0;
    for (int c = '0'; c <= 'z' && !error; c++) {
        if (!isalnum(c) || !s->has[c])
            continue;
        int last = c;
        while (isalnum(last + 1) && s->has[last + 1])
            last++;
        error = last > c + 1 ? buf_printf(out, "%c-%c", c, last) : buf_printf(out, "%c", c);
        c = last > c + 1 ? last : c;
    }
    return error;
}

/* What stands between the brackets. */
static int put_posix_members(const struct search_set *s, struct buf *out)
{
    int error = s->has[']'] ? buf_append_str(out, "]") : 0;
    if (!error)
        error = put_words(s, out);
    for (int c = 1; c < 128 && !error; c++)
        if (s->has[c] && !isalnum(c) && !strchr("]^-[", c))
            error = buf_printf(out, "%c", c);
    if (!error && s->has['['])
        error = buf_append_str(out, "[");
    if (!error && s->has['^'])
        error = buf_append_str(out, "^");
    return !error && s->has['-'] ? buf_append_str(out, "-") : error;
}

/* The ASCII part alone, without what is beyond. */
static int put_posix_set(const struct search_set *s, const char *beyond, struct buf *out)
{
    if (!s->negated && s->has['^'] && count_of(s) == 1)
        return buf_append_str(out, "\\^");
    if (!s->negated && s->has['^'] && s->has['-'] && count_of(s) == 2)
        return buf_append_str(out, "[-^]");
    struct search_set copy = *s;
    bool dash_last = s->negated && beyond[0] && s->has['-'];
    copy.has['-'] = copy.has['-'] && !dash_last;
    int error = buf_append_str(out, s->negated ? "[^" : "[");
    if (!error)
        error = put_posix_members(&copy, out);
    if (!error)
        error = buf_append_str(out, beyond);
    if (!error && dash_last)
        error = buf_append_str(out, "-");
    return error ? error : buf_append_str(out, "]");
}

int search_set_posix(const struct search_set *s, bool bytes, struct buf *out)
{
    int error;
    if (s->negated) {
        if (count_of(s) == 0) /* of nothing: any character */
            return buf_append_str(out, bytes ? "." : "([\x01-\x7F]|" SEARCH_WIDE_CHARACTER ")");
        if (bytes)
            return put_posix_set(s, "", out);
        error = buf_append_str(out, "(");
        if (!error)
            error = put_posix_set(s, "\x80-\xFF", out);
        return error ? error : buf_append_str(out, "|" SEARCH_WIDE_CHARACTER ")");
    }
    if (s->wide_len == 0)
        return put_posix_set(s, "", out);
    error = buf_append_str(out, "(");
    if (!error && count_of(s) > 0)
        error = put_posix_set(s, "", out);
    struct slice rest = slice_of(s->wide, s->wide_len);
    for (bool first = count_of(s) == 0; rest.len > 0 && !error; first = false) {
        size_t len = utf8_char_len(rest);
        error = first ? 0 : buf_append_str(out, "|");
        if (!error)
            error = buf_append(out, slice_of(rest.data, len));
        rest = slice_skip(rest, len);
    }
    return error ? error : buf_append_str(out, ")");
}

int search_set_rust(const struct search_set *s, bool bytes, struct buf *out)
{
    bool any_byte = bytes && s->negated;
    if (s->negated && count_of(s) == 0)
        return buf_append_str(out, any_byte ? "(?-u:.)" : ".");
    int error = buf_append_str(out, any_byte ? "(?-u:[" : "[");
    if (!error && s->negated)
        error = buf_append_str(out, "^");
    if (!error)
        error = put_words(s, out);
    for (int c = 1; c < 128 && !error; c++)
        if (s->has[c] && !isalnum(c))
            error = buf_printf(out, "\\x%02X", (unsigned)c);
    if (!error)
        error = buf_append(out, slice_of(s->wide, s->wide_len));
    return error ? error : buf_append_str(out, any_byte ? "])" : "]");
}
