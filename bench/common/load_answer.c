/* How the load client tells a right answer from a wrong one.
 *
 * It looks for `"structuredContent":` and, behind it, for `"text":"`. Neither can stand inside a
 * JSON string: the quotes would be escaped there. What follows is compared with the expected text
 * in its escaped form at once; only when that fails is it decoded character by character, because a
 * server may spell an escape differently. Anything else is a wrong answer. */
#include "load_answer.h"

#include <stdio.h>

#define ID_NEAR 96 /* where an id normally stands: at the line's start or end */

static const uint8_t *find(struct slice in, const char *what)
{
    return memmem(in.data, in.len, what, strlen(what));
}

static int64_t id_at(struct slice line, const uint8_t *at)
{
    int64_t id = 0;
    const uint8_t *end = line.data + line.len, *first = at;
    while (at < end && *at >= '0' && *at <= '9' && at - first < 18)
        id = id * 10 + (*at++ - '0');
    return at > first && at < end && (*at == ',' || *at == '}') ? id : -1;
}

int64_t load_answer_id(struct slice line)
{
    static const char key[] = "\"id\":";
    struct slice head = slice_of(line.data, line.len < ID_NEAR ? line.len : ID_NEAR);
    const uint8_t *at = find(head, key);
    if (!at)
        at = find(slice_skip(line, line.len - head.len), key);
    return at ? id_at(line, at + sizeof key - 1) : -1;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes a \uXXXX below U+0800 or in the basic plane at `in` (behind the u) to UTF-8. Surrogate
 * pairs do not occur in benchmark texts. Returns the length, 0 for anything else. */
static size_t decode_unicode(const uint8_t *in, const uint8_t *end, uint8_t *out)
{
    unsigned c = 0;
    if (end - in < 4)
        return 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(in[i]);
        if (digit < 0)
            return 0;
        c = c << 4 | (unsigned)digit;
    }
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xC0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3F));
        return 2;
    }
    out[0] = (uint8_t)(0xE0 | c >> 12);
    out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    out[2] = (uint8_t)(0x80 | (c & 0x3F));
    return 3;
}

/* The unit of a JSON string at `*in`: its bytes into `out`. Returns their count, 0 when ill-formed
 * or at the string's end. */
static size_t decode_unit(const uint8_t **in, const uint8_t *end, uint8_t *out)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const uint8_t *at = *in;
    if (at == end || *at == '"')
        return 0;
    if (*at != '\\') {
        out[0] = *at;
        *in = at + 1;
        return 1;
    }
    if (end - at < 2)
        return 0;
    if (at[1] == 'u') {
        *in = at + 6;
        return decode_unicode(at + 2, end, out);
    }
    const char *name = at[1] ? strchr(names, at[1]) : NULL;
    if (!name)
        return 0;
    out[0] = (uint8_t)values[name - names];
    *in = at + 2;
    return 1;
}

static bool decodes_to(const uint8_t *at, const uint8_t *end, struct slice plain)
{
    size_t matched = 0;
    while (at < end && *at != '"') {
        uint8_t unit[4];
        size_t len = decode_unit(&at, end, unit);
        if (len == 0 || len > plain.len - matched || memcmp(plain.data + matched, unit, len) != 0)
            return false;
        matched += len;
    }
    return at < end && matched == plain.len;
}

bool load_answer_is(struct slice line, struct slice plain, struct slice escaped)
{
    static const char key[] = "\"text\":\"";
    const uint8_t *end = line.data + line.len;
    const uint8_t *at = find(line, "\"structuredContent\":");
    if (!at)
        return false;
    at = find(slice_of(at, (size_t)(end - at)), key);
    if (!at)
        return false;
    at += sizeof key - 1;
    if ((size_t)(end - at) > escaped.len && memcmp(at, escaped.data, escaped.len) == 0 &&
        at[escaped.len] == '"')
        return true;
    return decodes_to(at, end, plain);
}

size_t load_escape(struct slice plain, uint8_t *out)
{
    static const char names[] = "\"\\bfnrt", values[] = "\"\\\b\f\n\r\t";
    size_t len = 0;
    for (size_t i = 0; i < plain.len; i++) {
        uint8_t c = plain.data[i];
        const char *value = c ? strchr(values, c) : NULL;
        if (value) {
            out[len++] = '\\';
            out[len++] = (uint8_t)names[value - values];
        } else if (c < 0x20) {
            len += (size_t)snprintf((char *)out + len, 7, "\\u%04x", c);
        } else {
            out[len++] = c;
        }
    }
    return len;
}
