/* A host's shell that prints anything.
 *
 * Input: a byte for the limit of text, a byte for the length of pieces (0: all at once), then what
 * is printed. What is understood of it is inside its limits, and the same however it is cut. */
#include "exec_reply.h"

#include "scout/base/error.h"
#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Reads every byte that is lent, so that a sanitizer sees what is not there. */
static uint64_t sum_of(uint64_t sum, struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        sum = sum * 31 + s.data[i];
    return sum;
}

static void check(const struct exec_reply *r, int result)
{
    assert(buf_len(&r->text) <= r->size_max);
    assert(buf_len(&r->real_path) <= SFTP_PATH_MAX);
    assert(r->list.count <= PATH_ENTRIES_MAX);
    if (result == 0)
        assert(r->kind != EXEC_REPLY_NOTHING);
    for (size_t i = 0; i < r->list.count; i++) {
        struct slice name = r->list.entries[i].name;
        assert(name.len > 0 && !memchr(name.data, '/', name.len));
        assert(i == 0 || memcmp(r->list.entries[i - 1].name.data, name.data, 1) <= 0);
    }
}

/* Parses in pieces; returns a sum of all that came of it. */
static uint64_t parse(uint64_t size_max, const uint8_t *data, size_t len, size_t step)
{
    struct exec_reply r;
    int result = 0;
    exec_reply_init(&r, size_max);
    for (size_t pos = 0; pos < len && result == 0; pos += step) {
        size_t n = len - pos < step ? len - pos : step;
        uint8_t *piece = malloc(n);
        assert(piece);
        memcpy(piece, data + pos, n);
        result = exec_reply_feed(&r, slice_of(piece, n));
        free(piece);
    }
    assert(result == 0 || result == 1 || result == SCOUT_E_PARSE);
    result = result < 0 ? result : exec_reply_end(&r);
    uint64_t sum = (uint64_t)(unsigned)-result * 1000003 + r.truncated;
    if (result == 0) {
        check(&r, result);
        sum = sum_of(sum_of(sum + r.kind, buf_peek(&r.text)), buf_peek(&r.real_path));
        sum = sum_of(sum, slice_of(&r.attrs, sizeof r.attrs));
        for (size_t i = 0; i < r.list.count; i++)
            sum = sum_of(sum, r.list.entries[i].name);
    }
    exec_reply_fini(&r);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 2)
        return 0;
    uint64_t size_max = data[0];
    size_t step = data[1] ? data[1] : SIZE_MAX / 2;
    uint64_t whole = parse(size_max, data + 2, len - 2, len);
    assert(parse(size_max, data + 2, len - 2, step) == whole);
    return 0;
}
