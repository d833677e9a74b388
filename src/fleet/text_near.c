/* Near misses. A text and what is wanted are folded, so that differences of one kind go away, and
 * the one is sought in the other again: white space (a run of it is one blank, characters without
 * width are nothing), then letters (case; quotes, dashes and dots that look alike), then both. When
 * nothing is found that way, the longest run of whole lines of what is wanted tells where it begins
 * to differ; a run that is there has all shorter ones in it, so it is found by halving. */
#include "text_near.h"

#include "scout/base/buf.h"
#include "scout/base/utf8.h"
#include <stdio.h>

enum { FOLD_SPACE = 1, FOLD_LETTERS = 2 };

#define FOLD_MAX 3 /* bytes that one character becomes at most, or its own ones */

/* One character after the other, folded. */
struct fold {
    struct slice rest;
    unsigned how;
    size_t line; /* of the character that came last, from 1 */
    bool after_space;
};

static void fold_init(struct fold *f, struct slice text, unsigned how)
{
    *f = (struct fold){.rest = text, .how = how, .line = 1};
}

static uint32_t decode(const uint8_t *c, size_t len)
{
    switch (len) {
    case 1:
        return c[0];
    case 2:
        return (uint32_t)(c[0] & 0x1f) << 6 | (c[1] & 0x3f);
    case 3:
        return (uint32_t)(c[0] & 0x0f) << 12 | (uint32_t)(c[1] & 0x3f) << 6 | (c[2] & 0x3f);
    default:
        return 0; /* nothing that is folded is up there */
    }
}

static bool is_space(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

static bool has_no_width(uint32_t c)
{
    return (c >= 0x200b && c <= 0x200f) || c == 0x2060 || c == 0xfeff || c == 0xad;
}

/* What stands for `c`; NULL: itself. */
static const char *look_alike(uint32_t c)
{
    if (c >= 0x2018 && c <= 0x201b)
        return "'";
    if (c >= 0x201c && c <= 0x201f)
        return "\"";
    if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212)
        return "-";
    return c == 0x2026 ? "..." : NULL;
}

/* The next character that is not left out, into `out`; its length, 0 at the end. */
static size_t fold_next(struct fold *f, uint8_t out[FOLD_MAX + 1])
{
    while (f->rest.len > 0) {
        const uint8_t *at = f->rest.data;
        size_t len = utf8_char_len(f->rest);
        len = len ? len : 1;
        uint32_t c = decode(at, len);
        bool space = f->how & FOLD_SPACE && is_space(c), after = f->after_space;
        const char *other = f->how & FOLD_LETTERS ? look_alike(c) : NULL;
        f->rest = slice_skip(f->rest, len);
        f->line += c == '\n';
        if (f->how & FOLD_SPACE && has_no_width(c))
            continue;
        f->after_space = space;
        if (space && after)
            continue;
        if (space)
            other = " ";
        if (other)
            len = strlen(other);
        memcpy(out, other ? (const void *)other : at, len);
        if (f->how & FOLD_LETTERS && len == 1 && out[0] >= 'A' && out[0] <= 'Z')
            out[0] = (uint8_t)(out[0] - 'A' + 'a');
        return len;
    }
    return 0;
}

static int fold_all(struct slice text, unsigned how, struct buf *out)
{
    struct fold f;
    uint8_t c[FOLD_MAX + 1];
    int error = 0;
    fold_init(&f, text, how);
    for (size_t len; !error && (len = fold_next(&f, c)) > 0;)
        error = buf_append(out, slice_of(c, len));
    return error;
}

/* ---- the places ---- */

static struct slice trim(struct slice s)
{
    while (s.len > 0 && s.data[0] == ' ')
        s = slice_skip(s, 1);
    while (s.len > 0 && s.data[s.len - 1] == ' ')
        s.len--;
    return s;
}

/* Lines of `text` at which `wanted` begins in `folded`, into `lines`; how many. */
static size_t find_lines(struct slice text, unsigned how, struct slice folded, struct slice wanted,
                         size_t lines[TEXT_NEAR_LINES_MAX])
{
    struct fold f;
    uint8_t c[FOLD_MAX + 1];
    size_t count = 0, at = 0, from = 0;
    fold_init(&f, text, how);
    while (count < TEXT_NEAR_LINES_MAX) {
        const uint8_t *found =
            memmem(folded.data + from, folded.len - from, wanted.data, wanted.len);
        if (!found)
            return count;
        size_t begin = (size_t)(found - folded.data);
        while (at <= begin)
            at += fold_next(&f, c);
        lines[count] = f.line;
        count += count == 0 || lines[count] != lines[count - 1];
        from = begin + wanted.len;
    }
    return count;
}

