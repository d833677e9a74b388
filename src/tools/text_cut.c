/* Pieces first, then their text. A block that is longer than its share keeps a head and a tail, at
 * ends of lines where one is near. Gaps are what is between pieces, so that two gaps that touch are
 * one line. */
#include "text_cut.h"

#include "scout/base/error.h"
#include "scout/fleet/redact_marker.h"
#include <stdio.h>
#include <stdlib.h>

/* ---- characters ---- */

static bool is_continuation(uint8_t c)
{
    return (c & 0xC0) == 0x80;
}

size_t text_characters(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += !is_continuation(text.data[i]);
    return count;
}

/* The place behind the first `count` characters from `at` on. */
static size_t forward(struct slice text, size_t at, size_t count)
{
    while (at < text.len && count > 0) {
        at++;
        while (at < text.len && is_continuation(text.data[at]))
            at++;
        count--;
    }
    return at;
}

/* The place before the last `count` characters up to `at`. */
static size_t backward(struct slice text, size_t at, size_t count)
{
    while (at > 0 && count > 0) {
        at--;
        while (at > 0 && is_continuation(text.data[at]))
            at--;
        count--;
    }
    return at;
}

/* The marker that `at` is within. */
static bool marker_around(struct slice text, size_t at, size_t *from, size_t *to)
{
    size_t start = at > REDACT_MARKER_MAX ? at - REDACT_MARKER_MAX : 0;
    size_t end = text.len - at > REDACT_MARKER_MAX ? at + REDACT_MARKER_MAX : text.len;
    struct slice window = slice_of(text.data + start, end - start), marker;
    while (redact_find_marker(window, &marker)) {
        *from = (size_t)(marker.data - text.data);
        *to = *from + marker.len;
        if (*from < at && at < *to)
            return true;
        window = slice_skip(window, (size_t)(marker.data - window.data) + marker.len);
    }
    return false;
}

size_t text_border(struct slice text, size_t at)
{
    size_t from, to;
    if (at >= text.len)
        return text.len;
    while (at > 0 && is_continuation(text.data[at]))
        at--;
    return marker_around(text, at, &from, &to) ? from : at;
}

/* ---- what is kept ---- */

/* The end of the head: behind a line break in its last quarter, or a character's. */
static size_t head_end(struct slice text, size_t from, size_t to)
{
    size_t end = text_border(text, to), least = to - (to - from) / 4;
    const uint8_t *lf = end > least ? memrchr(text.data + least, '\n', end - least) : NULL;
    return lf ? (size_t)(lf - text.data) + 1 : end < from ? from : end;
}

size_t text_page_end(struct slice text, size_t from, size_t size)
{
    size_t from_marker, end = forward(text, from, size);
    if (end == text.len)
        return end;
    size_t line = head_end(text, from, end);
    if (line > from)
        return line;
    return marker_around(text, end, &from_marker, &line) ? line : end; /* it begins with one */
}

/* The begin of the tail, in its first quarter. */
static size_t tail_begin(struct slice text, size_t from, size_t to)
{
    size_t most = from + (to - from) / 4, marker, behind;
    const uint8_t *lf = most > from ? memchr(text.data + from, '\n', most - from) : NULL;
    if (lf)
        return (size_t)(lf - text.data) + 1;
    return marker_around(text, from, &marker, &behind) ? behind : from;
}

/* Adds the pieces of the block from `from` to `to` that has `share` characters at most. */
static void add_block(struct text_cut *c, size_t from, size_t to, size_t share)
{
    struct slice block = slice_of(c->text.data, to);
    size_t head = forward(block, from, share * TEXT_HEAD_PERCENT / 100);
    size_t tail = backward(block, to, share - share * TEXT_HEAD_PERCENT / 100);
    if (tail > head) {
        head = head_end(block, from, head);
        tail = tail_begin(block, tail, to);
    }
    if (tail <= head) {
        c->pieces[c->count++] = (struct text_piece){from, to};
        return;
    }
    c->pieces[c->count++] = (struct text_piece){from, head};
    if (tail < to)
        c->pieces[c->count++] = (struct text_piece){tail, to};
}

