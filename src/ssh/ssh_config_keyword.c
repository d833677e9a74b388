/* The keywords of ssh_config(5) that mean something here, in one table, and the checks of their
 * values.
 *
 * A keyword that is not in the table is passed over, known to OpenSSH or not: it could neither lead
 * elsewhere nor weaken what is checked. Those that could are in the table as CONFIG_REFUSED, each
 * with the value that asks for nothing. A wrong value of a keyword in the table is a syntax error,
 * whatever the host, as in OpenSSH. */
#include "ssh_config_private.h"
#include <limits.h>
#include <stdio.h>
#include <strings.h>

#define PORT_MAX 65535

struct keyword {
    const char *name;
    enum config_op op;
    enum config_slot slot;
    const char *harmless; /* REFUSED: this value asks for nothing; NULL: every value counts */
};

#define SLOT(name) CONFIG_REFUSED, CONFIG_SLOT_##name

static const struct keyword keywords[] = {
    {"Host", CONFIG_HOST, 0, NULL},
    {"Match", CONFIG_MATCH, 0, NULL},
    {"Include", CONFIG_INCLUDE, 0, NULL},
    {"HostName", CONFIG_HOSTNAME, 0, NULL},
    {"User", CONFIG_USER, 0, NULL},
    {"Port", CONFIG_PORT, 0, NULL},
    {"IdentityFile", CONFIG_IDENTITY_FILE, 0, NULL},
    {"IdentityFile2", CONFIG_IDENTITY_FILE, 0, NULL}, /* an old name of the same */
    {"UserKnownHostsFile", CONFIG_KNOWN_HOSTS, 0, NULL},
    {"ConnectTimeout", CONFIG_CONNECT_TIMEOUT, 0, NULL},
    {"ProxyJump", SLOT(PROXY_JUMP), "none"},
    {"ProxyCommand", SLOT(PROXY_COMMAND), "none"},
    {"HostKeyAlias", SLOT(HOST_KEY_ALIAS), NULL},
    {"KnownHostsCommand", SLOT(KNOWN_HOSTS_COMMAND), "none"},
    {"RevokedHostKeys", SLOT(REVOKED_HOST_KEYS), "none"},
    {"CanonicalizeHostname", SLOT(CANONICALIZE), "no"},
    {"AddressFamily", SLOT(ADDRESS_FAMILY), "any"},
    {"BindAddress", SLOT(BIND_ADDRESS), NULL},
    {"BindInterface", SLOT(BIND_INTERFACE), NULL},
};

static const struct keyword *keyword_of(struct slice name)
{
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
        if (strlen(keywords[i].name) == name.len &&
            strncasecmp(keywords[i].name, (const char *)name.data, name.len) == 0)
            return &keywords[i];
    return NULL;
}

static const char *bad_value(const char *text, const char *value, char scratch[128])
{
    snprintf(scratch, 128, "%s '%.64s'", text, value);
    for (char *c = scratch; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return scratch;
}

static const char *parse_port(const char *word, uint32_t *out, char scratch[128])
{
    uint32_t value = 0;
    for (const char *c = word; *c; c++) {
        if (*c < '0' || *c > '9' || value > PORT_MAX)
            return bad_value("bad port", word, scratch);
        value = value * 10 + (uint32_t)(*c - '0');
    }
    if (value == 0 || value > PORT_MAX)
        return bad_value("bad port", word, scratch);
    *out = value;
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
static const char *parse_time(const char *word, uint32_t *out, char scratch[128])
{
    uint64_t total = 0;
    const char *c = word;
    do {
        uint64_t value = 0;
        if (*c < '0' || *c > '9')
            return bad_value("bad time", word, scratch);
        for (; *c >= '0' && *c <= '9' && value <= INT_MAX; c++)
            value = value * 10 + (uint64_t)(*c - '0');
        uint32_t unit = *c ? seconds_of_unit(*c++) : 1;
        total += value * unit;
        if (unit == 0 || total > INT_MAX)
            return bad_value("bad time", word, scratch);
    } while (*c);
    *out = (uint32_t)total;
    return NULL;
}

static bool has_empty_word(const struct config_directive *d)
{
    const char *word = d->words;
    for (uint32_t i = 0; i < d->word_count; i++, word = config_next_word(word))
        if (*word == '\0')
            return true;
    return false;
}

/* UserKnownHostsFile: `none` only alone. */
static const char *check_files(const struct config_directive *d)
{
    const char *word = d->words;
    for (uint32_t i = 0; i < d->word_count; i++, word = config_next_word(word))
        if (strcasecmp(word, "none") == 0 && d->word_count > 1)
            return "none must stand alone";
    return NULL;
}

/* The words of a keyword that takes one. */
static const char *parse_single(struct config_directive *d, char scratch[128])
{
    if (d->word_count > 1)
        return bad_value("extra arguments after", d->words, scratch);
    if (d->op == CONFIG_PORT)
        return parse_port(d->words, &d->number, scratch);
    if (d->op != CONFIG_CONNECT_TIMEOUT)
        return NULL;
    if (strcmp(d->words, "none") == 0) {
        d->op = CONFIG_IGNORED; /* sets nothing: a later value still counts */
        return NULL;
    }
    return parse_time(d->words, &d->number, scratch);
}

static const char *parse_values(struct config_directive *d, char scratch[128])
{
    if (d->op == CONFIG_HOST)
        return has_empty_word(d) ? "empty argument" : NULL; /* no word at all: matches no host */
    if (d->word_count == 0 || has_empty_word(d))
        return "missing argument";
    if (d->op == CONFIG_KNOWN_HOSTS)
        return check_files(d);
    if (d->op == CONFIG_INCLUDE)
        return NULL;
    return parse_single(d, scratch);
}

/* Compares the whole rest of the line: proxies and commands are not split into words, and for the
 * others a harmless value in quotes or before a comment may as well refuse. */
static bool is_harmless(const struct keyword *k, struct slice rest)
{
    if (!k->harmless)
        return false;
    if (k->slot == CONFIG_SLOT_CANONICALIZE && rest.len == 5 &&
        strncasecmp((const char *)rest.data, "false", 5) == 0)
        return true;
    return rest.len == strlen(k->harmless) &&
           strncasecmp((const char *)rest.data, k->harmless, rest.len) == 0;
}

const char *config_directive_parse(const struct config_line *line, struct config_directive *d,
                                   char *words, size_t *words_len, char scratch[128])
{
    const struct keyword *k = keyword_of(line->keyword);
    d->op = k ? k->op : CONFIG_IGNORED;
    d->words = words;
    const char *wrong = config_words_split(line->rest, words, words_len, &d->word_count);
    if (wrong || !k)
        return wrong;
    d->keyword = k->name;
    d->slot = k->slot;
    if (d->op == CONFIG_MATCH)
        return config_match_parse(line->rest, d, words, words_len, scratch);
    if (d->op == CONFIG_REFUSED) {
        d->harmless = is_harmless(k, line->rest);
        return NULL;
    }
    return parse_values(d, scratch);
}
