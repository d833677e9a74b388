/* find's arguments: its options, the paths, the expression.
 *
 * The words that begin an expression are those of GNU find; a path that another find would take for
 * the expression's begin is refused rather than understood in two ways. In the expression each word
 * is an operator, a test or an action of the table; all take as many values everywhere, so a value
 * may begin with `-`. find changes nothing and reads no contents then: what it prints goes to
 * stdout. */
#include "query_build.h"

struct find {
    struct query *q;
    const struct query_words *in;
    size_t next;
    struct failure *why;
};

static int added(struct find *f, int error)
{
    return error ? query_full(f->why) : 0;
}

static const char *peek(const struct find *f)
{
    return f->next < f->in->count ? f->in->words[f->next] : NULL;
}

static int refuse(struct find *f, const char *word, const char *because)
{
    return query_refuse(f->why, f->q->command, word, because);
}

static const struct query_option *find_row(const struct query_command *c, const char *name)
{
    for (size_t i = 0; i < c->option_count; i++)
        if (strcmp(c->options[i].name, name) == 0)
            return &c->options[i];
    return NULL;
}

/* -H and -P; `--` ends them, and is left out. */
static int take_options(struct find *f)
{
    int error = 0;
    for (const char *word = peek(f); word && !error; word = peek(f)) {
        if (strcmp(word, "--") == 0) {
            f->next++;
            break;
        }
        if (strcmp(word, "-H") != 0 && strcmp(word, "-P") != 0)
            break;
        f->next++;
        error = added(f, query_add_word(f->q, word));
    }
    return error;
}

static bool is_operator(const char *word)
{
    return word[0] != '\0' && word[1] == '\0' && strchr("()!,", word[0]);
}

static bool begins_expression(const char *word)
{
    return (word[0] == '-' && word[1] != '\0') || is_operator(word);
}

static int add_path(struct find *f, const char *path)
{
    int error = query_add_word(f->q, path);
    if (!error)
        error = query_add_path(f->q, 0, QUERY_LISTS, true);
    return added(f, error);
}

static int take_paths(struct find *f)
{
    size_t before = f->q->path_count;
    int error = 0;
    for (const char *word = peek(f); !error && word && !begins_expression(word); word = peek(f)) {
        if (word[0] == '\0' || strchr("()!,", word[0]))
            return refuse(f, word, "such a path needs ./ before it");
        f->next++;
        error = add_path(f, word);
    }
    if (!error && f->q->path_count == before)
        error = add_path(f, ".");
    return error;
}

/* -newerXY: whether it is one, and whether its value is a time and no file. */
static bool is_newer(const char *word, bool *time)
{
    if (strncmp(word, "-newer", 6) != 0 || strlen(word) != 8)
        return false;
    *time = word[7] == 't';
    return strchr("aBcm", word[6]) && strchr("aBcmt", word[7]);
}

static int take_value(struct find *f, const char *test, enum query_kind kind)
{
    const char *value = peek(f);
    if (!value)
        return refuse(f, test, "its value is missing");
    f->next++;
    if (!query_value_fits(value, kind, true))
        return query_bad_value(f->why, f->q->command, test, value, kind);
    int error = query_add_word(f->q, value);
    if (!error && kind == QUERY_NAME)
        error = query_add_path(f->q, 0, QUERY_LISTS, false);
    return added(f, error);
}

static int take_word(struct find *f, const char *word)
{
    static const struct query_option newer_file = VALUE(0, "newerXY", QUERY_NAME);
    static const struct query_option newer_time = VALUE(0, "newerXt", QUERY_TEXT);
    bool time;
    if (is_operator(word))
        return added(f, query_add_word(f->q, word));
    if (word[0] != '-' || word[1] == '\0')
        return refuse(
            f, word,
            "paths stand before the expression, patterns in quotes, and no shell is there");
    const struct query_option *o = is_newer(word, &time) ? (time ? &newer_time : &newer_file)
                                                         : find_row(f->q->command, word + 1);
    if (!o)
        return refuse(f, word, "it has no such test or action, or none that is allowed");
    if (o->refused)
        return refuse(f, word, o->refused);
    int error = added(f, query_add_word(f->q, word));
    if (!error && o->arity == QUERY_VALUE)
        error = take_value(f, word, (enum query_kind)o->kind);
    return error;
}

int query_find_parse(struct query *q, const struct query_words *in, struct failure *why)
{
    struct find f = {q, in, 1, why};
    int error = take_options(&f);
    if (!error)
        error = take_paths(&f);
    q->options_end = q->word_count;
    while (!error && f.next < in->count)
        error = take_word(&f, in->words[f.next++]);
    return error;
}
