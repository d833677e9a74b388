/* The criteria of a Match line: parsed once, judged for each host.
 *
 * all, host, originalhost, user, localuser, canonical and final are judged as OpenSSH does. The
 * rest (exec and those of later versions) cannot be: such a block is CONFIG_MAYBE unless another
 * criterion says no. canonical is final without canonicalisation, which is refused elsewhere. */
#include "scout/ssh/pattern.h"
#include "ssh_config_private.h"
#include <stdio.h>
#include <strings.h>

enum criterion_kind { WITHOUT_ARGUMENT, JUDGED, NOT_JUDGED };

struct criterion {
    const char *name;
    enum criterion_kind kind;
};

static const struct criterion criteria[] = {
    {"all", WITHOUT_ARGUMENT},    {"canonical", WITHOUT_ARGUMENT},
    {"final", WITHOUT_ARGUMENT},  {"host", JUDGED},
    {"originalhost", JUDGED},     {"user", JUDGED},
    {"localuser", JUDGED},        {"exec", NOT_JUDGED},
    {"localnetwork", NOT_JUDGED}, {"tagged", NOT_JUDGED},
    {"version", NOT_JUDGED},      {"sessiontype", NOT_JUDGED},
    {"command", NOT_JUDGED},
};

static const struct criterion *criterion_of(const char *name)
{
    for (size_t i = 0; i < sizeof criteria / sizeof criteria[0]; i++)
        if (strcasecmp(criteria[i].name, name) == 0)
            return &criteria[i];
    return NULL;
}

static const char *bad_criterion(const char *name, const char *text, char scratch[128])
{
    snprintf(scratch, 128, "Match: %.64s %s", name, text);
    for (char *c = scratch; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return scratch;
}

/* One criterion; *end is set when no more may follow. */
static const char *parse_one(struct slice *rest, struct config_directive *d, char *words,
                             size_t *len, bool *end, char scratch[128])
{
    size_t start = *len;
    if (!config_match_word(rest, words, len) || words[start] == '\0' || words[start] == '#') {
        *len = start;
        *end = true;
        return d->word_count == 0 ? "Match without a criterion" : NULL;
    }
    const char *name = words + start + (words[start] == '!');
    const struct criterion *c = criterion_of(name);
    if (!c)
        return bad_criterion(name, "is no criterion that is known", scratch);
    size_t argument = *len;
    if (c->kind == WITHOUT_ARGUMENT) {
        words[(*len)++] = '\0';
    } else if (!config_match_word(rest, words, len) || words[argument] == '\0' ||
               words[argument] == '#') {
        return bad_criterion(name, "needs an argument", scratch);
    }
    d->word_count += 2;
    if (strcasecmp(name, "all") != 0)
        return NULL;
    *end = true; /* alone, or behind canonical or final */
    if (d->word_count > 4 || (rest->len > 0 && rest->data[0] != '#'))
        return "Match: all cannot be combined with other criteria";
    return NULL;
}

const char *config_match_parse(struct slice rest, struct config_directive *d, char *words,
                               size_t *words_len, char scratch[128])
{
    const char *wrong = NULL;
    bool end = false;
    *words_len = 0;
    d->word_count = 0;
    while (!end && !wrong)
        wrong = parse_one(&rest, d, words, words_len, &end, scratch);
    return wrong;
}

bool config_match_is_final(const struct config_directive *d)
{
    const char *word = d->words;
    for (uint32_t i = 0; i < d->word_count; i++, word = config_next_word(word))
        if (i % 2 == 0 && strcasecmp(word + (*word == '!'), "final") == 0)
            return true;
    return false;
}

/* One criterion without its negation. */
static enum config_truth judge_one(const struct criterion *c, const char *argument,
                                   const struct config_match_facts *facts)
{
    bool match;
    struct slice list = slice_str(argument);
    if (c->kind == NOT_JUDGED)
        return CONFIG_MAYBE;
    if (strcmp(c->name, "all") == 0)
        match = true;
    else if (c->kind == WITHOUT_ARGUMENT)
        match = facts->final;
    else if (strcmp(c->name, "host") == 0)
        match = pattern_list_match(list, slice_str(facts->host), PATTERN_FOLD);
    else if (strcmp(c->name, "originalhost") == 0)
        match = pattern_list_match(list, slice_str(facts->original_host), PATTERN_FOLD);
    else if (strcmp(c->name, "user") == 0)
        match = pattern_list_match(list, slice_str(facts->user), PATTERN_EXACT);
    else
        match = pattern_list_match(list, slice_str(facts->local_user), PATTERN_EXACT);
    return match ? CONFIG_YES : CONFIG_NO;
}

enum config_truth config_match_judge(const struct config_directive *d,
                                     const struct config_match_facts *facts)
{
    enum config_truth all = CONFIG_YES;
    const char *word = d->words;
    for (uint32_t i = 0; i < d->word_count; i += 2) {
        const char *argument = config_next_word(word);
        bool negated = *word == '!';
        enum config_truth one = judge_one(criterion_of(word + negated), argument, facts);
        if (negated)
            one = CONFIG_YES - one;
        all = one < all ? one : all;
        word = config_next_word(argument);
    }
    return all;
}
