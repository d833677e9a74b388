/* A host's shell that prints anything where real paths are asked for: what is taken of it lies
 * within it, piece behind piece. */
#include "real_script.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1); /* so that a sanitizer sees what is read behind it */
    assert(copy);
    if (len)
        memcpy(copy, data, len);
    struct slice reply = slice_of(copy, len), path;
    enum real_script_kind kind = real_script_kind(&reply);
    assert(kind == REAL_SCRIPT_NOTHING || reply.len < len);
    size_t left = reply.len;
    uint8_t letter;
    while (real_script_next(&reply, &letter, &path)) {
        assert(path.len == 0 || !memchr(path.data, '\0', path.len));
        assert(reply.len + path.len + 2 == left);
        left = reply.len;
    }
    const uint8_t *nul = left ? memchr(reply.data, '\0', left) : NULL;
    assert(!nul || nul == reply.data); /* no letter */
    free(copy);
    return 0;
}
