/* Written like the script that reads a path (exec_script.c), for the same shells: nothing between
 * its quotes is a quote, a backslash-quote, a newline or an exclamation mark, and paths are escapes
 * of `printf %b`. Of each path it prints a letter for what is there, the real path and NUL. */
#include "real_script.h"

#include "scout/fleet/shell_line.h"

static const char script[] =
    "LC_ALL=C; export LC_ALL; unset CDPATH; "
    "u() { p=$(printf \"%b\" \"$1\"; printf x); p=${p%x}; }; " /* the x keeps newlines at the end */
    REAL_SCRIPT_FUNCTION "u \"$1\"; shift; "
    "if [ -d \"$p\" ]; then k=d; elif [ -e \"$p\" ]; then k=o; else k=n; fi; "
    "[ $k = d ] && { cd \"$p\" 2>/dev/null || k=n; }; "
    "[ $k = d ] && { [ \"$(readlink -f / 2>/dev/null)\" = / ] || k=u; }; "
    "printf \"\\n@scout-real 1 %s\\n\" $k; [ $k = d ] || exit 0; "
    "printf d; f . && printf \"%s\" \"$r\"; printf \"\\0\"; "
    "for a in \"$@\"; do u \"$a\"; "
    "if [ -f \"$p\" ]; then k=f; elif [ -d \"$p\" ]; then k=d; elif [ -b \"$p\" ]; then k=b; "
    "elif [ -e \"$p\" ]; then k=o; else k=n; fi; "
    "printf $k; f \"$p\" && printf \"%s\" \"$r\"; printf \"\\0\"; done";

int real_script_begin(struct buf *line, const char *directory)
{
    int error = buf_printf(line, "exec sh -c '%s' sh", script);
    return error ? error : real_script_path(line, directory);
}

int real_script_path(struct buf *line, const char *path)
{
    int error = buf_append_str(line, path[0] == '-' ? " './" : " '"); /* no option */
    if (!error)
        error = shell_line_escape(line, path);
    return error ? error : buf_append_str(line, "'");
}

enum real_script_kind real_script_kind(struct slice *reply)
{
    static const char mark[] = "\n@scout-real 1 ";
    const uint8_t *at = reply->len ? memmem(reply->data, reply->len, mark, sizeof mark - 1) : NULL;
    if (!at)
        return REAL_SCRIPT_NOTHING;
    *reply = slice_skip(*reply, (size_t)(at - reply->data) + sizeof mark - 1);
    if (reply->len < 2 || reply->data[1] != '\n')
        return REAL_SCRIPT_NOTHING;
    uint8_t kind = reply->data[0];
    *reply = slice_skip(*reply, 2);
    return kind == 'd'   ? REAL_SCRIPT_DIRECTORY
           : kind == 'n' ? REAL_SCRIPT_MISSING
           : kind == 'o' ? REAL_SCRIPT_OTHER
           : kind == 'u' ? REAL_SCRIPT_UNABLE
                         : REAL_SCRIPT_NOTHING;
}

bool real_script_next(struct slice *reply, uint8_t *letter, struct slice *path)
{
    const uint8_t *nul = reply->len ? memchr(reply->data, '\0', reply->len) : NULL;
    if (!nul || nul == reply->data)
        return false;
    *letter = reply->data[0];
    *path = slice_of(reply->data + 1, (size_t)(nul - reply->data) - 1);
    *reply = slice_skip(*reply, path->len + 2);
    return true;
}
