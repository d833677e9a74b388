/* What a host's shell prints behind a file that it wrote, whatever that is.
 *
 * Input: the bytes. What is found lies inside of them, is one line, and follows the mark. */
#include "put_script.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char mark[] = "\n@scout-put ";
    struct slice words = {0};
    if (!put_script_reply(slice_of(data, len), &words))
        return 0;
    assert(words.data >= data + sizeof mark - 1 && words.data + words.len < data + len);
    assert(memcmp(words.data - (sizeof mark - 1), mark, sizeof mark - 1) == 0);
    assert(!memchr(words.data, '\n', words.len) && words.data[words.len] == '\n');
    return 0;
}
