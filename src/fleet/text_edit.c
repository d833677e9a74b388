/* Finding a string in a text, and replacing it.
 *
 * Where a line break may be LF or CR LF, both are sought in a copy of the text that has LF alone
 * (`flat`). Matches come in order, so their places in the text itself are found by walking along
 * with them, once altogether. A match that begins with a line break begins before its CR.
 *
 * The search is memmem's, which is linear. Counting matches that overlap is not, so it ends at
 * TEXT_EDIT_COUNT_MAX. */
#include "scout/fleet/text_edit.h"

#include "scout/base/utf8.h"
#include "text_near.h"
#include <stdio.h>
#include <stdlib.h>

struct finder {
    struct slice text; /* the file's */
    struct slice hay;  /* what is searched: the text, or the flat copy */
    struct slice old_text;
    uint8_t *copy;           /* NULL: hay is the text */
    size_t flat_at, text_at; /* the same place in both */
    size_t break_at; /* in the text: the first LF of where it was sought last; SIZE_MAX: nowhere */
};

static bool has(struct slice s, char c)
{
    return s.len > 0 && memchr(s.data, c, s.len);
}

static bool has_crlf(struct slice s)
{
    return s.len > 0 && memmem(s.data, s.len, "\r\n", 2);
}

static size_t count_lines(struct slice s)
{
    size_t count = 0;
    for (const uint8_t *at; s.len && (at = memchr(s.data, '\n', s.len)); count++)
        s = slice_skip(s, (size_t)(at - s.data) + 1);
    return count;
}

/* ---- what can be edited ---- */

int text_edit_check(struct slice text, struct failure *why)
{
    const uint8_t *nul = text.len ? memchr(text.data, '\0', text.len) : NULL;
    size_t bad = nul ? (size_t)(nul - text.data) : utf8_valid_len(text);
    if (bad == text.len)
        return 0;
    return failure_set(why, SCOUT_E_NOT_TEXT,
                       nul ? "it is a binary file: a NUL at byte %zu, in line %zu"
                           : "it is not UTF-8: ill-formed at byte %zu, in line %zu",
                       bad + 1, count_lines(slice_of(text.data, bad)) + 1);
}

/* ---- finding ---- */

/* The text with LF for each CR LF. */
static bool flatten(struct finder *f)
{
    size_t len = 0;
    f->copy = malloc(f->text.len);
    if (!f->copy)
        return false;
    for (size_t i = 0; i < f->text.len; i++) {
        bool crlf = f->text.data[i] == '\r' && i + 1 < f->text.len && f->text.data[i + 1] == '\n';
        if (!crlf)
            f->copy[len++] = f->text.data[i];
    }
    f->hay = slice_of(f->copy, len);
    return true;
}

static bool finder_init(struct finder *f, const struct text_edit *e, bool exact)
{
    *f = (struct finder){
        .text = e->text, .hay = e->text, .old_text = e->old_text, .break_at = SIZE_MAX};
    return exact || !has(e->old_text, '\n') || !has_crlf(e->text) || flatten(f);
}

/* The place in the text of one in hay, which is not before the last one that was asked for. */
static size_t place_of(struct finder *f, size_t at)
{
    if (!f->copy)
        return at;
    for (; f->flat_at < at; f->flat_at++) {
        bool flattened = f->copy[f->flat_at] == '\n' && f->text.data[f->text_at] == '\r';
        f->text_at += flattened ? 2 : 1;
    }
    return f->text_at;
}

/* Where in hay the first match begins that is not before `from`. */
static bool find(const struct finder *f, size_t from, size_t *begin)
{
    const struct slice rest = slice_skip(f->hay, from);
    const uint8_t *at =
        rest.len ? memmem(rest.data, rest.len, f->old_text.data, f->old_text.len) : NULL;
    if (at)
        *begin = (size_t)(at - f->hay.data);
    return at != NULL;
}

/* ---- refusing ---- */

static int refuse_none(const struct finder *f, struct failure *why)
{
    char near[256];
    text_near_describe(f->hay, f->old_text, near, sizeof near);
    return failure_set(why, SCOUT_E_NO_MATCH, "old_string is not in it. %s",
                       near[0] ? near : "Nothing comes near to it: read the file again");
}

/* There is more than one; the first begins at `begin`. Lines are the same in hay and in the text.
 */
