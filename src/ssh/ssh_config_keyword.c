/* A line to a directive: its keyword's row, its words.
 *
 * A wrong value is a syntax error whatever the host, as in OpenSSH. A keyword that is in no row is
 * kept with its name: whether IgnoreUnknown names it depends on the host. */
#include "ssh_config_private.h"

#include <stdio.h>
#include <strings.h>

const struct config_keyword config_keywords[CONFIG_SLOT_COUNT] = {
#define X(slot, text, reading, taking, caring, one, letters, otherwise)                            \
    [CONFIG_##slot] = {.name = text,                                                               \
                       .name_len = sizeof text - 1,                                                \
                       .kind = CONFIG_KIND_##reading,                                              \
                       .take = CONFIG_TAKE_##taking,                                               \
                       .care = CONFIG_CARE_##caring,                                               \
                       .value = one,                                                               \
                       .tokens = letters,                                                          \
                       .preset = otherwise},
    CONFIG_KEYWORDS(X)
#undef X
};

static const struct {
    const char *name;
    enum config_slot slot;
} aliases[] = {
#define X(name, slot) {name, CONFIG_##slot},
    CONFIG_ALIASES(X)
#undef X
};

/* As strcasecmp, of a word without its NUL. */
static int compare_name(struct slice word, const char *name, size_t len)
{
    int order = strncasecmp((const char *)word.data, name, word.len < len ? word.len : len);
    return order ? order : (int)(word.len > len) - (int)(word.len < len);
}

static enum config_slot slot_of(struct slice name)
{
    size_t low = 0, high = CONFIG_SLOT_COUNT;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct config_keyword *k = &config_keywords[middle];
        int order = compare_name(name, k->name, k->name_len);
        if (order == 0)
            return (enum config_slot)middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
        if (compare_name(name, aliases[i].name, strlen(aliases[i].name)) == 0)
            return aliases[i].slot;
    return CONFIG_UNKNOWN;
}

const char *config_bad_value(const char *text, const char *value, char scratch[CONFIG_SCRATCH])
{
    snprintf(scratch, CONFIG_SCRATCH, "%s '%.64s'", text, value);
    for (char *c = scratch; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return scratch;
}

static bool has_empty_word(const struct config_directive *d)
{
    const char *word = d->words;
    for (uint32_t i = 0; i < d->word_count; i++, word = config_next_word(word))
        if (*word == '\0')
            return true;
    return false;
}

/* The rest of the line is one word as it is, but for `=` and blanks before it. */
static void take_rest(struct slice rest, struct config_directive *d, char *words, size_t *words_len)
{
    while (rest.len > 0 && (rest.data[0] == ' ' || rest.data[0] == '\t' || rest.data[0] == '='))
        rest = slice_skip(rest, 1);
    memcpy(words, rest.data, rest.len);
    words[rest.len] = '\0';
    *words_len = rest.len + 1;
    d->word_count = 1;
}

static void set_filter(struct config_directive *d)
{
    const char *word = d->words;
    d->filter = 0;
    for (uint32_t i = 0; i < d->word_count; i++, word = config_next_word(word))
        if (*word != '!') /* a negated pattern makes no match */
            d->filter |= strpbrk(word, "*?") ? CONFIG_ALL : config_name_bit(word);
}

static const char *parse_block(struct config_directive *d, struct slice rest, char *words,
                               size_t *words_len, char scratch[CONFIG_SCRATCH])
{
    if (d->slot == CONFIG_MATCH)
        return config_match_parse(rest, d, words, words_len, scratch);
    if (has_empty_word(d))
        return "empty argument";
    if (d->slot == CONFIG_INCLUDE && d->word_count == 0)
        return "missing argument";
    set_filter(d); /* a Host without a word matches no host */
    return NULL;
}

/* Whether this value asks for nothing, where the keyword has such a one. */
static bool is_harmless(const struct config_keyword *k, const struct config_directive *d)
{
    if (k->care != CONFIG_CARE_GUARDED && k->kind != CONFIG_KIND_COMMAND &&
        k->kind != CONFIG_KIND_JUMP)
        return false;
    if (k->kind != CONFIG_KIND_CHOICE)
        return k->value && d->word_count == 1 && strcasecmp(d->words, k->value) == 0;
    const char *choice = k->value;
    for (uint32_t i = 0; i < d->number; i++)
        choice = strchr(choice, ' ') + 1;
    return *choice == '!';
}

static void keep_unknown(struct slice name, struct config_directive *d, char *words,
                         size_t *words_len)
{
    memcpy(words, name.data, name.len);
    words[name.len] = '\0';
    *words_len = name.len + 1;
    d->word_count = 1;
}

const char *config_directive_parse(const struct config_line *line, struct config_directive *d,
                                   char *words, size_t *words_len, char scratch[CONFIG_SCRATCH])
{
    d->slot = slot_of(line->keyword);
    d->words = words;
    const char *wrong = config_words_split(line->rest, words, words_len, &d->word_count);
    if (wrong || d->slot == CONFIG_OBSOLETE)
        return wrong;
    if (d->slot == CONFIG_UNKNOWN) {
        keep_unknown(line->keyword, d, words, words_len);
        return NULL;
    }
    const struct config_keyword *k = &config_keywords[d->slot];
    if (k->kind == CONFIG_KIND_BLOCK)
        return parse_block(d, line->rest, words, words_len, scratch);
    if (k->kind == CONFIG_KIND_COMMAND || k->kind == CONFIG_KIND_JUMP)
        take_rest(line->rest, d, words, words_len);
    if (d->word_count == 0 || has_empty_word(d))
        return "missing argument";
    bool sets = true;
    wrong = config_value_parse(k, d, words, &sets, scratch);
    d->harmless = !wrong && is_harmless(k, d);
    if (!sets)
        d->slot = CONFIG_OBSOLETE;
    return wrong;
}
