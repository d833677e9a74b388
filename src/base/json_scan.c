/* The inner loops over JSON strings: finding the next byte that needs attention, and decoding.
 *
 * json_plain_len is what makes large texts cheap to check, to skip and to escape: sixteen bytes a
 * step. One signed comparison finds control characters and bytes from 0x80 on together (as signed
 * numbers both are less than a blank). SSE2 belongs to every x86-64, so there is no choice to make
 * while running; elsewhere the portable loop stands in, with the same result.
 *
 * The decoder yields UTF-8. A pair of surrogate escapes becomes one character of four bytes; a lone
 * one, which only text has that did not pass json_check, becomes U+FFFD. */
#include "json_scan.h"

#include "scout/base/utf8.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static bool is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

size_t json_plain_len_portable(struct slice text)
{
    size_t len = 0;
    while (len < text.len && is_plain(text.data[len]))
        len++;
    return len;
}

static size_t copy_plain_portable(uint8_t *to, struct slice from, size_t most)
{
    size_t len = 0;
    for (; len < most && len < from.len && is_plain(from.data[len]); len++)
        to[len] = from.data[len];
    return len;
}

#ifdef __SSE2__
static __m128i load(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

/* A bit for each of the sixteen bytes that is not plain. */
static unsigned specials(__m128i bytes)
{
    const __m128i blank = _mm_set1_epi8(0x20), quote = _mm_set1_epi8('"'),
                  backslash = _mm_set1_epi8('\\');
    __m128i special =
        _mm_or_si128(_mm_cmplt_epi8(bytes, blank),
                     _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
    return (unsigned)_mm_movemask_epi8(special);
}

size_t json_plain_len(struct slice text)
{
    size_t len = 0;
    for (; text.len - len >= 16; len += 16) {
        unsigned mask = specials(load(text.data + len));
        if (mask)
            return len + (size_t)__builtin_ctz(mask);
    }
    return len + json_plain_len_portable(slice_skip(text, len));
}

size_t json_copy_plain(uint8_t *to, struct slice from, size_t most)
{
    size_t len = 0;
    for (; len < most && from.len - len >= 16; len += 16) {
        __m128i bytes = load(from.data + len);
        unsigned mask = specials(bytes);
        _mm_storeu_si128((__m128i *)(void *)(to + len), bytes);
        if (mask)
            return len + (size_t)__builtin_ctz(mask);
    }
    if (len >= most)
        return len;
    return len + copy_plain_portable(to + len, slice_skip(from, len), most - len);
}
#else
size_t json_plain_len(struct slice text)
{
    return json_plain_len_portable(text);
}

size_t json_copy_plain(uint8_t *to, struct slice from, size_t most)
{
    return copy_plain_portable(to, from, most);
}
#endif

static bool is_tail(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Two bytes, and three where any second byte is right, are most of what is written in the world;
 * the leads with rules of their own are left to utf8_char_len. */
size_t json_wide_len(struct slice text)
{
    const uint8_t *at = text.data, *end = text.data + text.len;
    while (at < end && *at >= 0x80) {
        if (end - at >= 2 && *at >= 0xC2 && *at < 0xE0 && is_tail(at[1])) {
            at += 2;
        } else if (end - at >= 3 && *at > 0xE0 && *at < 0xF0 && *at != 0xED && is_tail(at[1]) &&
                   is_tail(at[2])) {
            at += 3;
        } else {
            size_t len = utf8_char_len(slice_of(at, (size_t)(end - at)));
            if (len == 0)
                break;
            at += len;
        }
    }
    return (size_t)(at - text.data);
}

void json_decoder_init(struct json_decoder *d, struct slice content)
{
    *d = (struct json_decoder){.at = content.data, .end = content.data + content.len};
}

int32_t json_hex4(const uint8_t *at)
{
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        uint8_t c = at[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static uint8_t encode_utf8(uint32_t code, uint8_t out[4])
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    uint8_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (uint8_t i = (uint8_t)(len - 1); i > 0; i--, code >>= 6)
        out[i] = (uint8_t)(0x80 | (code & 0x3F));
    out[0] = (uint8_t)(lead[len] | code);
    return len;
}

/* `at` is behind the backslash and the u; moves behind the escape and fills `pending`. */
static void decode_unicode(struct json_decoder *d)
{
    uint32_t code = (uint32_t)json_hex4(d->at);
    d->at += 4;
    if (code >= 0xD800 && code < 0xE000) {
        bool escape = code < 0xDC00 && d->end - d->at >= 6 && d->at[0] == '\\' && d->at[1] == 'u';
        int32_t low = escape ? json_hex4(d->at + 2) : 0;
        bool paired = low >= 0xDC00 && low < 0xE000;
        code = paired ? 0x10000 + ((code - 0xD800) << 10) + ((uint32_t)low - 0xDC00) : 0xFFFD;
        d->at += paired ? 6 : 0;
    }
    d->pending_len = encode_utf8(code, d->pending);
    d->pending_at = 1;
}

int json_decoder_next(struct json_decoder *d)
{
    if (d->pending_at < d->pending_len)
        return d->pending[d->pending_at++];
    if (d->at == d->end)
        return -1;
    uint8_t byte = *d->at++;
    if (byte != '\\')
        return byte;
    switch (byte = *d->at++) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'u':
        decode_unicode(d);
        return d->pending[0];
    default:
        return byte; /* a quote, a backslash or a slash */
    }
}