static int refuse_several(const struct finder *f, size_t begin, struct failure *why)
{
    char lines[256] = "";
    size_t count = 0, len = 0, named = 0, line = 1, told = 0, from = 0;
    bool more = false, found = true;
    for (; found && count < TEXT_EDIT_COUNT_MAX; found = find(f, begin + 1, &begin)) {
        count++;
        line += count_lines(slice_of(f->hay.data + from, begin - from));
        from = begin;
        more = more || (line != told && named == TEXT_EDIT_LINES_MAX);
        if (line == told || named == TEXT_EDIT_LINES_MAX)
            continue;
        len += (size_t)snprintf(lines + len, sizeof lines - len, "%s%zu", named ? ", " : "", line);
        told = line;
        named++;
    }
    return failure_set(why, SCOUT_E_NO_MATCH,
                       "old_string is in it %zu times%s, at line%s %s%s. Give more of the text "
                       "around the place that is meant, or replace_all",
                       count, found ? " or more" : "", named > 1 ? "s" : "", lines,
                       more ? " and others" : "");
}

/* ---- replacing ---- */

/* Whether lines end in CR LF where the match begins. */
static bool is_crlf_at(struct finder *f, size_t begin)
{
    struct slice text = f->text;
    if (f->break_at == SIZE_MAX || f->break_at < begin) {
        const uint8_t *at =
            begin < text.len ? memchr(text.data + begin, '\n', text.len - begin) : NULL;
        f->break_at = at ? (size_t)(at - text.data) : text.len;
    }
    size_t at = f->break_at;
    if (at == text.len) {
        const uint8_t *last = begin ? memrchr(text.data, '\n', begin) : NULL;
        if (!last)
            return false;
        at = (size_t)(last - text.data);
    }
    return at > 0 && text.data[at - 1] == '\r';
}

static int put_new(struct buf *out, struct slice text, bool crlf)
{
    int error = 0;
    for (const uint8_t *at;
         !error && crlf && text.len && (at = memchr(text.data, '\n', text.len));) {
        size_t len = (size_t)(at - text.data);
        error = buf_append(out, slice_of(text.data, len));
        error = error ? error : buf_append_str(out, "\r\n");
        text = slice_skip(text, len + 1);
    }
    return error ? error : buf_append(out, text);
}

static int replace(const struct text_edit *e, struct finder *f, bool exact, struct buf *out,
                   uint64_t *count)
{
    bool breaks = !exact && has(e->new_text, '\n');
    size_t done = 0, next = 0, begin;
    int error = 0;
    while (!error && (e->all || *count == 0) && find(f, next, &begin)) {
        size_t at = place_of(f, begin);
        error = buf_append(out, slice_of(f->text.data + done, at - done));
        if (!error)
            error = put_new(out, e->new_text, breaks && is_crlf_at(f, at));
        next = begin + f->old_text.len;
        done = place_of(f, next);
        ++*count;
    }
    return error ? error : buf_append(out, slice_skip(f->text, done));
}

/* How many matches there are counts before anything is written. */
static int edit(const struct text_edit *e, struct finder *f, bool exact, struct buf *out,
                uint64_t *count, struct failure *why)
{
    size_t begin, second;
    if (!find(f, 0, &begin))
        return refuse_none(f, why);
    if (!e->all && find(f, begin + 1, &second))
        return refuse_several(f, begin, why);
    int error = replace(e, f, exact, out, count);
    if (error == SCOUT_E_LIMIT)
        failure_set(why, error, "it would have more than %zu bytes afterwards", out->max);
    else if (error)
        failure_set(why, error, "no memory for it");
    return error;
}

int text_edit_apply(const struct text_edit *e, struct buf *out, uint64_t *count,
                    struct failure *why)
{
    bool exact = has(e->old_text, '\r') || has(e->new_text, '\r');
    struct finder f;
    *count = 0;
    if (e->old_text.len == 0)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "old_string is empty: the tool write makes a file, or replaces all");
    if (slice_equal(e->old_text, e->new_text))
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "old_string and new_string are the same: nothing would change");
    if (!finder_init(&f, e, exact))
        return failure_set(why, SCOUT_E_NOMEM, "no memory for it");
    int error = edit(e, &f, exact, out, count, why);
    free(f.copy);
    return error;
}