static size_t find_folded(struct slice text, struct slice wanted, unsigned how,
                          size_t lines[TEXT_NEAR_LINES_MAX])
{
    struct buf a, b;
    size_t count = 0;
    buf_init(&a, text.len);
    buf_init(&b, wanted.len);
    if (fold_all(text, how, &a) == 0 && fold_all(wanted, how, &b) == 0) {
        struct slice short_wanted = how & FOLD_SPACE ? trim(buf_peek(&b)) : buf_peek(&b);
        if (short_wanted.len > 0 && buf_len(&a) > 0)
            count = find_lines(text, how, buf_peek(&a), short_wanted, lines);
    }
    buf_fini(&a);
    buf_fini(&b);
    return count;
}

/* ---- whole lines ---- */

static size_t count_lines(struct slice s)
{
    size_t count = 0;
    for (const uint8_t *at; s.len && (at = memchr(s.data, '\n', s.len)); count++)
        s = slice_skip(s, (size_t)(at - s.data) + 1);
    return count;
}

/* The first `count` whole lines. */
static struct slice first_lines(struct slice s, size_t count)
{
    struct slice rest = s;
    for (const uint8_t *at; count > 0 && rest.len && (at = memchr(rest.data, '\n', rest.len));
         count--)
        rest = slice_skip(rest, (size_t)(at - rest.data) + 1);
    return slice_of(s.data, s.len - rest.len);
}

/* Where `lines` are whole lines of the text, from their first to their last. */
static const uint8_t *find_whole(struct slice text, struct slice lines)
{
    struct slice rest = text;
    for (const uint8_t *at;
         rest.len && (at = memmem(rest.data, rest.len, lines.data, lines.len));) {
        if (at == text.data || at[-1] == '\n')
            return at;
        rest = slice_skip(rest, (size_t)(at - rest.data));
        rest = slice_skip(
            rest, (size_t)((const uint8_t *)memchr(rest.data, '\n', rest.len) - rest.data) + 1);
    }
    return NULL;
}

static bool is_blank(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_space(s.data[i]))
            return false;
    return true;
}

/* How many of the first whole lines of `wanted` are in the text one behind the other. */
static size_t longest_run(struct slice text, struct slice wanted)
{
    size_t low = 0, high = count_lines(wanted);
    while (low < high) {
        size_t middle = low + (high - low + 1) / 2;
        if (find_whole(text, first_lines(wanted, middle)))
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

static void describe_run(struct slice text, struct slice wanted, char *out, size_t size)
{
    size_t count = longest_run(text, wanted);
    struct slice run = first_lines(wanted, count);
    if (is_blank(run))
        return;
    const uint8_t *at = find_whole(text, run);
    size_t line = count_lines(slice_of(text.data, (size_t)(at - text.data))) + 1;
    char lines[40] = "line is";
    if (count > 1)
        snprintf(lines, sizeof lines, "%zu lines are", count);
    snprintf(out, size,
             "Its first %s there, from line %zu on, but what follows in the file is not what "
             "follows in old_string",
             lines, line);
}

/* ---- the whole ---- */

static void describe_lines(const size_t *lines, size_t count, const char *difference, char *out,
                           size_t size)
{
    size_t len = (size_t)snprintf(out, size, "With %s it is at line", difference);
    for (size_t i = 0; i < count && len < size; i++)
        len += (size_t)snprintf(out + len, size - len, "%s %zu", i ? "," : "", lines[i]);
}

void text_near_describe(struct slice text, struct slice wanted, char *out, size_t size)
{
    static const struct {
        unsigned how;
        const char *difference;
    } kinds[] = {
        {FOLD_SPACE, "other white space (blanks, tabs, line breaks)"},
        {FOLD_LETTERS, "capital or small letters, quotes or dashes other than these"},
        {FOLD_SPACE | FOLD_LETTERS, "other white space, and other letters' case, quotes or dashes"},
    };
    size_t lines[TEXT_NEAR_LINES_MAX + 1];
    out[0] = '\0';
    if (text.len == 0) {
        snprintf(out, size, "The file is empty");
        return;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t count = find_folded(text, wanted, kinds[i].how, lines);
        if (count > 0) {
            describe_lines(lines, count, kinds[i].difference, out, size);
            return;
        }
    }
    describe_run(text, wanted, out, size);
}
