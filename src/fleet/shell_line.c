/* Quoting for whichever shell reads it.
 *
 * The single quotes of the shells differ in what they let through: fish takes a backslash in them
 * for an escape, csh looks for `!`. So neither of these, nor a quote, ever stands within quotes:
 * each is written outside of them, behind a backslash, which all shells take back. */
#include "scout/fleet/shell_line.h"

static bool needs_no_quote(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("/._-+:,@", c));
}

static bool needs_backslash(uint8_t c)
{
    return c == '\'' || c == '\\' || c == '!';
}

/* How many bytes at the begin of `s` are of that kind. */
static size_t run_of(struct slice s, bool (*is)(uint8_t))
{
    size_t len = 0;
    while (len < s.len && is(s.data[len]))
        len++;
    return len;
}

static bool fits_quotes(uint8_t c)
{
    return !needs_backslash(c);
}

int shell_line_word(struct buf *out, struct slice word)
{
    if (word.len > 0 && run_of(word, needs_no_quote) == word.len)
        return buf_append(out, word);
    int error = word.len > 0 ? 0 : buf_append_str(out, "''");
    while (!error && word.len > 0) {
        size_t len = run_of(word, fits_quotes);
        if (len > 0) {
            error = buf_printf(out, "'%.*s'", (int)len, (const char *)word.data);
        } else {
            len = 1;
            error = buf_printf(out, "\\%c", word.data[0]);
        }
        word = slice_skip(word, len);
    }
    return error;
}

int shell_line_cd(struct buf *out, const char *path)
{
    if (path[0] == '~' && (path[1] == '/' || path[1] == '\0'))
        path += path[1] ? 2 : 1;
    int error = buf_append_str(out, path[0] == '/' ? "cd " : "cd ./");
    return error || !path[0] ? error : shell_line_word(out, slice_str(path));
}
