/* The head of a kept state: what is taken is written again as it was. */
#include "undo_entry.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct undo_state state;
    struct buf out;
    int head = undo_entry_read(slice_of(data, len), &state);
    if (head < 0)
        return 0;
    buf_init(&out, UNDO_HEAD_MAX);
    assert(undo_entry_write(&state, &out) == 0);
    assert(slice_equal(buf_peek(&out), slice_of(data, (size_t)head)));
    buf_fini(&out);
    return 0;
}
