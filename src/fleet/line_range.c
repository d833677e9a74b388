/* Lines of a file out of its blocks.
 *
 * A line ends with LF; the last one may have none, and a file that ends with one has no line behind
 * it. Forward, `lines` counts the ends that were seen. Backward, the text grows at its begin until
 * one line's end more than wanted is in it. In UTF-16 the two bytes of an LF are looked for where a
 * character can begin. */
#include "line_range.h"

#include <stdlib.h>

void line_range_init(struct line_range *r, const struct path_range *want, uint64_t keep_max,
                     uint64_t size)
{
    *r = (struct line_range){
        .want = *want, .keep_max = keep_max, .size = size, .unit = 1, .block = LINE_BLOCK_FIRST};
    if (want->part == PATH_TAIL)
        r->at = size;
}

void line_range_fini(struct line_range *r)
{
    free(r->kept);
    r->kept = NULL;
}

void line_range_head(struct line_range *r, struct slice head)
{
    bool little = head.len >= 2 && head.data[0] == 0xFF && head.data[1] == 0xFE;
    r->big_endian = head.len >= 2 && head.data[0] == 0xFE && head.data[1] == 0xFF;
    r->unit = little || r->big_endian ? 2 : 1;
}

static bool is_backward(const struct line_range *r)
{
    return r->want.part == PATH_TAIL && r->size > 0;
}

void line_range_next(const struct line_range *r, uint64_t *offset, uint64_t *len)
{
    *offset = r->at;
    *len = r->block;
    if (is_backward(r)) {
        *offset = r->at > r->block ? (r->at - r->block) & ~UINT64_C(1) : 0;
        *len = r->at - *offset;
    } else if (r->size > 0 && r->size - r->at < r->block && r->at < r->size) {
        *len = r->size - r->at;
    }
}

/* ---- ends of lines ---- */

/* Behind the first end of a line in `s`, whose first byte begins a character; 0: there is none. */
static size_t after_line(const struct line_range *r, struct slice s)
{
    size_t at = 0;
    while (at < s.len) {
        const uint8_t *lf = memchr(s.data + at, '\n', s.len - at);
        if (!lf)
            return 0;
        at = (size_t)(lf - s.data);
        if (r->unit == 1)
            return at + 1;
        size_t first = at & ~(size_t)1;
        bool wide = first + 1 < s.len && s.data[first + r->big_endian] == '\n' &&
                    s.data[first + !r->big_endian] == 0;
        if (wide)
            return first + 2;
        at = first + 2;
    }
    return 0;
}

/* Where the last line's end before `len` begins; SIZE_MAX: there is none. */
static size_t line_end_before(const struct line_range *r, const uint8_t *data, size_t len)
{
    while (len > 0) {
        const uint8_t *lf = memrchr(data, '\n', len);
        if (!lf)
            break;
        size_t at = (size_t)(lf - data), first = at & ~(size_t)1;
        if (r->unit == 1)
            return at;
        if (first + 1 < len && data[first + r->big_endian] == '\n' &&
            data[first + !r->big_endian] == 0)
            return first;
        len = first;
    }
    return SIZE_MAX;
}

static uint64_t count_lines(const struct line_range *r, struct slice s)
{
    uint64_t count = 0;
    while (s.len > 0) {
        size_t len = after_line(r, s);
        s = slice_skip(s, len ? len : s.len);
        count++;
    }
    return count;
}

static uint64_t count_ends(const struct line_range *r, struct slice s)
{
    uint64_t count = 0;
    for (size_t len; (len = after_line(r, s)) > 0; count++)
        s = slice_skip(s, len);
    return count;
}

/* ---- what is kept ---- */

static int make_room(struct line_range *r, uint64_t more)
{
    uint64_t room = r->kept_room ? r->kept_room : LINE_BLOCK_FIRST;
    while (room < r->kept_len + more)
        room *= 2;
    uint8_t *kept = room == r->kept_room ? r->kept : realloc(r->kept, room);
    if (!kept)
        return SCOUT_E_NOMEM;
    r->kept = kept;
    r->kept_room = room;
    return 0;
}

static int append(struct line_range *r, struct slice s)
{
    int error = s.len ? make_room(r, s.len) : 0;
    if (error || !s.len)
        return error;
    memcpy(r->kept + r->kept_len, s.data, s.len);
    r->kept_len += s.len;
    return 0;
}

/* The lines that end in it are counted: what is kept then begins in the one behind. */
static void drop_front(struct line_range *r, uint64_t len)
{
    if (len == 0)
        return;
    r->dropped += count_ends(r, slice_of(r->kept, len));
    memmove(r->kept, r->kept + len, r->kept_len - len);
    r->kept_len -= len;
    r->kept_at += len;
}

/* ---- forward ---- */

/* Lines before the first wanted one are passed over. */
static struct slice pass_over(struct line_range *r, struct slice block)
{
    while (block.len > 0 && r->lines + 1 < r->want.first) {
        size_t len = after_line(r, block);
        r->lines += len > 0;
        r->in_line = len == 0;
        r->kept_at += len ? len : block.len;
        block = slice_skip(block, len ? len : block.len);
    }
    return block;
}

