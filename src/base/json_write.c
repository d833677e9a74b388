/* JSON straight into a buffer: no tree, no allocation but the buffer's.
 *
 * The writer knows only what commas need: how deep it is, and for each depth whether something was
 * written there. The first error sticks and turns all later calls into nothing, so that a caller
 * writes a whole value and asks once, at the end. Wrong nesting is our own mistake and asserts;
 * depth over the limit can come from a peer's data and is an error. */
#include "scout/base/json_write.h"

#include "scout/base/error.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void json_writer_init(struct json_writer *w, struct buf *out)
{
    *w = (struct json_writer){.out = out};
}

int json_writer_end(struct json_writer *w)
{
    if (!w->error)
        assert(w->depth == 0 && !w->after_key);
    return w->error;
}

static void put(struct json_writer *w, const void *bytes, size_t len)
{
    if (!w->error)
        w->error = buf_append(w->out, slice_of(bytes, len));
}

/* The comma, where one is due. */
static void before_item(struct json_writer *w)
{
    if (w->depth == 0)
        return;
    uint64_t bit = 1ULL << (w->depth - 1);
    if (w->has_member & bit)
        put(w, ",", 1);
    w->has_member |= bit;
}

static void before_value(struct json_writer *w)
{
    if (w->after_key)
        w->after_key = false;
    else
        before_item(w);
}

static void container_begin(struct json_writer *w, const char *bracket)
{
    if (w->error)
        return;
    before_value(w);
    if (w->depth == JSON_DEPTH_MAX) {
        w->error = SCOUT_E_LIMIT;
        return;
    }
    w->depth++;
    w->has_member &= ~(1ULL << (w->depth - 1));
    put(w, bracket, 1);
}

static void container_end(struct json_writer *w, const char *bracket)
{
    if (w->error)
        return;
    assert(w->depth > 0 && !w->after_key);
    w->depth--;
    put(w, bracket, 1);
}

void json_object_begin(struct json_writer *w)
{
    container_begin(w, "{");
}

void json_object_end(struct json_writer *w)
{
    container_end(w, "}");
}

void json_array_begin(struct json_writer *w)
{
    container_begin(w, "[");
}

void json_array_end(struct json_writer *w)
{
    container_end(w, "]");
}

static void quoted(struct json_writer *w, struct slice text)
{
    put(w, "\"", 1);
    if (!w->error)
        w->error = json_escape(w->out, text);
    put(w, "\"", 1);
}

void json_key(struct json_writer *w, const char *key)
{
    if (w->error)
        return;
    assert(w->depth > 0 && !w->after_key);
    before_item(w);
    quoted(w, slice_str(key));
    put(w, ":", 1);
    w->after_key = true;
}

void json_raw_key(struct json_writer *w, struct slice key)
{
    if (w->error)
        return;
    assert(w->depth > 0 && !w->after_key);
    before_item(w);
    put(w, key.data, key.len);
    put(w, ":", 1);
    w->after_key = true;
}

void json_text(struct json_writer *w, struct slice text)
{
    before_value(w);
    quoted(w, text);
}

void json_str(struct json_writer *w, const char *text)
{
    json_text(w, slice_str(text));
}

void json_text_again(struct json_writer *w, size_t from, size_t len)
{
    before_value(w);
    put(w, "\"", 1);
    if (w->error)
        return;
    assert(from + len <= buf_len(w->out));
    uint8_t *to = buf_room(w->out) < len ? NULL : buf_reserve(w->out, len);
    if (to) {
        memcpy(to, buf_peek(w->out).data + from, len);
        buf_commit(w->out, len);
    } else {
        w->error = buf_room(w->out) < len ? SCOUT_E_LIMIT : SCOUT_E_NOMEM;
    }
    put(w, "\"", 1);
}

void json_text_begin(struct json_writer *w, struct json_text_parts *p)
{
    *p = (struct json_text_parts){.pending_len = 0};
    before_value(w);
    put(w, "\"", 1);
}

static void put_decimal(struct json_writer *w, uint64_t number, bool negative)
{
    char digits[21];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    if (negative)
        digits[--at] = '-';
    before_value(w);
    put(w, digits + at, sizeof digits - at);
}

void json_int(struct json_writer *w, int64_t number)
{
    put_decimal(w, number < 0 ? 0 - (uint64_t)number : (uint64_t)number, number < 0);
}

void json_uint(struct json_writer *w, uint64_t number)
{
    put_decimal(w, number, false);
}

/* The shortest of 15 to 17 digits that reads back as the same number. */
void json_double(struct json_writer *w, double number)
{
    char text[40];
    int len = 0;
    if (!isfinite(number)) {
        json_null(w);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        len = snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    for (int i = 0; i < len; i++) /* a locale's decimal point */
        if (!strchr("0123456789+-e.", text[i]))
            text[i] = '.';
    before_value(w);
    put(w, text, (size_t)len);
}

void json_bool(struct json_writer *w, bool value)
{
    before_value(w);
    put(w, value ? "true" : "false", value ? 4 : 5);
}

void json_null(struct json_writer *w)
{
    before_value(w);
    put(w, "null", 4);
}

/* No line break goes out; raw text has some only between its tokens, if any. */
static void put_raw(struct json_writer *w, struct slice raw)
{
    if (raw.len == 0)
        return;
    if (!memchr(raw.data, '\n', raw.len) && !memchr(raw.data, '\r', raw.len)) {
        put(w, raw.data, raw.len);
        return;
    }
    while (raw.len > 0) {
        size_t len = 0;
        while (len < raw.len && raw.data[len] != '\n' && raw.data[len] != '\r')
            len++;
        put(w, raw.data, len);
        if (len < raw.len)
            put(w, " ", 1), len++;
        raw = slice_skip(raw, len);
    }
}

void json_raw(struct json_writer *w, struct slice raw)
{
    before_value(w);
    put_raw(w, raw);
}

void json_members(struct json_writer *w, struct slice object)
{
    if (w->error)
        return;
    assert(w->depth > 0 && !w->after_key && object.len >= 2);
    struct slice inside = slice_of(object.data + 1, object.len - 2);
    if (inside.len == 0)
        return;
    before_item(w);
    put_raw(w, inside);
}
