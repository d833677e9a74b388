/* A unified difference: lines are found, diff_search.c marks those that differ, and what is marked
 * is written in hunks. Two changes with no more than twice the context between them are one hunk.
 * Within a hunk what is gone comes before what came. */
#include "text_diff.h"

#include "scout/base/error.h"
#include <stdlib.h>

/* ---- lines ---- */

struct slice diff_text_line(const struct diff_text *t, uint32_t line)
{
    return slice_of(t->text.data + t->at[line], t->at[line + 1] - t->at[line]);
}

static size_t count_lines(struct slice text)
{
    size_t count = 0;
    while (text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        text = slice_skip(text, end ? (size_t)(end - text.data) + 1 : text.len);
        count++;
    }
    return count;
}

static int split(struct diff_text *t)
{
    struct slice rest = t->text;
    t->count = (uint32_t)count_lines(t->text);
    t->at = malloc(((size_t)t->count + 1) * sizeof *t->at);
    t->changed = calloc((size_t)t->count + 1, sizeof *t->changed);
    if (!t->at || !t->changed)
        return SCOUT_E_NOMEM;
    for (uint32_t i = 0; i < t->count; i++) {
        const uint8_t *end = memchr(rest.data, '\n', rest.len);
        t->at[i] = (uint32_t)(t->text.len - rest.len);
        rest = slice_skip(rest, end ? (size_t)(end - rest.data) + 1 : rest.len);
    }
    t->at[t->count] = (uint32_t)t->text.len;
    return 0;
}

/* ---- hunks ---- */

struct place {
    uint32_t a, b; /* lines */
};

static bool is_changed(const struct diff_text *t, uint32_t line)
{
    return line < t->count && t->changed[line];
}

/* Behind the lines that differ here. */
static struct place skip_change(const struct diff_text *a, const struct diff_text *b,
                                struct place at)
{
    while (is_changed(a, at.a))
        at.a++;
    while (is_changed(b, at.b))
        at.b++;
    return at;
}

/* The next place where something differs, `max` lines further at most. */
static struct place skip_equal(const struct diff_text *a, const struct diff_text *b,
                               struct place at, uint32_t max)
{
    while (max-- > 0 && at.a < a->count && !is_changed(a, at.a) && !is_changed(b, at.b)) {
        at.a++;
        at.b++;
    }
    return at;
}

static bool differs_at(const struct diff_text *a, const struct diff_text *b, struct place at)
{
    return is_changed(a, at.a) || is_changed(b, at.b);
}

/* Where the hunk ends whose first change is at `at`. */
static struct place hunk_end(const struct diff_text *a, const struct diff_text *b, struct place at)
{
    for (;;) {
        struct place end = skip_change(a, b, at);
        at = skip_equal(a, b, end, 2 * TEXT_DIFF_CONTEXT);
        if (!differs_at(a, b, at))
            return skip_equal(a, b, end, TEXT_DIFF_CONTEXT);
    }
}

static int put_line(struct buf *out, char mark, struct slice line)
{
    static const char no_newline[] = "\n\\ No newline at end of file\n";
    bool whole = line.len > 0 && line.data[line.len - 1] == '\n';
    size_t more = whole ? 0 : sizeof no_newline - 1;
    uint8_t *at = buf_reserve(out, 1 + line.len + more);
    if (!at)
        return 1 + line.len + more > buf_room(out) ? SCOUT_E_LIMIT : SCOUT_E_NOMEM;
    at[0] = (uint8_t)mark;
    memcpy(at + 1, line.data, line.len);
    memcpy(at + 1 + line.len, no_newline, more);
    buf_commit(out, 1 + line.len + more);
    return 0;
}

/* "3", "3,0" or "3,7": where lines are, counted from 1; of none the line before. */
static int put_range(struct buf *out, uint32_t from, uint32_t count)
{
    if (count == 1)
        return buf_printf(out, "%u", from + 1);
    return buf_printf(out, "%u,%u", from + (count > 0), count);
}

static int put_header(struct buf *out, struct place from, struct place to)
{
    int error = buf_append_str(out, "@@ -");
    error = error ? error : put_range(out, from.a, to.a - from.a);
    error = error ? error : buf_append_str(out, " +");
    error = error ? error : put_range(out, from.b, to.b - from.b);
    return error ? error : buf_append_str(out, " @@\n");
}

static int put_hunk(struct buf *out, const struct diff_text *a, const struct diff_text *b,
                    struct place from, struct place to)
{
    size_t before = buf_len(out);
    int error = put_header(out, from, to);
    if (error) {
        out->end = out->start + before;
        return error;
    }
    while (!error && (from.a < to.a || from.b < to.b)) {
        if (is_changed(a, from.a)) {
            error = put_line(out, '-', diff_text_line(a, from.a++));
        } else if (is_changed(b, from.b)) {
            error = put_line(out, '+', diff_text_line(b, from.b++));
        } else {
            error = put_line(out, ' ', diff_text_line(a, from.a++));
            from.b++;
        }
    }
    return error;
}

static int put_hunks(struct buf *out, const struct diff_text *a, const struct diff_text *b)
{
    struct place done = {0, 0}, at = {0, 0};
    int error = 0;
    for (;;) {
        at = skip_equal(a, b, at, UINT32_MAX);
        if (error || !differs_at(a, b, at))
            return error;
        uint32_t equal = at.a - done.a;
        uint32_t context = equal < TEXT_DIFF_CONTEXT ? equal : TEXT_DIFF_CONTEXT;
        done = hunk_end(a, b, at);
        error = put_hunk(out, a, b, (struct place){at.a - context, at.b - context}, done);
        at = done;
    }
}

/* ---- the whole ---- */

static int put_name(struct buf *out, const char *mark, const char *name)
{
    size_t len = strlen(name);
    int error = buf_append_str(out, mark);
    uint8_t *at = error ? NULL : buf_reserve(out, len + 1);
    if (!at)
        return error ? error : SCOUT_E_LIMIT;
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)name[i] < ' ' || name[i] == 0x7f ? '?' : (uint8_t)name[i];
    at[len] = '\n';
    buf_commit(out, len + 1);
    return 0;
}

int text_diff(struct slice a, struct slice b, const char *name_a, const char *name_b,
              struct buf *out, bool *coarse)
{
    struct diff_text ta = {.text = a}, tb = {.text = b};
    *coarse = false;
    if (a.len > TEXT_DIFF_BYTES_MAX || b.len > TEXT_DIFF_BYTES_MAX)
        return SCOUT_E_LIMIT;
    if (slice_equal(a, b))
        return 0;
    int error = split(&ta);
    error = error ? error : split(&tb);
    error = error ? error : diff_search(&ta, &tb, coarse);
    error = error ? error : put_name(out, "--- ", name_a);
    error = error ? error : put_name(out, "+++ ", name_b);
    error = error ? error : put_hunks(out, &ta, &tb);
    free(ta.at);
    free(ta.changed);
    free(tb.at);
    free(tb.changed);
    return error;
}
