/* A strict base64 decoder: one text for one value. Leniency here would let two spellings of a key
 * differ for us and be equal for others. Not in
 * constant time: the private keys that pass through are read from a file of the same user. */
#include "scout/base/base64.h"

#define BAD 0xFF

static uint8_t value_of(uint8_t c, const char last[2])
{
    if (c >= 'A' && c <= 'Z')
        return (uint8_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint8_t)(c - 'a' + 26);
    if (c >= '0' && c <= '9')
        return (uint8_t)(c - '0' + 52);
    return c == last[0] ? 62 : c == last[1] ? 63 : BAD;
}

/* All of `digits`, of which the last group may have 2 or 3. */
static int64_t decode(struct slice digits, const char last[2], uint8_t *out)
{
    uint8_t *at = out;
    uint32_t bits = 0;
    for (size_t i = 0; i < digits.len; i++) {
        uint8_t value = value_of(digits.data[i], last);
        if (value == BAD)
            return -1;
        bits = bits << 6 | value;
        if (i % 4 == 3) {
            *at++ = (uint8_t)(bits >> 16);
            *at++ = (uint8_t)(bits >> 8);
            *at++ = (uint8_t)bits;
            bits = 0;
        }
    }
    if (digits.len % 4 == 1)
        return -1;
    if (digits.len % 4 == 3) {
        if (bits & 0x3)
            return -1;
        *at++ = (uint8_t)(bits >> 10);
        *at++ = (uint8_t)(bits >> 2);
    } else if (digits.len % 4 == 2) {
        if (bits & 0xF)
            return -1;
        *at++ = (uint8_t)(bits >> 4);
    }
    return at - out;
}

int64_t base64_decode(struct slice text, uint8_t *out)
{
    if (text.len % 4 != 0)
        return -1;
    size_t padding = 0;
    while (padding < 2 && padding < text.len && text.data[text.len - 1 - padding] == '=')
        padding++;
    return decode(slice_of(text.data, text.len - padding), "+/", out);
}

int64_t base64url_decode(struct slice text, uint8_t *out)
{
    return decode(text, "-_", out);
}
