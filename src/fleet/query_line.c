/* The line that the login shell gets for a query.
 *
 * The login shell may be any, and single quotes do not mean the same to all: csh ends them at a
 * newline, and carries out what follows it as a line of its own; it looks for `!` within, and fish
 * for a quote behind a backslash. So the shell is only asked to become sh, with a script that has
 * none of these, and with the words as arguments. When all words are plain to every shell they go
 * as they are; else what is not plain in them goes as an escape of `printf %b`, which costs sh a
 * fork a word. sh then changes the directory and becomes the command by exec: no alias or function
 * comes between, and the process group stays the one that was reported.
 *
 * Of the environment only what would change what the command does is removed: POSIXLY_CORRECT and
 * _POSIX2_VERSION (what is an option), GREP_OPTIONS (old greps take options from it) and
 * RIPGREP_CONFIG_PATH (rg does); CDPATH would let cd go elsewhere. What only colours or sizes stays
 * the host's business. */
#include "scout/fleet/query.h"

#define UNSET "unset CDPATH POSIXLY_CORRECT _POSIX2_VERSION GREP_OPTIONS RIPGREP_CONFIG_PATH; "

/* $1 is the directory, the rest the argv. */
#define DECODE                                                                                     \
    "for a do a=$(printf \"%b\" \"$a\"; printf x); set -- \"$@\" \"${a%x}\"; shift; done; "
#define RUN "cd -- \"$1\" || exit; shift; exec \"$@\" </dev/null"

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

static int put_escaped(struct buf *out, const char *word)
{
    int error = 0;
    while (!error && *word) {
        size_t len = 0;
        while (is_plain(word[len]))
            len++;
        error = len > 0 ? buf_append(out, slice_of(word, len))
                        : buf_printf(out, "\\0%03o", (unsigned)(uint8_t)*word);
        word += len > 0 ? len : 1;
    }
    return error;
}

static int put_word(struct buf *out, const char *before, const char *word, bool plain)
{
    int error = buf_append_str(out, " '");
    if (!error)
        error = buf_append_str(out, before);
    if (!error)
        error = plain ? buf_append_str(out, word) : put_escaped(out, word);
    return error ? error : buf_append_str(out, "'");
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

int query_command_line(const struct query *q, const char *directory, struct buf *out)
{
    directory = below_home(directory);
    bool plain = is_quotable(directory);
    for (size_t i = 0; plain && i < q->word_count; i++)
        plain = is_quotable(query_word(q, i));
    int error = buf_append_str(out, plain ? "exec sh -c '" UNSET RUN "' sh"
                                          : "exec sh -c '" UNSET DECODE RUN "' sh");
    if (!error)
        error = put_word(out, directory[0] == '/' ? "" : "./", directory, plain);
    for (size_t i = 0; !error && i < q->word_count; i++)
        error = put_word(out, "", query_word(q, i), plain);
    return error;
}
