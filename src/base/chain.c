/* One spelling of a head and no other, so that a record has exactly one form. */
#include "scout/base/chain.h"

static const char begin[] = "{\"seq\":", middle[] = ",\"prev\":\"", end[] = "\",";

#define LIT_LEN(text) (sizeof(text) - 1)

static size_t put(uint8_t *out, size_t at, const char *text, size_t len)
{
    memcpy(out + at, text, len);
    return at + len;
}

size_t chain_head_write(uint64_t seq, const char *prev, uint8_t *out)
{
    char digits[20];
    size_t first = sizeof digits;
    do
        digits[--first] = (char)('0' + seq % 10);
    while ((seq /= 10) > 0);
    size_t len = put(out, 0, begin, LIT_LEN(begin));
    len = put(out, len, digits + first, sizeof digits - first);
    len = put(out, len, middle, LIT_LEN(middle));
    len = put(out, len, prev, CHAIN_HEX_LEN);
    return put(out, len, end, LIT_LEN(end));
}

static bool take(struct slice *rest, const char *text, size_t len)
{
    if (rest->len < len || memcmp(rest->data, text, len) != 0)
        return false;
    *rest = slice_skip(*rest, len);
    return true;
}

static bool take_number(struct slice *rest, uint64_t *out)
{
    size_t len = 0;
    uint64_t number = 0;
    for (; len < rest->len && len < 19 && rest->data[len] >= '0' && rest->data[len] <= '9'; len++)
        number = number * 10 + (uint64_t)(rest->data[len] - '0');
    if (len == 0 || rest->data[0] == '0')
        return false;
    *rest = slice_skip(*rest, len);
    *out = number;
    return true;
}

static bool take_hex(struct slice *rest, struct slice *out)
{
    if (rest->len < CHAIN_HEX_LEN)
        return false;
    for (size_t i = 0; i < CHAIN_HEX_LEN; i++) {
        uint8_t c = rest->data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    *out = slice_of(rest->data, CHAIN_HEX_LEN);
    *rest = slice_skip(*rest, CHAIN_HEX_LEN);
    return true;
}

bool chain_head_read(struct slice line, struct chain_head *out)
{
    struct slice rest = line;
    struct chain_head head;
    if (!take(&rest, begin, LIT_LEN(begin)) || !take_number(&rest, &head.seq) ||
        !take(&rest, middle, LIT_LEN(middle)) || !take_hex(&rest, &head.prev) ||
        !take(&rest, end, LIT_LEN(end)))
        return false;
    head.len = line.len - rest.len;
    *out = head;
    return true;
}

void chain_hex(const uint8_t *hash, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < CHAIN_HEX_LEN / 2; i++) {
        out[2 * i] = digits[hash[i] >> 4];
        out[2 * i + 1] = digits[hash[i] & 15];
    }
    out[CHAIN_HEX_LEN] = '\0';
}
