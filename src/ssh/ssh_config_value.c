/* The checks of single values, by kind: what OpenSSH would not take is refused here. */
#include "ssh_config_private.h"

#include <limits.h>
#include <strings.h>

#define PORT_MAX 65535

static const char *parse_number(const char *word, uint32_t least, uint32_t most, const char *text,
                                uint32_t *out, char scratch[CONFIG_SCRATCH])
{
    uint64_t value = 0;
    for (const char *c = word; *c; c++) {
        if (*c < '0' || *c > '9' || value > most)
            return config_bad_value(text, word, scratch);
        value = value * 10 + (uint64_t)(*c - '0');
    }
    if (value < least || value > most)
        return config_bad_value(text, word, scratch);
    *out = (uint32_t)value;
    return NULL;
}

static uint32_t seconds_of_unit(char c)
{
    switch (c) {
    case 's':
    case 'S':
        return 1;
    case 'm':
    case 'M':
        return 60;
    case 'h':
    case 'H':
        return 60 * 60;
    case 'd':
    case 'D':
        return 24 * 60 * 60;
    case 'w':
    case 'W':
        return 7 * 24 * 60 * 60;
    default:
        return 0;
    }
}

/* sshd_config(5), TIME FORMATS: numbers with units, added up; without a unit seconds. */
static const char *parse_time(const char *word, uint32_t *out, char scratch[CONFIG_SCRATCH])
{
    uint64_t total = 0;
    const char *c = word;
    do {
        uint64_t value = 0;
        if (*c < '0' || *c > '9')
            return config_bad_value("bad time", word, scratch);
        for (; *c >= '0' && *c <= '9' && value <= INT_MAX; c++)
            value = value * 10 + (uint64_t)(*c - '0');
        uint32_t unit = *c ? seconds_of_unit(*c++) : 1;
        total += value * unit;
        if (unit == 0 || total > INT_MAX)
            return config_bad_value("bad time", word, scratch);
    } while (*c);
    *out = (uint32_t)total;
    return NULL;
}

/* The index of the word among the choices (those of GUARDED rows may have a `!`). */
static const char *parse_choice(const char *choices, const char *word, uint32_t *out,
                                char scratch[CONFIG_SCRATCH])
{
    const char *wanted = strcasecmp(word, "true") == 0    ? "yes"
                         : strcasecmp(word, "false") == 0 ? "no"
                                                          : word;
    size_t wanted_len = strlen(wanted);
    for (uint32_t i = 0; *choices; i++) {
        choices += *choices == '!';
        size_t len = strcspn(choices, " ");
        if (len == wanted_len && strncasecmp(choices, wanted, len) == 0) {
            *out = i;
            return NULL;
        }
        choices += len + (choices[len] == ' ');
    }
    return config_bad_value("bad value", word, scratch);
}

/* A variable's name as OpenSSH takes it. */
static bool is_variable_name(const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c != '_' && !(*c >= '0' && *c <= '9') && !((*c | 32) >= 'a' && (*c | 32) <= 'z'))
            return false;
    return *text != '\0';
}

/* Names with commas. Which of them there are is not looked at: versions differ. */
static const char *check_algorithms(const char *word, char scratch[CONFIG_SCRATCH])
{
    const char *names = word + (*word == '+' || *word == '-' || *word == '^');
    size_t len = strlen(names);
    if (len == 0 || names[0] == ',' || names[len - 1] == ',' || strstr(names, ",,"))
        return config_bad_value("bad list of algorithms", word, scratch);
    return NULL;
}

