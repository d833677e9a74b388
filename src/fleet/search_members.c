/* The characters and sets of a search pattern, and what is said of one that is refused. */
#include "search_reader.h"

#include "scout/base/utf8.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

int search_refuse(struct search_reader *r, const char *fmt, ...)
{
    char reason[160];
    va_list args;
    va_start(args, fmt);
    vsnprintf(reason, sizeof reason, fmt, args);
    va_end(args);
    return failure_set(
        r->why, SCOUT_E_INVALID_ARGUMENT,
        "The pattern is refused at byte %zu: %s. It takes . [] \\d \\w \\s \\b ^ $ () "
        "| * + ? {m,n}, of one line",
        (size_t)(r->rest.data - (const uint8_t *)r->text), reason);
}

int search_peek(const struct search_reader *r)
{
    return r->rest.len ? r->rest.data[0] : -1;
}

bool search_take(struct search_reader *r, const char *text)
{
    size_t len = strlen(text);
    if (r->rest.len < len || memcmp(r->rest.data, text, len) != 0)
        return false;
    r->rest = slice_skip(r->rest, len);
    return true;
}

/* ---- single characters ---- */

int search_add_wide(struct search_reader *r, struct search_set *s, size_t len)
{
    if (s->negated)
        return search_refuse(r, "a negated set takes ASCII alone");
    if (s->wide_len + len > SEARCH_SET_WIDE_MAX)
        return search_refuse(r, "a set has too many characters beyond ASCII");
    memcpy(s->wide + s->wide_len, r->rest.data, len);
    s->wide_len += len;
    r->rest = slice_skip(r->rest, len);
    return 0;
}

static int hex_digit(int c)
{
    return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : -1;
}

/* `\d`, `\w`, `\s`. */
bool search_add_shorthand(struct search_set *s, int c)
{
    const char *name = c == 'd' ? "digit" : c == 's' ? "space" : c == 'w' ? "alnum" : NULL;
    if (!name)
        return false;
    search_set_add_class(s, slice_str(name));
    if (c == 'w')
        search_set_add(s, '_', '_');
    return true;
}

/* The character that an escape stands for, behind the backslash, which is taken. -1: refused. */
int search_take_escaped(struct search_reader *r)
{
    static const char from[] = "trfva", to[] = "\t\r\f\v\a";
    int c = search_peek(r);
    const char *known = c > 0 ? strchr(from, c) : NULL;
    if (c == 'x' && r->rest.len >= 3) {
        int high = hex_digit(r->rest.data[1]), low = hex_digit(r->rest.data[2]);
        c = high >= 0 && high < 8 && low >= 0 ? high * 16 + low : 0;
        if (c == 0 || c == '\n') {
            search_refuse(r, "\\x takes 01 to 7F without 0A");
            return -1;
        }
        r->rest = slice_skip(r->rest, 3);
        return c;
    }
    if (known || (c > 0 && c < 128 && ispunct(c) && !strchr("<>", c)) || c == ' ') {
        r->rest = slice_skip(r->rest, 1);
        return known ? to[known - from] : c;
    }
    search_refuse(r, c == -1                ? "it ends in a backslash"
                     : c == 'n'             ? "lines are searched one by one, \\n is in none"
                     : isdigit(c)           ? "there are no back references"
                     : c == '<' || c == '>' ? "the edge of a word is \\b"
                     : c == 'p' || c == 'P' ? "there are no classes of Unicode"
                                            : "this escape is not known");
    return -1;
}

/* ---- sets ---- */

static int take_class(struct search_reader *r, struct search_set *s)
{
    const uint8_t *end = memmem(r->rest.data, r->rest.len, ":]", 2);
    struct slice name = slice_of(r->rest.data + 2, end ? (size_t)(end - r->rest.data) - 2 : 0);
    if (!end || name.len > 8 || !search_set_add_class(s, name))
        return search_refuse(r, "this class of characters is not known");
    r->rest = slice_skip(r->rest, name.len + 4);
    return 0;
}

/* One end of a range: an ASCII character, or -1. */
static int take_end(struct search_reader *r)
{
    int c = search_peek(r);
    if (c >= 128)
        search_refuse(r, "a range takes ASCII alone: list the characters");
    if (c >= 128 || c < 0)
        return -1;
    r->rest = slice_skip(r->rest, 1);
    return c == '\\' ? search_take_escaped(r) : c;
}

static int take_member(struct search_reader *r, struct search_set *s)
{
    int c = search_peek(r);
    if (r->rest.len > 1 && c == '[' && r->rest.data[1] == ':')
        return take_class(r, s);
    if (r->rest.len > 1 && c == '[' && strchr(".=", r->rest.data[1]))
        return search_refuse(r, "there are no collating symbols");
    if (c == '\\' && r->rest.len > 1 && search_add_shorthand(s, r->rest.data[1])) {
        r->rest = slice_skip(r->rest, 2);
        return 0;
    }
    if (c >= 128) {
        size_t len = utf8_char_len(r->rest);
        if (r->rest.len > len + 1 && r->rest.data[len] == '-' && r->rest.data[len + 1] != ']')
            return search_refuse(r, "a range takes ASCII alone: list the characters");
        return search_add_wide(r, s, len);
    }
    int low = take_end(r), high = low;
    if (low >= 0 && r->rest.len > 1 && r->rest.data[0] == '-' && r->rest.data[1] != ']') {
        r->rest = slice_skip(r->rest, 1);
        high = take_end(r);
    }
    if (low < 0 || high < 0)
        return SCOUT_E_INVALID_ARGUMENT; /* said already */
    if (high < low)
        return search_refuse(r, "a range ends before it begins");
    search_set_add(s, (uint8_t)low, (uint8_t)high);
    return 0;
}

/* Behind the `[`. */
int search_take_set(struct search_reader *r, struct search_set *s)
{
    s->negated = search_take(r, "^");
    for (bool first = true; first || search_peek(r) != ']'; first = false) {
        if (search_peek(r) < 0)
            return search_refuse(r, "a [ has no ]");
        int error = take_member(r, s);
        if (error)
            return error;
    }
    r->rest = slice_skip(r->rest, 1);
    if (r->ignore_case)
        search_set_fold(s);
    for (size_t c = 0; c < 128; c++)
        if (s->has[c])
            return 0;
    return s->wide_len || s->negated ? 0 : search_refuse(r, "a set is empty");
}
