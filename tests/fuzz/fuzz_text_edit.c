/* Edits: what comes out is the text with the new string at so many places, all else unchanged, but
 * for line breaks; a refusal has a story.
 *
 * Input: a byte with flags, two bytes with the lengths of the old and the new string, these, then
 * the text. */
#include "scout/fleet/text_edit.h"
#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define ROOM 65536

static struct slice take(struct slice *rest, size_t len)
{
    struct slice part = slice_of(rest->data, len < rest->len ? len : rest->len);
    *rest = slice_skip(*rest, part.len);
    return part;
}

static bool is_text(struct slice s)
{
    struct failure why;
    return text_edit_check(s, &why) == 0;
}

/* Without the CR of each CR LF. */
static struct slice flat(struct slice s)
{
    uint8_t *out = malloc(s.len + 1);
    size_t len = 0;
    assert(out);
    for (size_t i = 0; i < s.len; i++)
        if (!(s.data[i] == '\r' && i + 1 < s.len && s.data[i + 1] == '\n'))
            out[len++] = s.data[i];
    return slice_of(out, len);
}

static bool begins_with(struct slice s, struct slice with)
{
    return s.len >= with.len && (with.len == 0 || memcmp(s.data, with.data, with.len) == 0);
}

/* Goes through both, the old string on the left where the new one is on the right. */
static void check(struct slice a, struct slice b, const struct text_edit *e, uint64_t count)
{
    while (count > 0 && a.len > 0) {
        bool match = begins_with(a, e->old_text);
        if (match) {
            assert(begins_with(b, e->new_text));
            a = slice_skip(a, e->old_text.len);
            b = slice_skip(b, e->new_text.len);
            count--;
        } else {
            assert(b.len > 0 && a.data[0] == b.data[0]);
            a = slice_skip(a, 1);
            b = slice_skip(b, 1);
        }
    }
    assert(count == 0 && slice_equal(a, b));
}

static bool has_cr(struct slice s)
{
    return s.len > 0 && memchr(s.data, '\r', s.len);
}

static void check_edit(const struct text_edit *e, struct slice out, uint64_t count)
{
    bool exact = has_cr(e->old_text) || has_cr(e->new_text);
    if (exact) {
        check(e->text, out, e, count);
        return;
    }
    /* A text with a CR before a CR LF may get a new CR LF where its LF came to stand behind it. */
    struct slice a = flat(e->text), b = flat(out);
    if (!has_cr(a))
        check(a, b, e, count);
    free((void *)(uintptr_t)a.data);
    free((void *)(uintptr_t)b.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct slice rest = slice_of(data, len);
    struct failure why = {0};
    struct buf out;
    uint64_t count;
    if (len < 3)
        return 0;
    rest = slice_skip(rest, 3);
    struct text_edit e = {.all = data[0] & 1};
    e.old_text = take(&rest, data[1]);
    e.new_text = take(&rest, data[2]);
    e.text = rest;
    if (!is_text(e.text) || !is_text(e.old_text) || !is_text(e.new_text))
        return 0;
    buf_init(&out, ROOM);
    int error = text_edit_apply(&e, &out, &count, &why);
    if (error)
        assert(why.error == error && why.text[0]);
    else
        check_edit(&e, buf_peek(&out), count);
    buf_fini(&out);
    return 0;
}
