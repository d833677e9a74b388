/* SipHash-2-4 as its paper has it: four words of state, two rounds for each word of the text, four
 * at the end. Words are little-endian whatever the machine is. */
#include "scout/base/siphash.h"

struct state {
    uint64_t v[4];
};

static uint64_t rotl(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static uint64_t word_at(const uint8_t *at, size_t len)
{
    uint64_t word = 0;
    for (size_t i = 0; i < len; i++)
        word |= (uint64_t)at[i] << (8 * i);
    return word;
}

static void rounds(struct state *s, int count)
{
    uint64_t *v = s->v;
    while (count-- > 0) {
        v[0] += v[1], v[1] = rotl(v[1], 13) ^ v[0], v[0] = rotl(v[0], 32);
        v[2] += v[3], v[3] = rotl(v[3], 16) ^ v[2];
        v[0] += v[3], v[3] = rotl(v[3], 21) ^ v[0];
        v[2] += v[1], v[1] = rotl(v[1], 17) ^ v[2], v[2] = rotl(v[2], 32);
    }
}

static void take(struct state *s, uint64_t word)
{
    s->v[3] ^= word;
    rounds(s, 2);
    s->v[0] ^= word;
}

uint64_t siphash(const uint8_t key[SIPHASH_KEY_SIZE], struct slice text)
{
    uint64_t k0 = word_at(key, 8), k1 = word_at(key + 8, 8);
    struct state s = {{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
                       k1 ^ 0x7465646279746573}};
    uint64_t last = (uint64_t)text.len << 56;
    for (; text.len >= 8; text = slice_skip(text, 8))
        take(&s, word_at(text.data, 8));
    take(&s, last | word_at(text.data, text.len));
    s.v[2] ^= 0xff;
    rounds(&s, 4);
    return s.v[0] ^ s.v[1] ^ s.v[2] ^ s.v[3];
}
