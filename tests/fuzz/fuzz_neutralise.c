/* Neutralising any bytes gives well-formed text without controls, in which nothing is left to be
 * neutralised.
 *
 * Input: the text. */
#include "scout/base/hidden.h"
#include "scout/base/utf8.h"
#include "scout/fleet/neutralise.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define ROOM 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct neutralised counts = {0}, again = {0};
    struct buf once, twice;
    if (len > ROOM)
        return 0;
    buf_init(&once, 16 * ROOM);
    buf_init(&twice, 16 * ROOM);
    assert(neutralise(slice_of(data, len), &once, &counts) == 0);
    struct slice text = buf_peek(&once);
    assert(utf8_valid_len(text) == text.len);
    for (size_t at = 0; at < text.len;) {
        size_t size = utf8_char_len(slice_skip(text, at));
        uint32_t code = hidden_decode(text.data + at, size);
        assert(hidden_kind(code) != HIDDEN_BIDI);
        assert(code >= 0x20 || code == '\n' || code == '\t' || text.data[at + 1] == '\n');
        at += size;
    }
    if (counts.escapes + counts.bidi + counts.invisible == 0 &&
        utf8_valid_len(slice_of(data, len)) == len)
        assert(slice_equal(text, slice_of(data, len)));
    assert(neutralise(text, &twice, &again) == 0);
    assert(again.escapes == 0 && again.bidi == 0);
    buf_fini(&once);
    buf_fini(&twice);
    return 0;
}
