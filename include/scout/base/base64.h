/* Base64 (RFC 4648, sections 4 and 5), decoded strictly. */
#ifndef SCOUT_BASE_BASE64_H
#define SCOUT_BASE_BASE64_H

#include "scout/base/slice.h"

/* At most this many bytes come out of `len` characters. */
static inline size_t base64_decoded_max(size_t len)
{
    return len / 4 * 3;
}

/* Decodes all of `text` into `out` (base64_decoded_max bytes). Returns the length, or -1: a
 * character outside the alphabet, a length that is no multiple of four, padding elsewhere than at
 * the end, or bits set that padding says are not there. */
__attribute__((warn_unused_result)) int64_t base64_decode(struct slice text, uint8_t *out);

/* The same in the alphabet for URLs, without padding (RFC 7515, section 2): base64url_decoded_max
 * bytes. -1, too, for a single character at the end. */
static inline size_t base64url_decoded_max(size_t len)
{
    return len / 4 * 3 + len % 4;
}
__attribute__((warn_unused_result)) int64_t base64url_decode(struct slice text, uint8_t *out);

#endif
