/* The words of a query as they are put together, and the messages of what is refused.
 *
 * Words lie one behind another in `bytes` and are never moved or freed: a word that is replaced
 * leaves its bytes behind, which the limit on them allows for. */
#include "query_build.h"

#include "scout/base/utf8.h"
#include <assert.h>
#include <stdio.h>

/* Where the text made of the parts begins, or SCOUT_E_LIMIT. */
static int put_bytes(struct query *q, const char *const *parts, size_t count)
{
    size_t begin = q->byte_count, at = begin;
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(parts[i]);
        if (len >= QUERY_BYTES_MAX - at)
            return SCOUT_E_LIMIT;
        memmove(q->bytes + at, parts[i], len);
        at += len;
    }
    q->bytes[at++] = '\0';
    q->byte_count = at;
    return (int)begin;
}

int query_put_word(struct query *q, size_t at, const char *const *parts, size_t count)
{
    assert(at <= q->word_count);
    if (q->word_count == QUERY_WORDS_MAX || q->byte_count == QUERY_BYTES_MAX)
        return SCOUT_E_LIMIT;
    int begin = put_bytes(q, parts, count);
    if (begin < 0)
        return begin;
    memmove(q->words + at + 1, q->words + at, (q->word_count - at) * sizeof q->words[0]);
    q->words[at] = (uint32_t)begin;
    q->word_count++;
    for (size_t i = 0; i < q->path_count; i++)
        q->paths[i].word += q->paths[i].word >= at;
    return 0;
}

int query_add_word(struct query *q, const char *word)
{
    return query_put_word(q, q->word_count, &word, 1);
}

int query_add_words(struct query *q, const char *a, const char *b, const char *c)
{
    const char *const parts[] = {a, b, c};
    return query_put_word(q, q->word_count, parts, 3);
}

int query_add_path(struct query *q, size_t start, enum query_use use, bool recursive)
{
    if (q->path_count == QUERY_PATHS_MAX)
        return SCOUT_E_LIMIT;
    q->paths[q->path_count++] =
        (struct query_path){.word = q->word_count - 1,
                            .start = start,
                            .use = use,
                            .recursive = recursive,
                            .opens = use == QUERY_READS || (q->command->traits & QUERY_OPENS)};
    if (use == QUERY_READS && recursive)
        q->recursive_content = true;
    return 0;
}

int query_set_path(struct query *q, size_t index, const char *path)
{
    assert(index < q->path_count);
    struct query_path *p = &q->paths[index];
    if (path[0] != '/' && path[0] != '.')
        return SCOUT_E_INVALID_ARGUMENT;
    if (q->byte_count == QUERY_BYTES_MAX)
        return SCOUT_E_LIMIT;
    /* What stands before the path, then the path. */
    size_t before = q->byte_count;
    if (p->start >= QUERY_BYTES_MAX - before)
        return SCOUT_E_LIMIT;
    memcpy(q->bytes + before, query_word(q, p->word), p->start);
    q->byte_count += p->start;
    int begin = put_bytes(q, &path, 1);
    if (begin < 0) {
        q->byte_count = before;
        return begin;
    }
    q->words[p->word] = (uint32_t)before;
    return 0;
}

/* ---- values ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_number(const char *s)
{
    size_t units = 0;
    if (*s == '+' || *s == '-')
        s++;
    if (!is_digit(*s) && !(s[0] == '.' && is_digit(s[1])))
        return false;
    while (is_digit(*s) || *s == '.')
        s++;
    while (*s && strchr("bBcwkKmMgGtTPEZYRQisdh%", *s)) {
        s++;
        units++;
    }
    return *s == '\0' && units <= 3;
}

bool query_value_fits(const char *value, enum query_kind kind, bool separate)
{
    bool dashed = separate && value[0] == '-' && value[1] != '\0';
    switch (kind) {
    case QUERY_TEXT:
        return true;
    case QUERY_WORD:
        return !dashed;
    case QUERY_NUMBER:
        return is_number(value);
    case QUERY_ENTRY:
        return strcmp(value, "read") == 0 || strcmp(value, "skip") == 0;
    case QUERY_UNREAD:
        return strcmp(value, "skip") == 0;
    case QUERY_FILE:
    case QUERY_NAME:
        return value[0] != '\0' && !dashed;
    }
    return false;
}

/* ---- messages ---- */

const char *query_show(const char *word, char out[QUERY_SHOWN_SIZE])
{
    struct slice rest = slice_str(word);
    size_t len = 0;
    out[len++] = '\'';
    while (rest.len > 0) {
        size_t n = utf8_char_len(rest);
        bool odd = n == 0 || rest.data[0] < ' ' || rest.data[0] == 0x7f ||
                   (n == 2 && rest.data[0] == 0xC2 && rest.data[1] < 0xA0);
        if (len + n > QUERY_SHOWN_MAX) {
            memcpy(out + len, "...", 3);
            len += 3;
            break;
        }
        if (odd)
            out[len++] = '?';
        else
            memcpy(out + len, rest.data, n);
        len += odd ? 0 : n;
        rest = slice_skip(rest, n ? n : 1);
    }
    out[len++] = '\'';
    out[len] = '\0';
    return out;
}

/* All that passes: letters first, in one word, then the names that have none. Cut when too long. */
static void list_permitted(const struct query_command *c, char *out, size_t size)
{
    const char *dash = c->grammar == QUERY_FIND ? "-" : "--";
    size_t len = 0;
    for (size_t i = 0; i < c->option_count; i++)
        if (c->options[i].letter && !c->options[i].refused && len + 3 < size) {
            if (len == 0)
                out[len++] = '-';
            out[len++] = c->options[i].letter;
        }
    for (size_t i = 0; i < c->option_count; i++) {
        const struct query_option *o = &c->options[i];
        if (o->letter || o->refused)
            continue;
        if (len + strlen(o->name) + 8 >= size) {
            len += (size_t)snprintf(out + len, size - len, " ...");
            break;
        }
        len += (size_t)snprintf(out + len, size - len, "%s%s%s", len ? " " : "", dash, o->name);
    }
    out[len] = '\0';
}

int query_refuse(struct failure *why, const struct query_command *c, const char *option,
                 const char *because)
{
    char shown[QUERY_SHOWN_SIZE], permitted[300];
    list_permitted(c, permitted, sizeof permitted);
    return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                       "Command failed: %s does not take %s here: %s. What passes: %s", c->name,
                       query_show(option, shown), because, permitted);
}

int query_full(struct failure *why)
{
    return failure_set(why, SCOUT_E_LIMIT, "Command failed: The command has too many words");
}

int query_bad_value(struct failure *why, const struct query_command *c, const char *option,
                    const char *value, enum query_kind kind)
{
    static const char *const wanted[] = {
        [QUERY_WORD] = "no word that begins with '-' (it can be attached)",
        [QUERY_TEXT] = "a text",
        [QUERY_NUMBER] = "a number",
        [QUERY_ENTRY] = "read or skip",
        [QUERY_UNREAD] = "skip",
        [QUERY_FILE] = "a path that does not begin with '-' (./ can be put before it)",
        [QUERY_NAME] = "a path that does not begin with '-' (./ can be put before it)",
    };
    char shown[QUERY_SHOWN_SIZE], shown_value[QUERY_SHOWN_SIZE];
    return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                       "Command failed: %s does not take %s as the value of %s: what passes is %s",
                       c->name, query_show(value, shown_value), query_show(option, shown),
                       wanted[kind]);
}
