/* A piece of a file: what it is taken for, and that as UTF-8; and its lines, out of blocks, which
 * have to be those that lie there.
 *
 * Input: the first line's number or how many last ones, how many, the size of the first block, then
 * the file. */
#include "line_range.h"
#include "scout/base/text_kind.h"
#include "scout/base/utf8.h"
#include <assert.h>
#include <stdlib.h>

#define KEEP_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_text(struct slice text)
{
    struct slice head = slice_of(text.data, text.len < PATH_HEAD_MAX ? text.len : PATH_HEAD_MAX);
    for (unsigned cut = 0; cut < 4; cut++) {
        struct buf out;
        struct text_kind kind =
            text_kind_of(cut & 1 ? slice_of("", 0) : head, text, cut & 1, cut & 2);
        (void)text_binary_type(text);
        if (kind.encoding == TEXT_BINARY)
            continue;
        buf_init(&out, 2 * text.len + 8);
        assert(text_to_utf8(kind, text, &out) == 0);
        struct slice utf8 = buf_peek(&out);
        bool converted = kind.encoding != TEXT_UTF8 && kind.encoding != TEXT_UTF8_BOM;
        if (converted || (!kind.ill_formed && cut == 0))
            assert(utf8_valid_len(utf8) == utf8.len);
        buf_fini(&out);
    }
}

/* Reads as a host would whose file says its size, or says none. */
static void check_lines(struct slice file, struct path_range want, uint64_t block, bool sized)
{
    struct line_range r;
    line_range_init(&r, &want, KEEP_MAX, sized ? file.len : 0);
    line_range_head(&r, slice_of(file.data, file.len < PATH_HEAD_MAX ? file.len : PATH_HEAD_MAX));
    r.block = block;
    for (unsigned steps = 0; !r.ended; steps++) {
        uint64_t offset, wanted;
        assert(steps <= 2 * file.len + 8);
        line_range_next(&r, &offset, &wanted);
        assert(wanted > 0);
        size_t there = offset < file.len ? file.len - offset : 0;
        there = there < wanted ? there : wanted;
        assert(line_range_take(&r, slice_of(file.data + (there ? offset : 0), there)) == 0);
    }
    assert(r.kept_len <= KEEP_MAX && r.kept_at + r.kept_len <= file.len);
    assert(r.kept_len == 0 || memcmp(r.kept, file.data + r.kept_at, r.kept_len) == 0);
    assert(r.line_count <= want.count);
    assert(want.part != PATH_TAIL || (r.at_end && r.kept_at + r.kept_len == file.len));
    line_range_fini(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 3)
        return 0;
    uint8_t *copy = malloc(len - 3 + 1);
    assert(copy);
    memcpy(copy, data + 3, len - 3);
    struct slice file = slice_of(copy, len - 3);
    uint64_t block = 2 + 2 * (data[2] % 32u);
    check_text(file);
    for (unsigned sized = 0; sized < 2 && file.len > 0; sized++) {
        check_lines(file, (struct path_range){PATH_LINES, 1 + data[0], 1 + data[1]}, block, sized);
        check_lines(file, (struct path_range){PATH_TAIL, 0, 1 + data[1]}, block, sized);
    }
    free(copy);
    return 0;
}
