/* The difference of two texts: laid upon the first it gives the second, and a buffer that is too
 * small gets the begin of it.
 *
 * Input: a byte for the length of the first text, the first text, then the second. */
#include "scout/base/error.h"
#include "scout/fleet/text_diff.h"
#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define ROOM 65536

static struct slice take_line(struct slice *rest)
{
    const uint8_t *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    struct slice line = slice_of(rest->data, end ? (size_t)(end - rest->data) + 1 : rest->len);
    *rest = slice_skip(*rest, line.len);
    return line;
}

/* The line of a text that a line of the difference is about: without its mark, and without the line
 * break that it got where it has none. */
static struct slice line_of(struct slice line, struct slice *rest)
{
    line = slice_skip(line, 1);
    if (rest->len == 0 || rest->data[0] != '\\')
        return line;
    take_line(rest);
    return slice_of(line.data, line.len - 1);
}

/* Both must begin with the same line; which they lose. */
static void take_same(struct slice *text, struct slice line)
{
    struct slice own = take_line(text);
    assert(slice_equal(own, line) && own.len > 0);
}

/* Up to the hunk that this line is the head of, both have the same. */
static void check_between(struct slice head, struct slice *a, struct slice *b, size_t *line)
{
    char *rest;
    size_t from = strtoul((const char *)head.data + 4, &rest, 10);
    bool none = strncmp(rest, ",0 ", 3) == 0;
    while (*line + !none < from) {
        take_same(b, take_line(a));
        ++*line;
    }
}

static void check_patch(struct slice diff, struct slice a, struct slice b)
{
    size_t done = 0; /* lines of the first text */
    take_line(&diff);
    take_line(&diff);
    while (diff.len > 0) {
        struct slice line = take_line(&diff);
        char mark = (char)line.data[0];
        if (mark == '@') {
            check_between(line, &a, &b, &done);
            continue;
        }
        line = line_of(line, &diff);
        assert(mark == ' ' || mark == '-' || mark == '+');
        if (mark != '+') {
            take_same(&a, line);
            done++;
        }
        if (mark != '-')
            take_same(&b, line);
    }
    assert(slice_equal(a, b));
}

static void check_small(struct slice a, struct slice b, struct slice whole, size_t room)
{
    struct buf out;
    bool coarse;
    buf_init(&out, room);
    int error = text_diff(a, b, "a", "b", &out, &coarse);
    assert(error == (room < whole.len ? SCOUT_E_LIMIT : 0));
    assert(buf_len(&out) <= whole.len);
    assert(buf_len(&out) == 0 || memcmp(buf_peek(&out).data, whole.data, buf_len(&out)) == 0);
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct buf out;
    bool coarse;
    if (len == 0 || len > ROOM)
        return 0;
    struct slice b = slice_of(data + 1, len - 1);
    struct slice a = slice_of(b.data, data[0] < b.len ? data[0] : b.len);
    b = slice_skip(b, a.len);
    buf_init(&out, 16 * ROOM);
    assert(text_diff(a, b, "a", "b", &out, &coarse) == 0);
    assert(slice_equal(a, b) == (buf_len(&out) == 0));
    struct slice diff = buf_peek(&out);
    check_small(a, b, diff, diff.len / 2);
    if (diff.len > 0) {
        assert(buf_append(&out, slice_of("", 1)) == 0); /* for strtoul */
        check_patch(slice_of(buf_peek(&out).data, buf_len(&out) - 1), a, b);
    }
    buf_fini(&out);
    return 0;
}
