/* The criteria of a Match line: parsed once, judged for each host.
 *
 * all, host, originalhost, user, localuser, tagged, canonical, final and, where it was run, exec
 * are judged as OpenSSH does. The rest (localnetwork and those of later versions) cannot be: such a
 * block is CONFIG_MAYBE unless another criterion says no. canonical is final without
 * canonicalisation, which is refused elsewhere.
 *
 * Since 10.0 the words of the line are split as those of other lines are, before that only `"`
 * quoted: where that makes a difference, the block is CONFIG_MAYBE, too. */
#include "scout/ssh/pattern.h"
#include "ssh_config_private.h"
#include <stdio.h>
#include <strings.h>

#define CONFIG_CRITERIA_EXECS 8 /* of one line; with more it is not judged */

enum criterion_kind { WITHOUT_ARGUMENT, JUDGED, NOT_JUDGED };

struct criterion {
    const char *name;
    enum criterion_kind kind;
};

static const struct criterion criteria[] = {
    {"all", WITHOUT_ARGUMENT},    {"canonical", WITHOUT_ARGUMENT},
    {"final", WITHOUT_ARGUMENT},  {"host", JUDGED},
    {"originalhost", JUDGED},     {"user", JUDGED},
    {"localuser", JUDGED},        {"exec", JUDGED},
    {"localnetwork", NOT_JUDGED}, {"tagged", JUDGED},
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

static const char *bad_criterion(const char *name, const char *text, char scratch[CONFIG_SCRATCH])
{
    snprintf(scratch, CONFIG_SCRATCH, "Match: %.64s %s", name, text);
    for (char *c = scratch; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return scratch;
}

/* One criterion; *end is set when no more may follow. */
static const char *parse_one(struct slice *rest, struct config_directive *d, char *words,
                             size_t *len, bool *end, char scratch[CONFIG_SCRATCH])
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

/* Whether versions of OpenSSH split the line differently: a `'` outside of quotes, or a backslash
 * before what it can quote. */
static bool is_unsure(struct slice rest)
{
    bool quoted = false;
    for (size_t i = 0; i < rest.len; i++) {
        uint8_t c = rest.data[i], after = i + 1 < rest.len ? rest.data[i + 1] : 0;
        if ((c == '\'' && !quoted) ||
            (c == '\\' && (after == '\'' || after == '"' || after == '\\' || after == ' ')))
            return true;
        quoted = quoted != (c == '"');
    }
    return false;
}

const char *config_match_parse(struct slice rest, struct config_directive *d, char *words,
                               size_t *words_len, char scratch[CONFIG_SCRATCH])
{
    const char *wrong = NULL;
    bool end = false;
    *words_len = 0;
    d->word_count = 0;
    d->unsure = is_unsure(rest);
    while (!end && !wrong)
        wrong = parse_one(&rest, d, words, words_len, &end, scratch);
    return wrong;
}

bool config_match_names(const struct config_directive *d, const char *name)
{
    const char *word = d->words;
    for (uint32_t i = 0; i < d->word_count; i++, word = config_next_word(word))
        if (i % 2 == 0 && strcasecmp(word + (*word == '!'), name) == 0)
            return true;
    return false;
}

static enum config_truth judge_exec(const char *argument, const struct config_match_facts *facts)
{
    char command[SSH_CONFIG_COMMAND_MAX];
    if (config_expand(argument, CONFIG_TOKENS, false, facts->tokens, command, sizeof command))
        return CONFIG_MAYBE;
    return config_execs_ask(facts->execs, command);
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
    else if (strcmp(c->name, "tagged") == 0)
        match = pattern_list_match(list, slice_str(facts->tag), PATTERN_EXACT);
    else
        match = pattern_list_match(list, slice_str(facts->local_user), PATTERN_EXACT);
    return match ? CONFIG_YES : CONFIG_NO;
}

/* A command is run only where all criteria before it have matched, and no other says no. */
enum config_truth config_match_judge(const struct config_directive *d,
                                     const struct config_match_facts *facts, const char **unjudged)
{
    enum config_truth all = CONFIG_YES;
    const char *word = d->words, *execs[CONFIG_CRITERIA_EXECS];
    uint32_t exec_count = 0;
    *unjudged = d->unsure ? "quotes that OpenSSH 10 reads differently" : "";
    if (d->unsure)
        return CONFIG_MAYBE;
    for (uint32_t i = 0; i < d->word_count && all != CONFIG_NO; i += 2) {
        const char *argument = config_next_word(word);
        const struct criterion *c = criterion_of(word + (*word == '!'));
        bool negated = *word == '!';
        enum config_truth one = CONFIG_YES;
        if (strcmp(c->name, "exec") != 0)
            one = judge_one(c, argument, facts);
        else if (exec_count < CONFIG_CRITERIA_EXECS)
            execs[exec_count++] = word;
        else
            one = CONFIG_MAYBE;
        if (negated && strcmp(c->name, "exec") != 0)
            one = CONFIG_YES - one;
        if (one == CONFIG_MAYBE)
            *unjudged = c->name;
        all = one < all ? one : all;
        word = config_next_word(argument);
    }
    for (uint32_t i = 0; i < exec_count && all != CONFIG_NO; i++) {
        enum config_truth one = judge_exec(config_next_word(execs[i]), facts);
        if (*execs[i] == '!')
            one = CONFIG_YES - one;
        if (one == CONFIG_MAYBE)
            *unjudged = "exec";
        all = one < all ? one : all;
    }
    return all;
}
