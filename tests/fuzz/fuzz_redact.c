/* Redaction of any bytes: it ends, changes nothing but what it replaces by markers, finds nothing
 * where nothing is suspected, and finds nothing more in a text that has no secrets left but where
 * what stands around a marker looks like one.
 *
 * Input: the text. */
#include "scout/fleet/redact.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define ROOM 65536

/* The pieces of `out` between markers stand in `text`, in that order. */
static void check_rest(struct slice text, struct slice out)
{
    struct slice marker;
    while (out.len > 0) {
        bool any = redact_find_marker(out, &marker);
        size_t piece = any ? (size_t)(marker.data - out.data) : out.len;
        if (piece > 0) {
            const uint8_t *at = memmem(text.data, text.len, out.data, piece);
            assert(at);
            text = slice_skip(text, (size_t)(at - text.data) + piece);
        }
        out = slice_skip(out, piece + (any ? marker.len : 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct redactor_config config = {.defaults = true};
    struct redactor *r;
    struct failure why;
    struct buf out;
    struct slice text = slice_of(data, len);
    struct redact_counts counts = {0};
    if (len > ROOM)
        return 0;
    buf_init(&out, 64 * ROOM);
    assert(redactor_new(&r, &config, &why) == 0);
    struct redact_budget budget = redact_budget_of(r, len);
    assert(redact(r, text, &out, &counts, &budget) == 0);
    assert(counts.secrets == 0 || redact_suspects(r, text));
    assert((counts.secrets == 0) == slice_equal(buf_peek(&out), text));
    if (!redact_find_marker(text, NULL))
        check_rest(text, buf_peek(&out));
    buf_fini(&out);
    redactor_free(r);
    return 0;
}
