/* An audit log that somebody else has written, as `scout audit verify` reads it: any bytes, line by
 * line. What the check counts stays within what it was given, and it never goes on behind a break.
 */
#include "audit_check.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct audit_check check;
    uint64_t lines = 0;
    bool good = true;
    audit_check_init(&check);
    while (len > 0 && good) {
        const uint8_t *end = memchr(data, '\n', len);
        size_t line_len = end ? (size_t)(end - data) : len;
        uint8_t *line = malloc(line_len ? line_len : 1); /* a sanitizer sees what is read behind */
        assert(line);
        memcpy(line, data, line_len);
        good = audit_check_line(&check, slice_of(line, line_len));
        assert(good || check.why[0]);
        free(line);
        lines++;
        data += line_len + (end != NULL);
        len -= line_len + (end != NULL);
    }
    audit_check_end(&check);
    assert(check.records <= lines && check.torn <= lines && check.unfinished <= lines);
    audit_check_fini(&check);
    return 0;
}