static int keep(struct line_range *r, struct slice block)
{
    struct slice rest = block;
    while (rest.len > 0 && r->line_count < r->want.count) {
        size_t len = after_line(r, rest);
        r->line_count += len > 0;
        rest = slice_skip(rest, len ? len : rest.len);
    }
    uint64_t taken = block.len - rest.len, room = r->keep_max - r->kept_len;
    r->truncated = taken > room;
    int error = append(r, slice_of(block.data, r->truncated ? room : taken));
    bool enough = r->line_count == r->want.count || r->truncated;
    if (enough) {
        r->ended = true;
        r->at_end = !r->truncated && r->size > 0 && r->kept_at + r->kept_len == r->size;
    }
    return error;
}

/* The numbers, now that no more comes. Of a text that was cut the whole lines stay, if there are
 * any. */
static void settle(struct line_range *r)
{
    size_t end = r->truncated ? line_end_before(r, r->kept, r->kept_len) : SIZE_MAX;
    if (end != SIZE_MAX)
        r->kept_len = end + r->unit;
    r->line_count = r->kept_len ? count_lines(r, slice_of(r->kept, r->kept_len)) : 0;
    r->lines += r->line_count;
}

static int take_forward(struct line_range *r, struct slice block, bool last)
{
    /* A character that is cut by the end of the block waits for the next one. */
    struct slice whole =
        r->unit == 2 && !last ? slice_of(block.data, block.len & ~(size_t)1) : block;
    r->at += whole.len;
    struct slice rest = pass_over(r, whole);
    int error = rest.len ? keep(r, rest) : 0;
    if (error || r->ended) {
        settle(r);
        return error;
    }
    if (last) {
        r->ended = r->at_end = true;
        r->lines += r->in_line && r->lines + 1 < r->want.first;
        settle(r);
    } else if (r->at >= PATH_SCAN_MAX) {
        return SCOUT_E_LIMIT;
    }
    return 0;
}

/* ---- the last lines ---- */

/* Where they begin in the text; SIZE_MAX: farther ahead than what is there. */
static size_t begin_of_last(const struct line_range *r)
{
    size_t len = r->kept_len, unit = r->unit;
    if (r->want.count == 0)
        return len;
    /* The end of the last line ends no line before it. */
    size_t end = line_end_before(r, r->kept, len);
    if (end != SIZE_MAX && end + unit == len)
        len = end;
    for (uint64_t i = 0; i < r->want.count; i++) {
        end = line_end_before(r, r->kept, len);
        if (end == SIZE_MAX)
            return SIZE_MAX;
        len = end;
    }
    return len + unit;
}

/* Of a text that is longer than may be kept, the last lines that fit; of one line its end. */
static void cut_front(struct line_range *r)
{
    if (r->kept_len <= r->keep_max)
        return;
    r->truncated = true;
    uint64_t over = r->kept_len - r->keep_max;
    drop_front(r, r->unit == 2 ? (over + 1) & ~UINT64_C(1) : over);
    size_t len = after_line(r, slice_of(r->kept, r->kept_len));
    if (len > 0 && len < r->kept_len)
        drop_front(r, len);
}

static void end_tail(struct line_range *r, size_t begin)
{
    drop_front(r, begin);
    cut_front(r);
    r->ended = r->at_end = true;
    r->line_count = count_lines(r, slice_of(r->kept, r->kept_len));
    r->lines = !is_backward(r) || r->at == 0 ? r->dropped + r->line_count : 0;
}

static int take_backward(struct line_range *r, struct slice block, uint64_t offset, bool last)
{
    /* The file has become shorter: what was read of it behind that is no more. */
    if (last && r->kept_len > 0)
        r->kept_len = 0;
    int error = block.len ? make_room(r, block.len) : 0;
    if (error)
        return error;
    if (block.len) {
        memmove(r->kept + block.len, r->kept, r->kept_len);
        memcpy(r->kept, block.data, block.len);
    }
    r->kept_len += block.len;
    r->kept_at = r->at = offset;
    size_t begin = r->kept_len ? begin_of_last(r) : SIZE_MAX;
    if (begin != SIZE_MAX)
        end_tail(r, begin);
    else if (offset == 0 || r->kept_len > r->keep_max)
        end_tail(r, 0);
    return 0;
}

/* Of a file without a size: what cannot be of the last lines any more goes. */
static int take_tail_forward(struct line_range *r, struct slice block, bool last)
{
    int error = append(r, block);
    r->at += block.len;
    if (error)
        return error;
    size_t begin = r->kept_len ? begin_of_last(r) : 0;
    if (last)
        end_tail(r, begin == SIZE_MAX ? 0 : begin);
    else if (begin != SIZE_MAX)
        drop_front(r, begin);
    if (!last)
        cut_front(r);
    return !last && r->at >= PATH_SCAN_MAX ? SCOUT_E_LIMIT : 0;
}

int line_range_take(struct line_range *r, struct slice block)
{
    uint64_t offset, len;
    line_range_next(r, &offset, &len);
    bool last = block.len < len || (!is_backward(r) && r->size > 0 && offset + len == r->size);
    if (r->block < LINE_BLOCK_MAX)
        r->block *= 2;
    if (is_backward(r))
        return take_backward(r, block, offset, block.len < len);
    return r->want.part == PATH_TAIL ? take_tail_forward(r, block, last)
                                     : take_forward(r, block, last);
}
