/* A table of ranges, in order. Of the default-ignorable code points of Unicode 15 it has those that
 * could carry text which nobody sees, or make one text look like another. */
#include "scout/base/hidden.h"

static const struct {
    uint32_t first, last;
    enum hidden_kind kind;
} ranges[] = {
    {0x0000, 0x001F, HIDDEN_CONTROL},     {0x007F, 0x009F, HIDDEN_CONTROL},
    {0x00AD, 0x00AD, HIDDEN_INVISIBLE},   {0x034F, 0x034F, HIDDEN_INVISIBLE},
    {0x061C, 0x061C, HIDDEN_BIDI},        {0x115F, 0x1160, HIDDEN_INVISIBLE},
    {0x17B4, 0x17B5, HIDDEN_INVISIBLE},   {0x180B, 0x180F, HIDDEN_INVISIBLE},
    {0x200B, 0x200B, HIDDEN_INVISIBLE},   {0x200C, 0x200D, HIDDEN_JOINER},
    {0x200E, 0x200F, HIDDEN_BIDI},        {0x2028, 0x2029, HIDDEN_INVISIBLE},
    {0x202A, 0x202E, HIDDEN_BIDI},        {0x2060, 0x2065, HIDDEN_INVISIBLE},
    {0x2066, 0x2069, HIDDEN_BIDI},        {0x206A, 0x206F, HIDDEN_INVISIBLE},
    {0x3164, 0x3164, HIDDEN_INVISIBLE},   {0xFE00, 0xFE0F, HIDDEN_SELECTOR},
    {0xFEFF, 0xFEFF, HIDDEN_INVISIBLE},   {0xFFA0, 0xFFA0, HIDDEN_INVISIBLE},
    {0xFFF0, 0xFFFB, HIDDEN_INVISIBLE},   {0x1BCA0, 0x1BCA3, HIDDEN_INVISIBLE},
    {0x1D173, 0x1D17A, HIDDEN_INVISIBLE}, {0xE0000, 0xE0FFF, HIDDEN_INVISIBLE},
};

enum hidden_kind hidden_kind(uint32_t code)
{
    size_t low = 0, high = sizeof ranges / sizeof ranges[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (code > ranges[middle].last)
            low = middle + 1;
        else if (code < ranges[middle].first)
            high = middle;
        else
            return ranges[middle].kind;
    }
    return HIDDEN_NOT;
}

uint32_t hidden_decode(const uint8_t *at, size_t len)
{
    static const uint8_t masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t code = at[0] & masks[len];
    for (size_t i = 1; i < len; i++)
        code = code << 6 | (at[i] & 0x3F);
    return code;
}
