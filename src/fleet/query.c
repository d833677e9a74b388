/* A query: from its text to words that are known to be harmless.
 *
 * Nothing here looks for what is bad. The first word is one of the commands in the tables, and each
 * further one is an option of its table, the value of such an option, or an operand whose meaning
 * the command's row tells; what is none of these is refused. Each command has a grammar, and the
 * parser of that grammar (query_args.c, query_find.c) writes what it understood in a form that can
 * be understood in this way only. */
#include "scout/fleet/query.h"

#include "query_build.h"
#include <assert.h>

static bool is_blank(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != ' ' && (text.data[i] < '\t' || text.data[i] > '\r'))
            return false;
    return true;
}

static int take_command(const char *name, struct query *out, struct failure *why)
{
    char shown[QUERY_SHOWN_SIZE];
    out->command = query_command_find(name);
    if (!out->command)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "Command failed: Command %s not allowed. Allowed commands: %s",
                           query_show(name, shown), QUERY_COMMAND_NAMES);
    int error = query_add_word(out, name);
    if (!error && out->command->first)
        error = query_add_word(out, out->command->first);
    return error ? query_full(why) : 0;
}

int query_parse(struct slice text, struct query *out, struct failure *why)
{
    struct query_words in;
    out->word_count = out->path_count = out->options_end = out->byte_count = 0;
    out->recursive_content = false;
    if (is_blank(text))
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Command failed: Empty command");
    int error = query_words_split(text, &in, why);
    if (error)
        return error;
    if (in.count == 0 || in.words[0][0] == '\0')
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "Command failed: Empty command after parsing");
    error = take_command(in.words[0], out, why);
    if (error)
        return error;
    return out->command->grammar == QUERY_FIND ? query_find_parse(out, &in, why)
                                               : query_args_parse(out, &in, why);
}

const char *query_word(const struct query *q, size_t index)
{
    assert(index < q->word_count);
    return q->bytes + q->words[index];
}

const char *query_path_text(const struct query *q, size_t index)
{
    assert(index < q->path_count);
    return query_word(q, q->paths[index].word) + q->paths[index].start;
}
