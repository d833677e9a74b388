/* An act as one run of bytes, each part with its length before it, so that two acts are the same
 * exactly when their bytes are; and its command as a person reads it. */
#include "confirmation_act.h"

#include <stdlib.h>

/* ---- acts as bytes ---- */

static int put(struct buf *out, struct slice part)
{
    uint64_t len = part.len;
    int error = buf_append(out, slice_of(&len, sizeof len));
    return error || part.len == 0 ? error : buf_append(out, part);
}

int confirmation_act_write(const struct confirmation_act *act, struct buf *out)
{
    const uint8_t kind[] = {(uint8_t)act->verb, act->argv != NULL, act->host != NULL};
    int error = put(out, slice_of(kind, sizeof kind));
    error = error ? error : put(out, slice_str(act->identity->name));
    error = error ? error : put(out, slice_str(act->identity->principal));
    error = error ? error : put(out, slice_str(act->rule));
    error = error ? error : put(out, slice_str(act->host ? act->host : ""));
    error = error ? error : put(out, act->path);
    error = error ? error : put(out, act->line);
    error = error ? error : put(out, act->directory);
    error = error ? error : put(out, act->input);
    for (size_t i = 0; i < act->argc && !error; i++)
        error = put(out, slice_str(act->argv[i]));
    return error;
}

/* ---- showing ---- */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_./:=,@%+-", c));
}

static int put_word(struct buf *out, const char *word)
{
    bool plain = word[0] != '\0';
    for (const char *c = word; *c; c++)
        plain = plain && is_plain(*c);
    int error = buf_append_str(out, plain ? "" : "'");
    for (const char *c = word; *c && !error; c++)
        error = *c == '\'' ? buf_append_str(out, "'\\''") : buf_append(out, slice_of(c, 1));
    return error ? error : buf_append_str(out, plain ? "" : "'");
}

char *confirmation_act_command(const struct confirmation_act *act)
{
    struct buf out;
    int error = 0;
    buf_init(&out, 8 * CONFIRMATION_ACT_MAX);
    if (!act->argv)
        error = buf_append(&out, act->line);
    for (size_t i = 0; i < act->argc && !error; i++) {
        error = i ? buf_append_str(&out, " ") : 0;
        error = error ? error : put_word(&out, act->argv[i]);
    }
    error = error ? error : buf_append(&out, slice_of("", 1));
    char *text = error ? NULL : strdup((const char *)buf_peek(&out).data);
    buf_fini(&out);
    return text;
}
