/* Keeps recursive readers from files by their base names, and tells what diff joins.
 *
 * The words go behind all options of the client and before `--`. There they win: GNU grep obeys the
 * last of --include and --exclude that matches; rg the last glob, and takes all of --iglob for
 * later than all of --glob; diff's --exclude has no opposite. rg and GNU grep -r do not follow
 * links that they meet, and open no devices; diff follows unless it is told not to. busybox grep
 * does both, and therefore always gets an option that it does not know. */
#include "query_build.h"

#include <assert.h>
#include <stdio.h>

static bool is_base_name_glob(const char *glob)
{
    if (*glob == '\0' || *glob == '!')
        return false;
    for (; *glob; glob++)
        if ((uint8_t)*glob <= ' ' || *glob == 0x7f || strchr("/\\{}", *glob))
            return false;
    return true;
}

static int put_option(struct query *q, const char *name, const char *value)
{
    const char *const parts[] = {name, value};
    int error = query_put_word(q, q->options_end, parts, 2);
    q->options_end += !error;
    return error;
}

static bool has_option(const struct query *q, const char *word)
{
    for (size_t i = 1; i < q->options_end; i++)
        if (strcmp(query_word(q, i), word) == 0)
            return true;
    return false;
}

static int put_glob(struct query *q, const char *glob)
{
    if (strcmp(q->command->name, "rg") == 0)
        return put_option(q, "--iglob=!", glob);
    int error = put_option(q, "--exclude=", glob);
    if (!error && strcmp(q->command->name, "grep") == 0)
        error = put_option(q, "--exclude-dir=", glob);
    return error;
}

int query_exclude(struct query *q, const char *const *globs, size_t count)
{
    int error = 0;
    for (size_t i = 0; i < count; i++)
        if (!is_base_name_glob(globs[i]))
            return SCOUT_E_INVALID_ARGUMENT;
    if (!q->recursive_content)
        return 0;
    assert(q->command->grammar == QUERY_GNU || q->command->grammar == QUERY_RG);
    bool diff = q->command->traits & QUERY_IN_DIRECTORY;
    const char *confines = diff                                    ? "--no-dereference"
                           : strcmp(q->command->name, "grep") == 0 ? "--devices=skip"
                                                                   : NULL;
    if (confines && !has_option(q, confines))
        error = put_option(q, confines, "");
    for (size_t i = 0; !error && i < count; i++)
        error = put_glob(q, globs[i]);
    return error;
}

int query_joined(const struct query *q, size_t index, char *out, size_t size)
{
    assert(index < q->path_count && q->paths[index].joins);
    const char *directory = query_path_text(q, index);
    const char *other = query_path_text(q, q->paths[index].joined_path);
    size_t end = strlen(other);
    while (end > 0 && other[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin > 0 && other[begin - 1] != '/')
        begin--;
    int len = snprintf(out, size, "%s/%.*s", directory, (int)(end - begin), other + begin);
    return len >= 0 && (size_t)len < size ? 0 : SCOUT_E_LIMIT;
}