/* One host of a ProxyJump: [user@]host[:port], or ssh:// before it. */
static bool is_jump(struct slice hop)
{
    static const char scheme[] = "ssh://";
    const size_t scheme_len = sizeof scheme - 1;
    if (hop.len > scheme_len && memcmp(hop.data, scheme, scheme_len) == 0)
        hop = slice_skip(hop, scheme_len);
    for (size_t i = hop.len; i > 0; i--)
        if (hop.data[i - 1] == '@') {
            if (i == 1)
                return false;
            hop = slice_skip(hop, i);
            break;
        }
    const uint8_t *bracket =
        hop.len > 0 && hop.data[0] == '[' ? memchr(hop.data, ']', hop.len) : NULL;
    const uint8_t *after = bracket ? bracket + 1 : hop.data;
    const uint8_t *colon =
        hop.len ? memchr(after, ':', hop.len - (size_t)(after - hop.data)) : NULL;
    size_t host_len = colon ? (size_t)(colon - hop.data) : hop.len;
    if (host_len == 0 || (hop.data[0] == '[' && !bracket))
        return false;
    uint32_t port = 0;
    for (const uint8_t *c = colon ? colon + 1 : NULL; c && c < hop.data + hop.len; c++) {
        if (*c < '0' || *c > '9' || port > PORT_MAX)
            return false;
        port = port * 10 + (uint32_t)(*c - '0');
    }
    return !colon || (port > 0 && port <= PORT_MAX);
}

static const char *check_jump(char *word, char scratch[CONFIG_SCRATCH])
{
    if (strcasecmp(word, "none") == 0)
        return NULL;
    word[strcspn(word, "#")] = '\0'; /* unlike `none`, hosts may have a comment behind them */
    size_t len = strlen(word);
    while (len > 0 && (word[len - 1] == ' ' || word[len - 1] == '\t'))
        word[--len] = '\0';
    for (const char *hop = word;; hop++) {
        size_t hop_len = strcspn(hop, ",");
        if (!is_jump(slice_of(hop, hop_len)))
            return config_bad_value("bad ProxyJump", word, scratch);
        hop += hop_len;
        if (*hop == '\0')
            return NULL;
    }
}

static const char *parse_single(const struct config_keyword *k, struct config_directive *d,
                                bool *sets, char scratch[CONFIG_SCRATCH])
{
    const char *word = d->words;
    switch (k->kind) {
    case CONFIG_KIND_FLAG:
        return parse_choice("no yes", word, &d->number, scratch);
    case CONFIG_KIND_CHOICE:
        return parse_choice(k->value, word, &d->number, scratch);
    case CONFIG_KIND_INT:
        return parse_number(word, 0, INT_MAX, "bad number", &d->number, scratch);
    case CONFIG_KIND_COUNT:
        return parse_number(word, 1, INT_MAX, "bad number", &d->number, scratch);
    case CONFIG_KIND_PORT:
        return parse_number(word, 1, PORT_MAX, "bad port", &d->number, scratch);
    case CONFIG_KIND_TIME:
        *sets = strcmp(word, "none") != 0; /* a later value still counts */
        return *sets ? parse_time(word, &d->number, scratch) : NULL;
    case CONFIG_KIND_ALGORITHMS:
        return check_algorithms(word, scratch);
    case CONFIG_KIND_AGENT:
        return word[0] == '$' && word[1] != '{' && !is_variable_name(word + 1)
                   ? config_bad_value("bad name of a variable", word, scratch)
                   : NULL;
    default:
        return NULL;
    }
}

const char *config_value_parse(const struct config_keyword *k, struct config_directive *d,
                               char *words, bool *sets, char scratch[CONFIG_SCRATCH])
{
    const char *word = d->words;
    switch (k->kind) {
    case CONFIG_KIND_ANY:
    case CONFIG_KIND_COMMAND:
    case CONFIG_KIND_BLOCK:
        return NULL;
    case CONFIG_KIND_JUMP:
        return check_jump(words, scratch);
    case CONFIG_KIND_NAMES:
        for (uint32_t i = 0; i < d->word_count; i++, word = config_next_word(word))
            if (*word == '\0' || strchr(word, '='))
                return config_bad_value("bad name of a variable", word, scratch);
        return NULL;
    case CONFIG_KIND_FILES:
        for (uint32_t i = 0; i < d->word_count; i++, word = config_next_word(word))
            if (strcasecmp(word, "none") == 0 && d->word_count > 1)
                return "none must stand alone";
        return NULL;
    default:
        if (d->word_count > 1)
            return config_bad_value("extra arguments after", d->words, scratch);
        return parse_single(k, d, sets, scratch);
    }
}