static int compare(const void *a, const void *b)
{
    const size_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

size_t text_fair_share(size_t *sizes, size_t count, size_t budget)
{
    if (count > 0) /* else there may be no array */
        qsort(sizes, count, sizeof *sizes, compare);
    for (size_t i = 0; i < count; i++) {
        if (sizes[i] > budget / (count - i))
            return budget / (count - i);
        budget -= sizes[i];
    }
    return SIZE_MAX;
}

static size_t piece_characters(const struct text_cut *c, size_t i)
{
    return text_characters(
        slice_of(c->text.data + c->pieces[i].from, c->pieces[i].to - c->pieces[i].from));
}

/* Leaves out pieces from the middle until the rest fits. */
static void drop_middle(struct text_cut *c, size_t budget)
{
    size_t head = 0, tail = c->count, first = budget * TEXT_HEAD_PERCENT / 100, used = 0;
    for (size_t last = budget - first; tail > 0; tail--) {
        size_t size = piece_characters(c, tail - 1);
        if (used + size > last)
            break;
        used += size;
    }
    for (; head < tail; head++) {
        size_t size = piece_characters(c, head);
        if (used + size > budget)
            break;
        used += size;
    }
    memmove(c->pieces + head, c->pieces + tail, (c->count - tail) * sizeof *c->pieces);
    c->count -= tail - head;
}

static int cut_blocks(struct text_cut *c, const size_t *blocks, size_t count, size_t budget)
{
    size_t *sizes = malloc((count + 1) * sizeof *sizes), at = 0;
    if (!sizes)
        return SCOUT_E_NOMEM;
    for (size_t i = 0; i <= count; i++) {
        size_t len = i < count ? blocks[i] : c->text.len - at;
        sizes[i] = text_characters(slice_of(c->text.data + at, len));
        at += len;
    }
    size_t share = text_fair_share(sizes, count + 1, budget);
    free(sizes);
    if (count > 0 && share < TEXT_BLOCK_MIN)
        share = TEXT_BLOCK_MIN;
    at = 0;
    for (size_t i = 0; i <= count; i++) {
        size_t len = i < count ? blocks[i] : c->text.len - at;
        if (len > 0)
            add_block(c, at, at + len, share < len ? share : len);
        at += len;
    }
    if (count > 0)
        drop_middle(c, budget + TEXT_BLOCK_MIN);
    return 0;
}

int text_cut_init(struct text_cut *c, struct slice text, const size_t *blocks, size_t block_count,
                  size_t budget)
{
    *c = (struct text_cut){.text = text};
    c->pieces = malloc((2 * block_count + 2) * sizeof *c->pieces);
    if (!c->pieces)
        return SCOUT_E_NOMEM;
    if (text_characters(text) > budget)
        return cut_blocks(c, blocks, block_count, budget);
    c->pieces[c->count++] = (struct text_piece){0, text.len};
    return 0;
}

void text_cut_fini(struct text_cut *c)
{
    free(c->pieces);
}

/* The gap before the piece `i`, or behind the last one. */
static struct text_piece gap_before(const struct text_cut *c, size_t i)
{
    return (struct text_piece){i > 0 ? c->pieces[i - 1].to : 0,
                               i < c->count ? c->pieces[i].from : c->text.len};
}

bool text_cut_gap(const struct text_cut *c, size_t *from, size_t *to)
{
    bool any = false;
    for (size_t i = 0; i <= c->count; i++) {
        struct text_piece gap = gap_before(c, i);
        if (gap.to == gap.from)
            continue;
        if (!any)
            *from = gap.from;
        *to = gap.to;
        any = true;
    }
    return any;
}

/* ---- writing ---- */

/* 1234567 as 1,234,567. */
static const char *grouped(size_t number, char out[32])
{
    char digits[32];
    int len = snprintf(digits, sizeof digits, "%zu", number), at = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

static size_t line_count(struct slice text)
{
    size_t count = 0;
    const uint8_t *lf;
    for (; text.len > 0 && (lf = memchr(text.data, '\n', text.len)); count++)
        text = slice_skip(text, (size_t)(lf - text.data) + 1);
    return count;
}

static int put_gap(struct slice gap, const char *handle, size_t offset, struct buf *out)
{
    char lines[32], characters[32];
    size_t count = line_count(gap);
    bool starts = buf_len(out) == 0 || buf_peek(out).data[buf_len(out) - 1] == '\n';
    int error = buf_printf(out, "%s[\xE2\x80\xA6 ", starts ? "" : "\n");
    if (!error && count > 0)
        error = buf_printf(out, "%s line%s, ", grouped(count, lines), count == 1 ? "" : "s");
    if (!error)
        error =
            buf_printf(out, "%s characters left out", grouped(text_characters(gap), characters));
    if (!error && handle)
        error = buf_printf(out, "; read them with output {\"handle\":\"%s\",\"offset\":%zu}",
                           handle, offset);
    if (!error && !handle)
        error = buf_append_str(out, ", and not kept: ask for less at a time");
    return error ? error : buf_append_str(out, " \xE2\x80\xA6]\n");
}

int text_cut_write(const struct text_cut *c, const char *handle, size_t base, struct buf *out)
{
    int error = 0;
    for (size_t i = 0; i <= c->count && !error; i++) {
        struct text_piece gap = gap_before(c, i);
        if (gap.to > gap.from)
            error = put_gap(slice_of(c->text.data + gap.from, gap.to - gap.from), handle,
                            base == TEXT_ELSEWHERE ? 0 : base + gap.from, out);
        if (i < c->count && !error)
            error = buf_append(out, slice_of(c->text.data + c->pieces[i].from,
                                             c->pieces[i].to - c->pieces[i].from));
    }
    return error;
}
