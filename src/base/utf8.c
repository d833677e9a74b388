/* Well-formed UTF-8 by table 3-7 of the Unicode Standard: the second byte's range depends on the
 * first, all later bytes are 80..BF. */
#include "scout/base/utf8.h"

#define ASCII_STEP 64u /* bytes that are looked at together */
#define HIGH_BITS  0x8080808080808080ULL

struct lead {
    uint8_t len, second_min, second_max; /* len 0: no character begins so */
};

static struct lead lead_of(uint8_t byte)
{
    if (byte < 0x80)
        return (struct lead){1, 0, 0};
    if (byte < 0xC2 || byte > 0xF4)
        return (struct lead){0, 0, 0};
    if (byte < 0xE0)
        return (struct lead){2, 0x80, 0xBF};
    if (byte < 0xF0)
        return (struct lead){3, byte == 0xE0 ? 0xA0 : 0x80, byte == 0xED ? 0x9F : 0xBF};
    return (struct lead){4, byte == 0xF0 ? 0x90 : 0x80, byte == 0xF4 ? 0x8F : 0xBF};
}

/* How many bytes of the character that `text` begins with are there and right. */
static size_t good_len(struct slice text, struct lead lead)
{
    size_t i = 1;
    if (i < lead.len && i < text.len) {
        if (text.data[1] < lead.second_min || text.data[1] > lead.second_max)
            return 1;
        for (i = 2; i < lead.len && i < text.len && (text.data[i] & 0xC0) == 0x80; i++)
            ;
    }
    return i;
}

size_t utf8_char_len(struct slice text)
{
    if (text.len == 0)
        return 0;
    struct lead lead = lead_of(text.data[0]);
    return lead.len && good_len(text, lead) == lead.len ? lead.len : 0;
}

size_t utf8_bad_len(struct slice text)
{
    struct lead lead = lead_of(text.data[0]);
    return lead.len ? good_len(text, lead) : 1;
}

/* How many bytes that are ASCII begin `text`, in whole steps: most text is nothing else. */
static size_t ascii_len(struct slice text)
{
    size_t len = 0;
    for (; text.len - len >= ASCII_STEP; len += ASCII_STEP) {
        uint64_t words[ASCII_STEP / 8], all = 0;
        memcpy(words, text.data + len, ASCII_STEP);
        for (size_t i = 0; i < ASCII_STEP / 8; i++)
            all |= words[i];
        if (all & HIGH_BITS)
            break;
    }
    return len;
}

size_t utf8_valid_len(struct slice text)
{
    size_t pos = 0;
    while (pos < text.len) {
        if (text.len - pos >= 8) {
            uint64_t word;
            memcpy(&word, text.data + pos, 8);
            if ((word & HIGH_BITS) == 0) {
                pos += 8;
                pos += ascii_len(slice_skip(text, pos));
                continue;
            }
        }
        size_t len = utf8_char_len(slice_skip(text, pos));
        if (len == 0)
            break;
        pos += len;
    }
    return pos;
}
