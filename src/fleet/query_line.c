/* The line that the login shell gets for a query.
 *
 * Of the environment only what would change what the command does is removed: POSIXLY_CORRECT and
 * _POSIX2_VERSION (what is an option), GREP_OPTIONS (old greps take options from it) and
 * RIPGREP_CONFIG_PATH (rg does); CDPATH would let cd go elsewhere. What only colours or sizes stays
 * the host's business. */
#include "scout/fleet/query.h"

#include "scout/fleet/shell_line.h"

#define UNSET "unset CDPATH POSIXLY_CORRECT _POSIX2_VERSION GREP_OPTIONS RIPGREP_CONFIG_PATH; "

int query_command_line(const struct query *q, const char *directory, struct buf *out)
{
    const char *words[QUERY_WORDS_MAX];
    for (size_t i = 0; i < q->word_count; i++)
        words[i] = query_word(q, i);
    return shell_line_exec(out, &(struct shell_exec){.before = UNSET,
                                                     .directory = directory,
                                                     .words = words,
                                                     .count = q->word_count,
                                                     .redirect = " </dev/null"});
}
