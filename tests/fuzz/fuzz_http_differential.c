/* Requests with anything in them, before our reader and before llhttp: what ours takes llhttp takes
 * too, with the same meaning (see http_compare.h). The first byte says how the rest is cut, as in
 * fuzz_http_request. */
#include "http_compare.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 2 || len > ACCOUNT_TEXT_MAX / 2)
        return 0;
    uint64_t cuts = data[0];
    struct http_comparison c =
        http_compare_bytes(slice_of(data + 1, len - 1), cuts & 15, cuts >> 4);
    if (c.differs) {
        fprintf(stderr, "request %zu: %s\n", c.at + 1, c.differs);
        abort();
    }
    return 0;
}
