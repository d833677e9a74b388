/* Names and texts of the errors, all from the one table in error.h. */
#include "scout/base/error.h"

#include "scout/base/utf8.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct error_row {
    int number, rpc_code;
    const char *code, *text;
};

static const struct error_row rows[] = {
#define X(name, number, code, rpc, text) {number, rpc, code, text},
    SCOUT_ERRORS(X)
#undef X
};

static const struct error_row *row_of(int error)
{
    const struct error_row *internal = &rows[0];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].number == error)
            return &rows[i];
        if (rows[i].number == SCOUT_E_INTERNAL)
            internal = &rows[i];
    }
    return internal;
}

const char *error_code(int error)
{
    return row_of(error)->code;
}

const char *error_text(int error)
{
    return row_of(error)->text;
}

int error_rpc_code(int error)
{
    return row_of(error)->rpc_code;
}

int failure_set(struct failure *f, int error, const char *fmt, ...)
{
    va_list args;
    f->error = error;
    f->stage = NULL;
    va_start(args, fmt);
    vsnprintf(f->text, sizeof f->text, fmt, args);
    va_end(args);
    size_t len = strlen(f->text);
    if (len == sizeof f->text - 1) {
        /* Cut at the limit: drop the part of a character that may be left at the end. */
        size_t cut = len;
        while (cut > 0 && len - cut < 4 && ((unsigned char)f->text[cut - 1] & 0xC0) == 0x80)
            cut--;
        if (cut > 0 && utf8_char_len(slice_of(f->text + cut - 1, len - cut + 1)) != len - cut + 1)
            f->text[cut - 1] = '\0';
    }
    return error;
}
