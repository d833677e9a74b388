/* logfmt records in a capped buffer.
 *
 * A record is written whole or not at all: when the buffer's cap stops it half-way, what was
 * written of it is taken back and the record is counted as lost. A value of plain printable ASCII
 * is written as it is; any other is quoted, and inside quotes every byte that does not belong to a
 * visible character becomes \xNN. A value over LOG_VALUE_MAX bytes is cut and ends in "...". */
#include "scout/base/log.h"

#include "scout/base/error.h"
#include "scout/base/time.h"
#include "scout/base/utf8.h"
#include <stdio.h>

#define LOG_VALUE_MAX 1024 /* bytes of one value; the rest is cut and marked */

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void log_init(struct log *l, enum log_level level, size_t max)
{
    *l = (struct log){.level = level};
    buf_init(&l->out, max);
}

void log_fini(struct log *l)
{
    buf_fini(&l->out);
}

int log_level_parse(const char *name)
{
    for (int i = 0; i < 4; i++)
        if (strcmp(name, level_names[i]) == 0)
            return i;
    return -1;
}

static bool is_plain(struct slice value)
{
    if (value.len == 0)
        return false;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.data[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7F)
            return false;
    }
    return true;
}

/* The code point of a well-formed character of `len` bytes. */
static uint32_t code_point(const uint8_t *bytes, size_t len)
{
    static const uint8_t lead_mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t code = bytes[0] & lead_mask[len];
    for (size_t i = 1; i < len; i++)
        code = code << 6 | (bytes[i] & 0x3Fu);
    return code;
}

/* Characters that would end a line, drive a terminal, hide, or turn the text around them. */
static bool is_deceptive(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0) /* controls */
           || code == 0xAD || code == 0x61C             /* soft hyphen, Arabic letter mark */
           || (code >= 0x200B && code <= 0x200F)        /* zero width, direction marks */
           || (code >= 0x2028 && code <= 0x202E)        /* separators, direction overrides */
           || (code >= 0x2060 && code <= 0x206F)        /* invisible operators, isolates */
           || code == 0xFEFF || (code >= 0xE0000 && code <= 0xE007F);
}

/* The bytes of one character as \xNN each. */
static int append_hex(struct buf *out, struct slice bytes)
{
    int error = 0;
    for (size_t i = 0; i < bytes.len && !error; i++)
        error = buf_printf(out, "\\x%02x", bytes.data[i]);
    return error;
}

/* One character, or one byte that belongs to none. Returns how many bytes that were; a negative
 * error otherwise. */
static int append_quoted_char(struct buf *out, struct slice rest)
{
    size_t len = utf8_char_len(rest);
    struct slice one = slice_of(rest.data, len ? len : 1);
    int error;
    if (len == 0 || is_deceptive(code_point(one.data, len)))
        error = append_hex(out, one);
    else if (one.data[0] == '"' || one.data[0] == '\\')
        error = buf_printf(out, "\\%c", one.data[0]);
    else
        error = buf_append(out, one);
    return error ? error : (int)one.len;
}

/* A value in quotes. No value can end the line or drive a terminal. */
static int append_quoted(struct buf *out, struct slice value, const char *tail)
{
    int result = buf_append_str(out, "\"");
    while (value.len && result >= 0) {
        result = append_quoted_char(out, value);
        if (result > 0)
            value = slice_skip(value, (size_t)result);
    }
    if (result >= 0)
        result = buf_append_str(out, tail);
    return result < 0 ? result : buf_append_str(out, "\"");
}

static int append_value(struct buf *out, const char *text)
{
    struct slice value = slice_str(text);
    const char *tail = value.len > LOG_VALUE_MAX ? "..." : "";
    if (value.len > LOG_VALUE_MAX)
        value.len = LOG_VALUE_MAX;
    if (!is_plain(value))
        return append_quoted(out, value, tail);
    int error = buf_append(out, value);
    return error ? error : buf_append_str(out, tail);
}

/* The text of the records' time; most fall into the same millisecond as the one before. */
static const char *time_text(struct log *l, uint64_t now)
{
    if (now != l->time_ms || !l->time[0]) {
        l->time_ms = now;
        time_format(now, l->time);
    }
    return l->time;
}

/* "time level event", the level padded to five characters. */
static int append_head(struct log *l, enum log_level level, const char *event)
{
    static const char *const padded[] = {" error ", " warn  ", " info  ", " debug "};
    uint64_t now = l->clock ? l->clock(l->clock_context) : l->now_ms;
    int error = buf_append_str(&l->out, time_text(l, now));
    if (!error)
        error = buf_append(&l->out, slice_of(padded[level], 7));
    if (!error)
        error = buf_append_str(&l->out, event);
    if (l->dropped && !error)
        error = buf_printf(&l->out, " records_lost=%llu", (unsigned long long)l->dropped);
    return error;
}

static int append_pair(struct buf *out, const char *key, const char *value)
{
    int error = buf_append(out, slice_of(" ", 1));
    if (!error)
        error = buf_append_str(out, key);
    if (!error)
        error = buf_append(out, slice_of("=", 1));
    return error ? error : append_value(out, value);
}

static int append_record(struct log *l, enum log_level level, const char *event, va_list args)
{
    int error = append_head(l, level, event);
    for (const char *key = va_arg(args, const char *); key && !error;
         key = va_arg(args, const char *)) {
        const char *value = va_arg(args, const char *);
        if (value)
            error = append_pair(&l->out, key, value);
    }
    return error ? error : buf_append_str(&l->out, "\n");
}

void log_event(struct log *l, enum log_level level, const char *event, ...)
{
    if (level > l->level)
        return;
    size_t before = buf_len(&l->out);
    va_list args;
    va_start(args, event);
    int error = append_record(l, level, event, args);
    va_end(args);
    if (error) {
        l->out.end = l->out.start + before;
        l->dropped++;
        return;
    }
    l->dropped = 0;
    if (l->on_record)
        l->on_record(l);
}
