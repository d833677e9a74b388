/* Options and operands, in the grammars of getopt_long, rg and tree.
 *
 * Invariant: whatever the grammar, each letter and name is looked up, each value is attributed to
 * its option, and what is written means the same to a getopt that stops at the first operand, to
 * one that permutes, and to one with another list of names: options come before `--`, names are
 * complete, operands come behind it. Where the grammars differ:
 * - tree takes the letters behind one that has a value for further letters, never for the value. A
 *   value is therefore a word of its own, and its letter the last one.
 * - rg takes a `=` off the front of an attached value. All its values are written as
 * `--name=value`.
 * - head and tail take `-5` in the first word only; it is written as `-n5`, which passes anywhere.
 */
#include "query_build.h"

#include <assert.h>
#include <stdio.h>

struct args {
    struct query *q;
    const struct query_command *command;
    const struct query_words *in;
    size_t next; /* the next word of in */
    unsigned effects;
    const char *follows; /* the option that follows links */
    size_t operand_count;
    const char *operands[QUERY_INPUT_MAX];
    struct failure *why;
};

static int refuse(struct args *a, const char *option, const char *because)
{
    return query_refuse(a->why, a->command, option, because);
}

static int added(struct args *a, int error)
{
    return error ? query_full(a->why) : 0;
}

/* ---- looking up ---- */

static const struct query_option *find_letter(const struct query_command *c, char letter)
{
    for (size_t i = 0; i < c->option_count; i++)
        if (c->options[i].letter == letter)
            return &c->options[i];
    return NULL;
}

/* The option of this name or, in GNU's grammar, the only one that begins so. */
static const struct query_option *find_name(const struct query_command *c, struct slice name,
                                            size_t *candidates)
{
    const struct query_option *found = NULL;
    *candidates = 0;
    for (size_t i = 0; i < c->option_count; i++) {
        const struct query_option *o = &c->options[i];
        if (!o->name || strncmp(o->name, (const char *)name.data, name.len) != 0)
            continue;
        if (o->name[name.len] == '\0') {
            *candidates = 1;
            return o;
        }
        if (c->grammar == QUERY_GNU) {
            found = o;
            ++*candidates;
        }
    }
    return *candidates == 1 ? found : NULL;
}

/* ---- one option ---- */

/* Notes what the option does; the last word written holds `value` from its byte `start` on. */
static int note(struct args *a, const struct query_option *o, const char *shown, const char *value,
                size_t start)
{
    a->effects |= o->effects;
    if (o->effects & QUERY_FOLLOWS)
        a->follows = shown;
    bool reads = value && o->kind == QUERY_FILE && strcmp(value, "-") != 0;
    return reads ? added(a, query_add_path(a->q, start, QUERY_READS, false)) : 0;
}

static int check(struct args *a, const struct query_option *o, const char *shown)
{
    if (!o)
        return refuse(a, shown, "it has no such option, or none that is allowed");
    return o->refused ? refuse(a, shown, o->refused) : 0;
}

/* The value of the option `shown`, which is the next word. */
static int take_value(struct args *a, const struct query_option *o, const char *shown,
                      const char **value)
{
    if (a->next == a->in->count)
        return refuse(a, shown, "its value is missing");
    *value = a->in->words[a->next++];
    if (!query_value_fits(*value, (enum query_kind)o->kind, true))
        return query_bad_value(a->why, a->command, shown, *value, (enum query_kind)o->kind);
    return 0;
}

static int write_name(struct args *a, const struct query_option *o, const char *shown,
                      const char *value)
{
    char name[64];
    int len = snprintf(name, sizeof name, "--%s%s", o->name, value ? "=" : "");
    assert(len > 0 && (size_t)len < sizeof name);
    bool there = a->command->first && strcmp(a->command->first, name) == 0;
    int error = there ? 0 : added(a, query_add_words(a->q, name, value ? value : "", ""));
    return error ? error : note(a, o, shown, value, (size_t)len);
}

static int take_name(struct args *a, const char *word)
{
    const char *equals = strchr(word, '=');
    const char *value = equals ? equals + 1 : NULL;
    size_t len = equals ? (size_t)(equals - word) : strlen(word), candidates;
    const struct query_option *o = find_name(a->command, slice_of(word + 2, len - 2), &candidates);
    if (candidates > 1)
        return refuse(a, word, "several options begin so");
    int error = check(a, o, word);
    if (error)
        return error;
    if (value && o->arity == QUERY_FLAG)
        return refuse(a, word, "the option takes no value");
    if (value && !query_value_fits(value, (enum query_kind)o->kind, false))
        return query_bad_value(a->why, a->command, word, value, (enum query_kind)o->kind);
    if (!value && o->arity == QUERY_VALUE)
        error = take_value(a, o, word, &value);
    return error ? error : write_name(a, o, word, value);
}

/* The letters of `word` up to `len` bytes, as a word. */
static int write_letters(struct args *a, const char *word, size_t len)
{
    char letters[QUERY_TEXT_MAX + 1];
    memcpy(letters, word, len);
    letters[len] = '\0';
    return len > 1 ? added(a, query_add_word(a->q, letters)) : 0;
}

