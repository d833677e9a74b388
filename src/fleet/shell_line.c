/* Lines for whichever shell reads them.
 *
 * A command's words go to sh as arguments of a script. When all of them are plain to every shell
 * they go as they are; else what is not plain in them goes as an escape of `printf %b`, which costs
 * sh a fork a word. sh becomes the command by exec: no alias or function comes between, and the
 * process group stays the login shell's. */
#include "scout/fleet/shell_line.h"

/* $1 and the rest are the words, here and in the next. The x keeps newlines at the end. */
#define DECODE                                                                                     \
    "for a do a=$(printf \"%b\" \"$a\"; printf x); set -- \"$@\" \"${a%x}\"; shift; done; "
#define ENTER "cd -- \"$1\" || exit; shift; "

/* What no shell, sh's printf among them, finds anything in, in or out of quotes. */
static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '.' || c == '_' || c == '-';
}

/* What stands for itself between single quotes in every shell. */
static bool is_quotable(const char *word)
{
    for (; *word; word++)
        if (*word < ' ' || *word > '~' || *word == '\'' || *word == '\\' || *word == '!')
            return false;
    return true;
}

int shell_line_escape(struct buf *out, const char *text)
{
    int error = 0;
    while (!error && *text) {
        size_t len = 0;
        while (is_plain(text[len]))
            len++;
        error = len > 0 ? buf_append(out, slice_of(text, len))
                        : buf_printf(out, "\\0%03o", (unsigned)(uint8_t)*text);
        text += len > 0 ? len : 1;
    }
    return error;
}

/* Without `~`: the login begins there. */
static const char *below_home(const char *directory)
{
    if (directory[0] != '~' || (directory[1] != '/' && directory[1] != '\0'))
        return directory;
    directory++;
    while (*directory == '/')
        directory++;
    return directory;
}

static const char *no_option(const char *directory)
{
    return directory[0] == '/' ? "" : "./";
}

/* ---- for the login shell itself ---- */

/* Quotes what may stand in quotes; what may not is behind a backslash, which all shells take back.
 */
static int put_quoted(struct buf *out, const char *text)
{
    int error = 0;
    while (!error && *text) {
        size_t len = strcspn(text, "'\\!");
        error =
            len > 0 ? buf_printf(out, "'%.*s'", (int)len, text) : buf_printf(out, "\\%c", text[0]);
        text += len > 0 ? len : 1;
    }
    return error;
}

int shell_line_cd(struct buf *out, const char *path)
{
    path = below_home(path);
    int error = buf_append_str(out, "cd ");
    if (!error)
        error = buf_append_str(out, no_option(path));
    return error ? error : put_quoted(out, path);
}

/* ---- for sh behind it ---- */

static bool all_quotable(const struct shell_exec *e, const char *directory)
{
    bool all = !directory || is_quotable(directory);
    for (size_t i = 0; all && i < e->count; i++)
        all = is_quotable(e->words[i]);
    return all;
}

static int put_word(struct buf *out, const char *before, const char *word, bool quotable)
{
    int error = buf_printf(out, " '%s", before);
    if (!error)
        error = quotable ? buf_append_str(out, word) : shell_line_escape(out, word);
    return error ? error : buf_append_str(out, "'");
}

int shell_line_exec(struct buf *out, const struct shell_exec *e)
{
    const char *directory = e->directory ? below_home(e->directory) : NULL;
    bool quotable = all_quotable(e, directory);
    int error = buf_printf(out, "exec sh -c '%s%s%sexec \"$@\"%s' sh", e->before,
                           quotable ? "" : DECODE, directory ? ENTER : "", e->redirect);
    if (directory && !error)
        error = put_word(out, no_option(directory), directory, quotable);
    for (size_t i = 0; !error && i < e->count; i++)
        error = put_word(out, "", e->words[i], quotable);
    return error;
}
