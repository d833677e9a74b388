/* Raw slices out of a checked text: walking a container, finding a member, decoding a string.
 *
 * Nothing is parsed twice into something else: an id or a token stays the bytes that the peer
 * wrote. Values are skipped by counting brackets outside strings, without recursion; that is right
 * only for texts that passed json_check, which is the contract. No read ever goes past the end of
 * the slice for such texts. */
#include "json_scan.h"
#include "scout/base/error.h"
#include "scout/base/json.h"

/* `at` is at the opening quote; returns the place behind the closing one, which is the first that
 * has an even number of backslashes before it. */
static const uint8_t *skip_string(const uint8_t *at, const uint8_t *end)
{
    for (at++; at < end && (at = memchr(at, '"', (size_t)(end - at))); at++) {
        size_t slashes = 0;
        while (at[-1 - (ptrdiff_t)slashes] == '\\')
            slashes++;
        if (slashes % 2 == 0)
            return at + 1;
    }
    return end;
}

static const uint8_t *skip_container(const uint8_t *at, const uint8_t *end)
{
    size_t depth = 0;
    while (at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if ((*at == '}' || *at == ']') && --depth == 0)
            return at + 1;
        at++;
    }
    return end;
}

static const uint8_t *skip_value(const uint8_t *at, const uint8_t *end)
{
    if (*at == '"')
        return skip_string(at, end);
    if (*at == '{' || *at == '[')
        return skip_container(at, end);
    while (at < end && *at != ',' && *at != ']' && *at != '}' && !json_is_space(*at))
        at++;
    return at;
}

enum json_type json_type(struct slice raw)
{
    if (raw.len == 0)
        return JSON_NONE;
    const uint8_t *end = raw.data + raw.len, *at = json_skip_space(raw.data, end);
    if (at == end)
        return JSON_NONE;
    switch (*at) {
    case 'n':
        return JSON_NULL;
    case 'f':
        return JSON_FALSE;
    case 't':
        return JSON_TRUE;
    case '"':
        return JSON_STRING;
    case '[':
        return JSON_ARRAY;
    case '{':
        return JSON_OBJECT;
    default:
        return JSON_NUMBER;
    }
}

void json_walk_begin(struct json_walk *w, struct slice container)
{
    if (container.len == 0)
        container = slice_str("");
    w->end = container.data + container.len;
    w->at = json_skip_space(container.data, w->end);
    w->object = w->at < w->end && *w->at == '{';
    if (w->object || (w->at < w->end && *w->at == '['))
        w->at++;
    else
        w->at = w->end;
}

bool json_walk_next(struct json_walk *w, struct slice *key, struct slice *value)
{
    w->at = json_skip_space(w->at, w->end);
    if (w->at < w->end && *w->at == ',')
        w->at = json_skip_space(w->at + 1, w->end);
    if (w->at == w->end || *w->at == '}' || *w->at == ']') {
        w->at = w->end;
        return false;
    }
    *key = slice_of(w->at, 0);
    if (w->object) {
        const uint8_t *start = w->at;
        w->at = skip_string(w->at, w->end);
        *key = slice_of(start, (size_t)(w->at - start));
        w->at = json_skip_space(w->at, w->end) + 1; /* the colon */
        w->at = json_skip_space(w->at, w->end);
    }
    const uint8_t *start = w->at;
    w->at = skip_value(w->at, w->end);
    *value = slice_of(start, (size_t)(w->at - start));
    return true;
}

struct slice json_member(struct slice object, const char *name)
{
    struct json_walk w;
    struct slice key, value;
    json_walk_begin(&w, object);
    if (!w.object)
        return slice_of(NULL, 0);
    while (json_walk_next(&w, &key, &value))
        if (json_string_is(key, name))
            return value;
    return slice_of(NULL, 0);
}

static bool is_string(struct slice raw)
{
    return raw.len >= 2 && raw.data[0] == '"';
}

bool json_string_is(struct slice raw, const char *text)
{
    if (!is_string(raw))
        return false;
    struct slice content = slice_of(raw.data + 1, raw.len - 2);
    if (!memchr(content.data, '\\', content.len))
        return slice_is(content, text);
    struct json_decoder d;
    json_decoder_init(&d, content);
    for (;; text++) {
        int byte = json_decoder_next(&d);
        if (byte < 0)
            return *text == '\0';
        if (byte == '\0' || byte != (uint8_t)*text)
            return false;
    }
}

/* Runs up to the next escape are copied as they are. `out` has room for one byte at least. */
static int decode(struct slice content, char *out, size_t size)
{
    struct json_decoder d;
    size_t len = 0;
    json_decoder_init(&d, content);
    for (;;) {
        const uint8_t *slash = memchr(d.at, '\\', (size_t)(d.end - d.at));
        size_t run = (size_t)((slash ? slash : d.end) - d.at);
        if (run >= size - len || len + run >= INT32_MAX)
            return SCOUT_E_LIMIT;
        memcpy(out + len, d.at, run);
        len += run;
        d.at += run;
        if (!slash)
            break;
        do {
            out[len++] = (char)json_decoder_next(&d);
            if (len >= size)
                return SCOUT_E_LIMIT;
        } while (d.pending_at < d.pending_len);
    }
    out[len] = '\0';
    return (int)len;
}

int json_string(struct slice raw, char *out, size_t size)
{
    if (!is_string(raw) || size == 0)
        return SCOUT_E_LIMIT;
    return decode(slice_of(raw.data + 1, raw.len - 2), out, size);
}
