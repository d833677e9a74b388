/* Blowfish (Schneier 1993) as bcrypt uses it (Provos and Mazieres 1999): 16 rounds, and a key
 * schedule that can be run again and again over its own result.
 *
 * The initial tables are the hexadecimal digits of pi's fraction, 32 bits a word, first P, then the
 * four S. They are computed, since pi is shorter to write than its digits: Machin's formula,
 *
 *   pi = 16 atan(1/5) - 4 atan(1/239),  atan(1/x) = sum over k of (-1)^k / ((2k + 1) x^(2k + 1))
 *
 * in whole numbers. The series is summed by halves (binary splitting), each half as one fraction
 * t / (d q) with d the product of the 2k + 1 and q the power of x, so that there are few
 * operations, on long numbers, and one division at the end: some 20 ms in all. */
#include "bcrypt_blowfish.h"

#include "scout/base/error.h"
#include <openssl/bn.h>
#include <stdbool.h>

#define WORD_COUNT (BLOWFISH_P_COUNT + 4 * BLOWFISH_S_COUNT)
#define PI_BITS    (32 * WORD_COUNT)
#define GUARD_BITS 64
#define SCALE_BITS (PI_BITS + GUARD_BITS)

struct fraction {
    BIGNUM *t, *d, *q;
};

static bool fraction_init(struct fraction *f, BN_CTX *ctx)
{
    f->t = BN_CTX_get(ctx);
    f->d = BN_CTX_get(ctx);
    f->q = BN_CTX_get(ctx);
    return f->q != NULL;
}

/* The terms from..to of x atan(1/x), without the first one's sign and power. */
static bool sum_terms(struct fraction *f, BN_ULONG x, unsigned from, unsigned to, BN_CTX *ctx)
{
    struct fraction low, high;
    if (to - from == 1)
        return BN_set_word(f->t, x * x) && BN_set_word(f->d, 2 * from + 1) &&
               BN_set_word(f->q, x * x);
    unsigned middle = from + (to - from) / 2;
    bool odd = (middle - from) % 2;
    BN_CTX_start(ctx);
    bool good = fraction_init(&low, ctx) && fraction_init(&high, ctx) &&
                sum_terms(&low, x, from, middle, ctx) && sum_terms(&high, x, middle, to, ctx) &&
                BN_mul(f->d, low.d, high.d, ctx) && BN_mul(f->q, low.q, high.q, ctx) &&
                BN_mul(f->t, low.t, high.d, ctx) && BN_mul(low.t, f->t, high.q, ctx) &&
                BN_mul(high.q, high.t, low.d, ctx) &&
                (odd ? BN_sub(f->t, low.t, high.q) : BN_add(f->t, low.t, high.q));
    BN_CTX_end(ctx);
    return good;
}

/* out = atan(1/x) in units of 2^-SCALE_BITS. Each term brings at least `term_bits`. */
static bool scaled_atan(BIGNUM *out, BN_ULONG x, unsigned term_bits, BN_CTX *ctx)
{
    struct fraction f;
    BN_CTX_start(ctx);
    bool good = fraction_init(&f, ctx) && sum_terms(&f, x, 0, SCALE_BITS / term_bits + 1, ctx) &&
                BN_mul(f.d, f.d, f.q, ctx) && BN_mul_word(f.d, x) &&
                BN_lshift(f.t, f.t, SCALE_BITS) && BN_div(out, NULL, f.t, f.d, ctx);
    BN_CTX_end(ctx);
    return good;
}

static bool pi_digits(uint8_t bytes[4 * WORD_COUNT])
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *pi = BN_new(), *less = BN_new();
    bool good = ctx && pi && less && scaled_atan(pi, 5, 4, ctx) &&
                scaled_atan(less, 239, 15, ctx) && BN_mul_word(pi, 16) && BN_mul_word(less, 4) &&
                BN_sub(pi, pi, less) && BN_rshift(pi, pi, GUARD_BITS) &&
                BN_mask_bits(pi, PI_BITS) &&
                BN_bn2binpad(pi, bytes, 4 * WORD_COUNT) == 4 * WORD_COUNT;
    BN_free(less);
    BN_free(pi);
    BN_CTX_free(ctx);
    return good;
}

static uint32_t load_word(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

int blowfish_init(struct blowfish *b)
{
    uint8_t bytes[4 * WORD_COUNT];
    if (!pi_digits(bytes))
        return SCOUT_E_NOMEM;
    for (int i = 0; i < BLOWFISH_P_COUNT; i++)
        b->p[i] = load_word(bytes + 4 * i);
    for (int i = 0; i < 4 * BLOWFISH_S_COUNT; i++)
        b->s[i / BLOWFISH_S_COUNT][i % BLOWFISH_S_COUNT] =
            load_word(bytes + 4 * (BLOWFISH_P_COUNT + i));
    return 0;
}

static uint32_t feistel(const struct blowfish *b, uint32_t x)
{
    return ((b->s[0][x >> 24] + b->s[1][x >> 16 & 0xff]) ^ b->s[2][x >> 8 & 0xff]) +
           b->s[3][x & 0xff];
}

void blowfish_encrypt(const struct blowfish *b, uint32_t block[2])
{
    uint32_t left = block[0] ^ b->p[0], right = block[1];
    for (int i = 1; i < 17; i += 2) {
        right ^= feistel(b, left) ^ b->p[i];
        left ^= feistel(b, right) ^ b->p[i + 1];
    }
    block[0] = right ^ b->p[17];
    block[1] = left;
}

static void mix_key(struct blowfish *b, const uint8_t *key)
{
    for (int i = 0; i < BLOWFISH_P_COUNT; i++)
        b->p[i] ^= load_word(key + 4 * i % BLOWFISH_KEY_LEN);
}

/* Replaces all tables by a running encryption, of the salt's halves in turn where there is one. */
static void replace_tables(struct blowfish *b, const uint32_t *salt)
{
    uint32_t block[2] = {0, 0};
    uint32_t at = 0;
    for (int i = 0; i < WORD_COUNT; i += 2) {
        if (salt) {
            block[0] ^= salt[at];
            block[1] ^= salt[at + 1];
            at = (at + 2) % (BLOWFISH_KEY_LEN / 4);
        }
        blowfish_encrypt(b, block);
        uint32_t *to = i < BLOWFISH_P_COUNT ? b->p + i
                                            : b->s[(i - BLOWFISH_P_COUNT) / BLOWFISH_S_COUNT] +
                                                  (i - BLOWFISH_P_COUNT) % BLOWFISH_S_COUNT;
        to[0] = block[0];
        to[1] = block[1];
    }
}

void blowfish_expand_salted(struct blowfish *b, const uint8_t salt[BLOWFISH_KEY_LEN],
                            const uint8_t key[BLOWFISH_KEY_LEN])
{
    uint32_t words[BLOWFISH_KEY_LEN / 4];
    for (int i = 0; i < BLOWFISH_KEY_LEN / 4; i++)
        words[i] = load_word(salt + 4 * i);
    mix_key(b, key);
    replace_tables(b, words);
}

void blowfish_expand(struct blowfish *b, const uint8_t key[BLOWFISH_KEY_LEN])
{
    mix_key(b, key);
    replace_tables(b, NULL);
}
