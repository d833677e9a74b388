/* logfmt records in a capped buffer. A record is written whole or not at all. */
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

/* A quoted value. Control characters, ill-formed bytes and everything outside printable text are
 * written as \xNN, so that no value can end the line or drive a terminal. */
static int append_quoted(struct buf *out, struct slice value)
{
    int error = buf_append_str(out, "\"");
    for (size_t i = 0; i < value.len && !error;) {
        uint8_t c = value.data[i];
        size_t len = utf8_char_len(slice_skip(value, i));
        bool control = c < ' ' || c == 0x7F || (len == 2 && c == 0xC2 && value.data[i + 1] < 0xA0);
        if (c == '"' || c == '\\')
            error = buf_printf(out, "\\%c", c);
        else if (len == 0 || control)
            error = buf_printf(out, "\\x%02x", c), len = 1;
        else
            error = buf_append(out, slice_of(value.data + i, len));
        if (control && len == 1 && c == 0xC2)
            error = error ? error : buf_printf(out, "\\x%02x", value.data[i + 1]), len = 2;
        i += len ? len : 1;
    }
    return error ? error : buf_append_str(out, "\"");
}

static int append_value(struct buf *out, const char *text)
{
    struct slice value = slice_str(text);
    bool cut = value.len > LOG_VALUE_MAX;
    if (cut)
        value.len = LOG_VALUE_MAX;
    int error = is_plain(value) ? buf_append(out, value) : append_quoted(out, value);
    return error || !cut ? error : buf_append_str(out, "...");
}

static int append_record(struct log *l, enum log_level level, const char *event, va_list args)
{
    char time[TIME_TEXT_SIZE];
    int error =
        buf_printf(&l->out, "%s %-5s %s", time_format(l->now_ms, time), level_names[level], event);
    if (l->dropped && !error)
        error = buf_printf(&l->out, " records_lost=%llu", (unsigned long long)l->dropped);
    for (const char *key = va_arg(args, const char *); key && !error;
         key = va_arg(args, const char *)) {
        const char *value = va_arg(args, const char *);
        if (!value)
            continue;
        error = buf_printf(&l->out, " %s=", key);
        error = error ? error : append_value(&l->out, value);
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
