/* Private to base: the pieces that checking, walking, decoding and escaping have in common. */
#ifndef SCOUT_BASE_JSON_SCAN_H
#define SCOUT_BASE_JSON_SCAN_H

#include "scout/base/slice.h"

/* How many bytes at the start of `text` are ASCII that stands for itself inside a JSON string: no
 * control character, quote or backslash. Both forms give the same; the first uses SSE2. */
size_t json_plain_len(struct slice text);
size_t json_plain_len_portable(struct slice text);

/* Copies bytes that json_plain_len would count, `most` of them or a few more, and returns how many.
 * It may write JSON_COPY_SLACK bytes behind the last. */
#define JSON_COPY_SLACK 16
size_t json_copy_plain(uint8_t *to, struct slice from, size_t most);

/* How many bytes at the start of `text` are whole characters from U+0080 on (RFC 3629). */
size_t json_wide_len(struct slice text);

/* Gives the bytes that the inside of a raw string stands for, one by one. The string passed
 * json_check (or at least its escapes did). */
struct json_decoder {
    const uint8_t *at, *end;
    uint8_t pending[4]; /* of a character that was escaped */
    uint8_t pending_len, pending_at;
};

void json_decoder_init(struct json_decoder *d, struct slice content);

/* The next byte, or -1 after the last. */
int json_decoder_next(struct json_decoder *d);

/* The four hex digits at `at` as a number, or -1 when one of them is none. */
int32_t json_hex4(const uint8_t *at);

static inline bool json_is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

static inline const uint8_t *json_skip_space(const uint8_t *at, const uint8_t *end)
{
    while (at < end && json_is_space(*at))
        at++;
    return at;
}

#endif