/* The letter at `at`, which has a value; the rest of the word may be it. */
static int take_letter_value(struct args *a, const struct query_option *o, const char *word,
                             size_t at)
{
    const char *value = word + at + 1;
    bool attached = *value != '\0';
    bool tree = a->command->grammar == QUERY_TREE, rg = a->command->grammar == QUERY_RG;
    if (tree && attached && o->kind != QUERY_NUMBER)
        return refuse(a, word, "a value is a word of its own");
    if (*value == '=' && (rg || o->kind == QUERY_FILE))
        return refuse(a, word, "a value cannot begin with '='");
    if (attached && !query_value_fits(value, (enum query_kind)o->kind, false))
        return query_bad_value(a->why, a->command, word, value, (enum query_kind)o->kind);
    int error = attached ? 0 : take_value(a, o, word, &value);
    if (error)
        return error;
    if (rg) {
        error = write_letters(a, word, at);
        return error ? error : write_name(a, o, word, value);
    }
    if (attached && !tree) {
        error = added(a, query_add_word(a->q, word));
        return error ? error : note(a, o, word, value, at + 1);
    }
    error = write_letters(a, word, at + 1);
    if (!error)
        error = added(a, query_add_word(a->q, value));
    return error ? error : note(a, o, word, value, 0);
}

/* -5 of head and tail, -5f of tail. */
static int take_count(struct args *a, const char *word)
{
    char digits[32];
    size_t len = 0;
    while (word[1 + len] >= '0' && word[1 + len] <= '9')
        len++;
    bool follow = word[1 + len] == 'f' && find_letter(a->command, 'f');
    if (word[1 + len + follow] != '\0' || len >= sizeof digits)
        return refuse(a, word, "a number of lines is written -n NUMBER");
    memcpy(digits, word + 1, len);
    digits[len] = '\0';
    return added(a, query_add_words(a->q, follow ? "-fn" : "-n", digits, ""));
}

static int take_letters(struct args *a, const char *word)
{
    if ((a->command->traits & QUERY_COUNT_IS_N) && word[1] >= '0' && word[1] <= '9')
        return take_count(a, word);
    for (size_t at = 1; word[at]; at++) {
        char shown[3] = {'-', word[at], '\0'};
        const struct query_option *o = find_letter(a->command, word[at]);
        int error = check(a, o, (uint8_t)word[at] < 0x80 ? shown : word);
        if (error)
            return error;
        if (o->arity == QUERY_VALUE)
            return take_letter_value(a, o, word, at);
        error = note(a, o, word, NULL, 0);
        if (error)
            return error;
    }
    return added(a, query_add_word(a->q, word));
}

/* ---- operands ---- */

static int write_operand(struct args *a, const char *word, bool pattern)
{
    const struct query_command *c = a->command;
    if (!pattern && word[0] == '\0')
        return refuse(a, word, "no path is empty");
    int error = added(a, query_add_word(a->q, word));
    /* A reader takes `-` for its standard input, which is empty. */
    if (error || pattern || (c->use == QUERY_READS && strcmp(word, "-") == 0))
        return error;
    bool recursive =
        (c->traits & (QUERY_ALWAYS_BELOW | QUERY_IN_DIRECTORY)) || (a->effects & QUERY_RECURSES);
    return added(a, query_add_path(a->q, 0, c->use, recursive));
}

static int write_operands(struct args *a)
{
    const struct query_command *c = a->command;
    bool pattern = (c->traits & QUERY_PATTERN_FIRST) && !(a->effects & QUERY_PATTERNS);
    bool below = (c->traits & QUERY_DEFAULT_BELOW) && (a->effects & QUERY_RECURSES);
    bool dot = (c->traits & QUERY_DEFAULT_DOT) || below;
    size_t patterns = pattern && a->operand_count > 0;
    if (a->operand_count > c->operands_max)
        return refuse(a, a->operands[c->operands_max], "more operands than it may have");
    a->q->options_end = a->q->word_count;
    int error = added(a, query_add_word(a->q, "--"));
    for (size_t i = 0; !error && i < a->operand_count; i++)
        error = write_operand(a, a->operands[i], i < patterns);
    if (!error && dot && a->operand_count == patterns && patterns == pattern &&
        !(a->effects & QUERY_INFORMS))
        error = write_operand(a, ".", false);
    return error;
}

/* Two directories are compared file by file, a directory and a file by the file's name. */
static int confine_diff(struct args *a)
{
    struct query *q = a->q;
    bool recursive = (a->effects & QUERY_RECURSES) && !(a->effects & QUERY_CONFINES);
    const char *word = "--no-dereference";
    size_t first = q->path_count - (q->path_count >= 2 ? 2 : 0);
    if (q->path_count >= 2 && q->paths[first].recursive)
        for (size_t i = 0; i < 2; i++) {
            q->paths[first + i].joins = true;
            q->paths[first + i].joined_path = first + 1 - i;
        }
    if (!recursive)
        return 0;
    int error = query_put_word(q, q->options_end, &word, 1);
    q->options_end += !error;
    return added(a, error);
}

int query_args_parse(struct query *q, const struct query_words *in, struct failure *why)
{
    struct args a = {.q = q, .command = q->command, .in = in, .next = 1, .why = why};
    bool options = true;
    int error = 0;
    while (!error && a.next < in->count) {
        const char *word = in->words[a.next++];
        if (!options || word[0] != '-' || word[1] == '\0')
            a.operands[a.operand_count++] = word;
        else if (strcmp(word, "--") == 0)
            options = false;
        else
            error = word[1] == '-' ? take_name(&a, word) : take_letters(&a, word);
    }
    bool recursive = (q->command->traits & QUERY_ALWAYS_BELOW) || (a.effects & QUERY_RECURSES);
    if (!error && a.follows && recursive)
        error = refuse(&a, a.follows, "with recursion " LEAVES);
    if (!error)
        error = write_operands(&a);
    if (!error && (q->command->traits & QUERY_IN_DIRECTORY))
        error = confine_diff(&a);
    return error;
}
